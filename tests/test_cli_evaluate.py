"""The command `edgeanon evaluate`: what it prints, what it writes, and how it ends."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeanon.evaluation.scores import Scores
from tests import labelled, tiny

Run = Callable[..., tuple[str, str]]
DEMO = Path(__file__).parent.parent / "examples" / "demo"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Labels of three faces of which one is missed, and the model that finds two."""
    labelled.some(tmp_path)
    tiny.save(tiny.bright(side=labelled.SIDE), tmp_path / "model", **tiny.FACES)
    return tmp_path


def options(folder: Path) -> tuple[object, ...]:
    return (folder / "annotations.json", "--no-plates", "--face-model", folder / "model/model.xml", "--profile", "fast")


def test_a_person_reads_what_was_missed_first(inside: Run, folder: Path) -> None:
    said, _ = inside("evaluate", *options(folder))
    lines = said.splitlines()
    assert lines[0].strip() == "Faces: 3 labelled in 2 pictures, threshold 0.5"
    assert "missed" in lines[1]
    assert lines[2].split()[:4] == ["all", "3", "33.3", "%"]
    assert lines[2].strip().endswith("too few objects")
    assert lines[3].split() == ["under", "16", "px", "0", "undefined", "undefined"]
    assert max(map(len, lines)) <= 80


def test_a_machine_reads_scores(inside: Run, folder: Path) -> None:
    said, _ = inside("evaluate", *options(folder), "--json", "--target-recall", "0.5")
    scores = Scores.model_validate_json(said)
    assert scores.kinds["face"].all.recall.hits == 2
    assert scores.calibration
    assert scores.calibration.kinds["face"].threshold == pytest.approx(0.999, abs=0.01)


def test_the_figures_and_the_page_are_written(inside: Run, folder: Path) -> None:
    report, page = folder / "report.json", folder / "page.html"
    inside("evaluate", *options(folder), "--report", report, "--html", page)
    assert Scores.model_validate_json(report.read_text()).labels.pictures == 2
    assert "<svg" in page.read_text()
    assert "<img" not in page.read_text()
    inside("evaluate", *options(folder), "--html", page, expect=1)
    inside("evaluate", *options(folder), "--html", page, "--pictures", "--overwrite")
    assert page.read_text().count("data:image/jpeg") == 1
    assert not list(folder.glob(".*"))


def test_a_card_is_shown_when_asked_for(inside: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgeanon.evaluation import robustness  # noqa: PLC0415
    from edgeanon.evaluation.conditions import CONDITIONS  # noqa: PLC0415

    monkeypatch.setitem(robustness.__kwdefaults__ or {}, "conditions", {"greyscale": CONDITIONS["greyscale"]})
    said, _ = inside("evaluate", *options(folder), "--robustness")
    assert "Faces under worse conditions: 3 objects in 2 pictures" in said
    assert "no colour" in said


def test_a_sample_is_measured_instead_of_all(inside: Run, folder: Path) -> None:
    said, _ = inside("evaluate", *options(folder), "--json", "--sample", "1")
    assert json.loads(said)["labels"]["pictures"] == 1
    inside("evaluate", *options(folder), "--sample", "0", expect=2)


@pytest.mark.slow
def test_a_labelled_clip_is_masked_as_a_video_and_its_exposure_told(inside: Run, tmp_path: Path) -> None:
    """The first ten frames of the demonstration clip."""
    clip = json.loads((DEMO / "street-clip.json").read_text())
    from edgeanon import VideoReader, VideoWriter  # noqa: PLC0415

    with VideoReader(DEMO / "street.mp4") as video, VideoWriter(tmp_path / "a.mp4", like=video) as out:
        for frame in video:
            if frame.index < 10:
                out.write(frame)
    objects = [{**one, "boxes": [row for row in one["boxes"] if row[0] < 10]} for one in clip["objects"]]
    labels = tmp_path / "clip.json"
    labels.write_text(json.dumps({**clip, "video": "a.mp4", "frames": 10, "objects": objects}))
    said, _ = inside("evaluate", labels, "--profile", "fast", "--json")
    figures = json.loads(said)
    assert figures["groups"]["all"]["object_frames"] > 20
    assert figures["groups"]["all"]["exposed_per_1000"] < 200
    assert 0 < figures["masked_share"] < 0.3
    _, complaint = inside("evaluate", labels, "--html", tmp_path / "a.html", "--robustness", expect=2)
    assert "--html, --robustness" in complaint


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        pytest.param(["--target-recall", "2"], 2, "a share above 0", id="no share"),
        pytest.param(["--pictures"], 2, "--html", id="pictures without a page"),
        pytest.param(["--label", "dog=cat"], 2, "NAME=MEANING", id="no meaning"),
        pytest.param(["--report", "no/where.json"], 1, "does not exist", id="no folder"),
        pytest.param(["--format", "voc"], 2, "annotations.json", id="another format"),
        pytest.param(["--no-faces"], 2, "neither faces nor plates", id="nothing to look for"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_measured(
    inside: Run, folder: Path, wrong: list[str], code: int, said: str
) -> None:
    _, complaint = inside("evaluate", *options(folder), *wrong, expect=code)
    assert said in " ".join(complaint.split())


def test_labels_that_are_not_there_are_an_error(inside: Run, tmp_path: Path) -> None:
    _, complaint = inside("evaluate", tmp_path / "none.json", expect=1)
    assert "does not exist" in complaint


def test_a_label_gets_its_meaning_on_the_command_line(inside: Run, folder: Path) -> None:
    entries = json.loads((folder / "annotations.json").read_text())
    entries[0]["objects"][0]["label"] = "head"
    (folder / "annotations.json").write_text(json.dumps(entries))
    _, complaint = inside("evaluate", *options(folder), expect=2)
    assert "--label 'head=face'" in complaint
    said, _ = inside("evaluate", *options(folder), "--label", "head=face", "--json")
    assert json.loads(said)["kinds"]["face"]["all"]["recall"]["total"] == 3


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_the_precision_that_is_asked_for_is_the_one_measured(inside: Run, folder: Path, precision: str) -> None:
    said, _ = inside("evaluate", folder / "annotations.json", "--profile", "fast", "--precision", precision, "--json")
    assert {model["precision"] for model in json.loads(said)["models"]} == {precision.upper()}
