"""A module imports only from rows above its own, or from its left in the same row; one outside thing, one room."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "edgeanon"

ROWS = [
    ["errors", "boxes", "detections", "config"],
    ["runtime", "images", "video", "preprocess", "decoders", "motion", "association", "styles"],
    ["certificate", "models"],
    ["detector", "tracker", "masker"],
    ["audit", "evaluation", "verify"],
    ["pipeline"],
    ["quantization"],
    ["cli", "__main__"],
]
PLACES = {name: (row, place) for row, names in enumerate(ROWS) for place, name in enumerate(names)}
ROOMS = {
    "openvino": "runtime",
    "av": "video",
    "cryptography": "audit",
    "lap": "association",
    "nncf": "quantization",
    "PIL": "images",
    "pi_heif": "images",
    "tifffile": "images",
}
LEAN = {"numpy", "pydantic", "pydantic_core"}
NETWORK = {"socket", "ssl", "http", "urllib", "ftplib", "smtplib", "requests", "asyncio"}

FILES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    """The top-level module that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, as a dotted name, wherever in the file the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path} imports relatively"
            if node.module == "edgeanon":
                yield from (f"edgeanon.{alias.name}" for alias in node.names if alias.name != "__version__")
            else:
                yield node.module


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    here = room(path)
    if here == "__init__":  # the package itself names everything, lazily
        return
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "edgeanon" and len(parts) > 1 and parts[1] != here:
            there, own = PLACES[parts[1]], PLACES[here]
            assert there < own, f"{here} must not import {parts[1]}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_an_outside_thing_has_one_room(path: Path) -> None:
    for name in imported(path):
        top = name.split(".")[0]
        assert ROOMS.get(top, room(path)) == room(path), f"{top} is imported in {ROOMS.get(top)} alone"
        assert top not in NETWORK or name == "urllib.parse", f"{path} must not reach the network"


@pytest.mark.parametrize("name", ROWS[0])
def test_the_first_row_needs_numpy_and_pydantic_only(name: str) -> None:
    import sys  # noqa: PLC0415

    for module in imported(PACKAGE / f"{name}.py"):
        top = module.split(".")[0]
        assert top == "edgeanon" or top in LEAN or top in sys.stdlib_module_names


def test_every_module_has_its_place() -> None:
    assert {room(path) for path in FILES} - {"__init__"} <= set(PLACES)
