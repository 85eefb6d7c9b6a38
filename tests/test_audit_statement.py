"""What a report file can say: its schema has no room for names, places and times, whatever a run is fed."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from edgeanon.audit import Files, HardwareUsed, Ledger, Mask, ModelUsed, Report, Statement, VideoUsed, canonical
from edgeanon.audit.statement import digest
from edgeanon.audit.stating import own_code, state
from edgeanon.audit.terms import binned, build, setting
from edgeanon.certificate import CERTIFICATE_NAME
from edgeanon.errors import ConfigError
from edgeanon.models import ZOO, load_shipped

SCHEMA = Statement.model_json_schema()
FROM_THE_MACHINE = {"what the driver calls it", 'of a shipped model; "own" for others'}
"""Words that come from a driver or from this package, never from what a run reads."""
PERSONAL = [
    "Jane Doe",
    "jane.doe@example.org",
    "/home/jane/photos/jane.jpg",
    "rtsp://user:password@camera/1",
    "B-MW 1234",
    "12.5,33.1,80,90",
    "[12, 33, 80, 90]",
    "48.137154N",
    "2026-11-25T04:36:48",
    "2026-11-25 04:36",
    "04:36:48",
    "1795581408",
    "1795581408.25",
]


def filled(**changes: Any) -> Report:
    """The report on a run with a shipped model."""
    model = ModelUsed.of(load_shipped("plate"))
    video = VideoUsed(
        look_ahead=1, interval=0.16, audio="drop", codec="auto", quality=None, preset=None, on_error="fail"
    )
    fields: dict[str, Any] = {
        "openvino": "2026.4.1-22982-e213a147257-releases/2026/4",
        "day": date(2026, 11, 25),
        "seconds": 12.345,
        "device": "CPU",
        "reason": "named",
        "hardware": (HardwareUsed(name="GPU.0", full_name="Intel(R) Arc(TM) A380", driver="24.35.30872"),),
        "profile": "balanced",
        "thresholds": {"plate": 0.3},
        "metadata": "none",
        "models": (model,),
        "masks": {"plate": Mask(style="Soft(grain=1.5)", irreversible=True, shape="rounded", margin=(0.55, 0.65))},
        "video": video,
        "files": Files(masked=3),
        "pages": 2,
        "frames": 777,
        "objects": {"plate": 17},
    }
    return Report(**fields | changes)


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every part of a JSON schema that allows a value."""
    if isinstance(schema, dict):
        if {"type", "enum", "const", "anyOf", "$ref"} & set(schema) or schema == {}:
            yield schema
        for key, value in schema.items():
            if key in {"properties", "$defs"}:
                for one in value.values():
                    yield from nodes(one)
            elif key in {"items", "additionalProperties", "propertyNames"}:
                yield from nodes(value)
            elif key in {"anyOf", "prefixItems"}:
                for one in value:
                    yield from nodes(one)


def test_every_string_is_an_enumeration_a_day_or_a_whole_pattern() -> None:
    strings = [node for node in nodes(SCHEMA) if node.get("type") == "string"]
    assert len(strings) > 20
    for node in strings:
        pattern = node.get("pattern", "")
        whole = pattern.startswith("^") and pattern.endswith("$")
        assert whole or {"enum", "const"} & set(node) or node.get("format") == "date", node


def test_every_number_is_a_count() -> None:
    numbers = [node for node in nodes(SCHEMA) if node.get("type") in {"integer", "number"}]
    assert numbers
    assert all(node["type"] == "integer" and node["minimum"] == 0 for node in numbers)


def test_every_value_has_a_known_type_and_every_key_a_known_name() -> None:
    for node in nodes(SCHEMA):
        assert node.get("type") or {"enum", "const", "anyOf", "$ref"} & set(node), node
        if node.get("type") == "object":
            names = node.get("propertyNames", {})
            assert node.get("additionalProperties") is False or "enum" in names or "$ref" in names, node
        if node.get("type") == "array":
            assert node.get("items") or node.get("prefixItems"), node


@pytest.mark.parametrize("text", PERSONAL)
def test_no_pattern_takes_what_is_personal(text: str) -> None:
    patterns = [
        node["pattern"]
        for node in nodes(SCHEMA)
        if "pattern" in node and node.get("description") not in FROM_THE_MACHINE
    ]
    assert len(patterns) > 10
    assert not [pattern for pattern in patterns if re.search(pattern, text)]


WORDS = st.text(min_size=5, max_size=40).filter(lambda text: not re.search(r"^[\d.a-z_+-]*$", text))


@settings(max_examples=25, deadline=None)
@given(WORDS)
def test_own_words_of_models_styles_presets_and_drivers_are_left_out(words: str) -> None:
    hashes = {"sha256": "0" * 64, "manifest_sha256": "1" * 64}
    report = filled(
        reason=words,
        models=(ModelUsed(name=words, version=words, precision=words, **hashes),),
        masks={"plate": Mask(style=f"own.{words}", irreversible=False, shape="rounded", margin=(0.5, 0.5))},
        hardware=(HardwareUsed(name="GPU", full_name="", driver=words),),
        openvino=f"2026.4.1-22982-{words}",
        video=filled().video.model_copy(update={"preset": words}),
    )
    said = state(report, Ledger())
    assert words not in canonical(said).decode()
    assert (said.models[0].name, said.settings.masks["plate"].style) == ("own", "own")


def test_a_model_of_the_package_is_named_and_one_that_takes_its_name_is_not() -> None:
    used = ModelUsed.of(load_shipped("plate"))
    assert state(filled(models=(used,)), Ledger()).models[0].name == used.name
    changed = used.model_copy(update={"manifest_sha256": "0" * 64})
    assert state(filled(models=(changed,)), Ledger()).models[0].name == "own"


def test_the_certificate_of_a_quantized_model_is_stated_by_its_hash() -> None:
    content = (ZOO / "plate" / "int8" / CERTIFICATE_NAME).read_bytes()
    whole, quantized = (ModelUsed.of(load_shipped("plate", precision)) for precision in ("fp16", "int8"))
    said = state(filled(models=(whole, quantized)), Ledger()).models
    assert [one.certificate_sha256 for one in said] == [None, digest(content)]
    assert [(one.name, one.precision) for one in said] == [(whole.name, "FP16"), (whole.name, "INT8")]


@pytest.mark.parametrize(
    ("style", "said"),
    [
        ("Soft(grain=1.5)", "Soft(grain=1.5)"),
        ("Fill(color=(0, 128, 255))", "Fill(color=(0, 128, 255))"),
        ("Pixelate(cells=4, bits=5)", "Pixelate(cells=4, bits=5)"),
        ("Blur(sigma=0.5)", "Blur(sigma=0.5)"),
        ("Replace(40x30, sha256 0123456789abcdef, background=(0, 0, 0))", "Replace(sha256 0123456789abcdef)"),
        ("jane.Soft(grain=1.5)", "own"),
        ("Fill(color='Jane Doe')", "own"),
    ],
)
def test_a_shipped_style_is_stated_with_its_parameters(style: str, said: str) -> None:
    masks = {"plate": Mask(style=style, irreversible=True, shape="rounded", margin=(0.5, 0.5))}
    assert state(filled(masks=masks), Ledger()).settings.masks["plate"].style == said


@given(st.integers(0, 10**12))
def test_a_bin_holds_its_count_and_no_smaller_one_than_four(count: int) -> None:
    low, _, high = binned(count).partition("-")
    assert int(low) <= count <= int(high or low)
    assert count == 0 or int(high) - int(low) >= min(3, int(low))
    assert binned(int(low)) == binned(count) == binned(int(high or low))


@pytest.mark.parametrize("text", ["7", "1", "1-5", "10-190", "100-19", "5-19", "2-4", "", "1-4 Jane"])
def test_what_is_no_bin_is_refused(text: str) -> None:
    said = state(filled(), Ledger()).model_dump(mode="json")
    with pytest.raises(ValidationError):
        Statement.model_validate(said | {"pages": text})


def test_counts_of_objects_frames_and_seconds_are_binned() -> None:
    said = state(filled(), Ledger())
    assert (said.objects, said.frames, said.pages, said.seconds) == ({"plate": "10-19"}, "500-999", "1-4", "10-19")


def test_settings_that_do_not_fit_their_hash_are_refused() -> None:
    said = state(filled(), Ledger())
    assert said.settings_sha256 == digest(canonical(said.settings))
    content = said.model_dump(mode="json")
    content["settings"]["thresholds"]["plate"] = "0.9"
    with pytest.raises(ValidationError, match="settings_sha256"):
        Statement.model_validate(content)


def test_the_canonical_form_has_one_order_and_no_white_space() -> None:
    assert canonical({"b": ["é", 1], "a": {"d": None, "c": True}}) == '{"a":{"c":true,"d":null},"b":["é",1]}'.encode()


def test_a_run_is_to_be_assessed_anew_in_a_year_or_when_told() -> None:
    assert state(filled(), Ledger()).reassess_by == date(2027, 11, 25)
    assert state(filled(), Ledger(), reassess_by=date(2027, 1, 1)).reassess_by == date(2027, 1, 1)


def test_the_branch_that_openvino_was_built_from_is_left_out() -> None:
    assert build("2026.4.1-22982-e213a147257-releases/2026/4") == "2026.4.1-22982-e213a147257"
    assert build("2026.0.0-custom_jane") == "2026.0.0"
    assert build("custom") == "0"


@pytest.mark.parametrize(("value", "text"), [(1, "1"), (0.16, "0.16"), (0.123456, "0.1235"), (20.0, "20"), (0, "0")])
def test_settings_are_stated_to_four_decimals(value: float, text: str) -> None:
    assert setting(value) == text


def test_a_setting_past_all_use_is_an_error() -> None:
    with pytest.raises(ConfigError, match="smaller"):
        setting(1e6)


def test_the_code_is_one_hash_over_all_modules() -> None:
    assert re.fullmatch("[0-9a-f]{64}", own_code())
    assert state(filled(), Ledger()).code.sha256 == own_code()
