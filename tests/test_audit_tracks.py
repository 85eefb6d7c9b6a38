"""The file of boxes: it says what it is, is private, holds what was masked, and appears whole or not at all."""

import errno
import json
import stat
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edgeanon.audit import Covered, TracksWriter, read_tracks
from edgeanon.audit.tracks import Ended, Notice, Seen
from edgeanon.detections import Detections
from edgeanon.errors import MediaError
from tests import films, pictures

COUNT = 12


def found(count: int = 1) -> Detections:
    boxes = np.tile(np.array([[1.005, 2, 3.5, 4]], np.float32), (count, 1))
    return Detections(boxes, np.full(count, 0.5, np.float32), np.zeros(count, np.uint8))


def seen(path: Path) -> list[Seen]:
    return [line for line in read_tracks(path) if isinstance(line, Seen)]


def test_the_first_line_says_that_it_is_personal_data(tmp_path: Path) -> None:
    with TracksWriter(tmp_path / "t.jsonl"):
        pass
    (first,) = (tmp_path / "t.jsonl").read_text().splitlines()
    assert json.loads(first)["personal_data"] is True
    assert "Personal data" in json.loads(first)["warning"]
    assert list(read_tracks(tmp_path / "t.jsonl")) == [Notice()]


def test_it_is_private_also_where_it_replaces_one_that_was_not(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("old")
    path.chmod(0o644)
    with TracksWriter(path, overwrite=True) as tracks:
        assert all(stat.S_IMODE(one.stat().st_mode) == 0o600 for one in tmp_path.iterdir() if one != path)
        tracks.add(Covered(Path("a.png"), 0, None, 40, 30, found()))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_after_an_error_there_is_none(tmp_path: Path) -> None:
    writer = TracksWriter(tmp_path / "t.jsonl")
    with pytest.raises(KeyboardInterrupt), writer:
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_a_line_that_could_not_be_written_leaves_none_although_the_run_went_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def fill(writer: TracksWriter) -> None:
        with writer:
            with monkeypatch.context() as patch:
                patch.setattr(writer, "_file", SimpleNamespace(write=full))
                with pytest.raises(MediaError, match="room"):
                    writer.add(Covered(Path("a.png"), 0, None, 40, 30, found()))
            with pytest.raises(MediaError):
                writer.end(Path("a.png"), "failed")

    with pytest.raises(MediaError, match="room"):
        fill(TracksWriter(tmp_path / "t.jsonl"))
    assert not list(tmp_path.iterdir())


def test_names_are_relative_to_the_folder_and_need_not_be_text(tmp_path: Path) -> None:
    with TracksWriter(tmp_path / "t.jsonl", root=Path("/in")) as tracks:
        tracks.end(Path("/in/sub/a.png"), "masked")
        tracks.end(Path("/in/\udcff\n.png"), "failed")
    ended = [line for line in read_tracks(tmp_path / "t.jsonl") if isinstance(line, Ended)]
    assert [(line.file, line.verdict) for line in ended] == [("sub/a.png", "masked"), ("\\xff\n.png", "failed")]


@pytest.mark.parametrize("line", ["{}", "no JSON", '{"line": "seen", "file": "a", "embedding": [1, 2]}'])
def test_a_line_that_is_none_is_an_error_with_its_number(tmp_path: Path, line: str) -> None:
    with TracksWriter(tmp_path / "t.jsonl"):
        pass
    with (tmp_path / "t.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(MediaError, match="line 2"):
        list(read_tracks(tmp_path / "t.jsonl"))


def test_a_picture_has_a_line_for_each_page_with_its_boxes(tmp_path: Path) -> None:
    (image,) = films.film(1)
    source = pictures.write_pixels(tmp_path / "a.png", image)
    with TracksWriter(tmp_path / "t.jsonl") as tracks:
        films.anonymizer(tmp_path).image(source, tmp_path / "b.png", on_objects=tracks.add)
    (line,) = seen(tmp_path / "t.jsonl")
    assert (line.file, line.index, line.time, line.size) == ("a.png", 0, None, (films.WIDTH, films.HEIGHT))
    x, y = films.resting(0)
    left, top, right, bottom = line.objects[0].box
    assert left < x < x + films.SIDE < right
    assert top < y < y + films.SIDE < bottom
    assert line.objects[0].id is None


def test_a_video_has_a_line_for_each_frame_with_ids_and_times(tmp_path: Path) -> None:
    source = films.save(tmp_path / "a.mp4", films.film(COUNT, at=films.walking, dim=[4, 5]))
    with TracksWriter(tmp_path / "t.jsonl") as tracks:
        report = films.anonymizer(tmp_path).video(source, tmp_path / "b.mp4", on_objects=tracks.add)
    lines = seen(tmp_path / "t.jsonl")
    assert [line.index for line in lines] == list(range(COUNT)) == list(range(report.frames))
    assert [line.time for line in lines] == [float(index * films.STEP) for index in range(COUNT)]
    assert {one.id for line in lines for one in line.objects} == {0}
    for index, line in enumerate(lines):
        x, y = films.walking(index)
        assert any(one.box[0] < x and one.box[1] < y and one.box[2] > x + films.SIDE for one in line.objects)


def test_a_frame_that_was_withheld_is_said_to_be(tmp_path: Path) -> None:
    source = films.save(tmp_path / "a.mp4", films.film(COUNT))
    filling = films.anonymizer(tmp_path, films.Failing(0), on_error="fill")
    with TracksWriter(tmp_path / "t.jsonl") as tracks:
        report = filling.video(source, tmp_path / "b.mp4", on_objects=tracks.add)
    assert sum(line.withheld for line in seen(tmp_path / "t.jsonl")) == report.withheld > 0


def test_times_keep_the_microsecond(tmp_path: Path) -> None:
    with TracksWriter(tmp_path / "t.jsonl") as tracks:
        tracks.add(Covered(Path("a.mp4"), 1, Fraction(1001, 30000), 40, 30, found()))
    assert seen(tmp_path / "t.jsonl")[0].time == 0.033367
