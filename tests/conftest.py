"""What several test files share: the demonstration picture, its labels, and tiny real models."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console

from edgeanon import cli
from edgeanon.detections import Kind

DEMO = Path(__file__).parent.parent / "examples" / "demo"


@pytest.fixture(scope="session", autouse=True)
def private_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled models go to a folder of this test run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Programs that tests start may be interrupted, also when the tests run in the background of a shell."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def street() -> NDArray[np.uint8]:
    """The demonstration picture, read-only."""
    image = cv2.imread(str(DEMO / "street.jpg"))
    assert image is not None
    image.flags.writeable = False
    return np.asarray(image, np.uint8)


@pytest.fixture(scope="session")
def labels() -> dict[Kind, NDArray[np.float32]]:
    """Its labelled boxes by kind, ``(n, 4)`` x1 y1 x2 y2."""
    (entry,) = json.loads((DEMO / "street.json").read_text())
    boxes: dict[Kind, list[list[float]]] = {}
    for item in entry["objects"]:
        x, y, width, height = item["bbox"]
        boxes.setdefault(Kind[item["label"].upper()], []).append([x, y, x + width, y + height])
    return {kind: np.array(rows, np.float32) for kind, rows in boxes.items()}


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    """The command in this process, called like ``inside("devices", "--json", expect=0)``: stdout and stderr."""

    def run(*arguments: object, expect: int = 0) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["edgeanon", *map(str, arguments)])
        monkeypatch.setattr(cli, "out", Console(width=80, highlight=False, emoji=False))
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
        try:
            with pytest.raises(SystemExit) as ended:
                cli.main()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        said = capsys.readouterr()
        assert ended.value.code == expect, f"{said.out}\n{said.err}"
        assert "Traceback" not in said.err
        return said.out, said.err

    return run
