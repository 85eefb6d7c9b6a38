"""What a folder run remembers, so that it can go on; and that nothing strange passes for its work."""

import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgeanon.errors import MediaError
from edgeanon.pipeline.journal import NAME, Journal

Change = Callable[[Path, Path], object]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "Jane Doe.png"
    path.write_bytes(b"a picture")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture
def target(folder: Path) -> Path:
    path = folder / "Jane Doe.png"
    path.write_bytes(b"masked")
    return path


def broken_off(folder: Path, source: Path, target: Path) -> Path:
    """The journal of a run that did one file, began another, failed with a third, and was broken off."""
    journal = Journal(folder, "settings", resume=False)
    for name in (source.name, "begun.png", "failed.png"):
        journal.begin(name)
    journal.done(source.name, source.stat(), target)
    journal.failed("failed.png")
    journal.close(finished=False)
    return folder / NAME


@contextmanager
def again(folder: Path) -> Iterator[Journal]:
    """The journal as a run has it that goes on."""
    journal = Journal(folder, "settings", resume=True)
    try:
        yield journal
    finally:
        journal.close(finished=False)


def test_a_journal_is_private_whatever_the_mask_of_the_user(folder: Path, source: Path, target: Path) -> None:
    before = os.umask(0)
    try:
        path = broken_off(folder, source, target)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_journal_holds_no_name(folder: Path, source: Path, target: Path) -> None:
    text = broken_off(folder, source, target).read_text()
    for word in ("Jane", "Doe", "png", "begun.", "failed.", str(folder)):
        assert word not in text


def test_the_same_names_look_otherwise_in_every_journal(tmp_path: Path) -> None:
    """The key is random: nobody can try names against a table made beforehand."""
    lines = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        journal = Journal(tmp_path / name, "settings", resume=False)
        journal.begin("Jane Doe.png")
        journal.close(finished=False)
        lines.append((tmp_path / name / NAME).read_text().splitlines()[1])
    assert lines[0] != lines[1]


def test_what_was_done_begun_and_failed_is_known_again(folder: Path, source: Path, target: Path) -> None:
    broken_off(folder, source, target)
    with again(folder) as journal:
        assert journal.resumes
        assert journal.is_done(source.name, source.stat(), target)
        assert journal.was_begun("begun.png")
        assert not journal.was_begun("failed.png")
        assert not journal.was_begun("other.png")
        assert not journal.is_done("other.png", source.stat(), target)


@pytest.mark.parametrize(
    "change",
    [
        lambda source, _: source.write_bytes(b"a longer picture"),
        lambda source, _: os.utime(source, ns=(0, source.stat().st_mtime_ns + 1)),
        shutil.copy,
        shutil.copy2,
        lambda _, target: os.utime(target, ns=(0, target.stat().st_mtime_ns + 1)),
        lambda _, target: target.unlink(),
        lambda source, target: (target.unlink(), target.symlink_to(source)),
        lambda _, target: (target.rename(target.with_name("moved")), target.symlink_to(target.with_name("moved"))),
        lambda _, target: (target.unlink(), target.mkdir()),
    ],
    ids=[
        "source grew",
        "source touched",
        "unmasked copy",
        "unmasked copy with its times",
        "target touched",
        "target gone",
        "link to the source",
        "link to what was made",
        "a folder",
    ],
)
def test_nothing_counts_as_done_after_either_file_has_changed(
    folder: Path, source: Path, target: Path, change: Change
) -> None:
    broken_off(folder, source, target)
    change(source, target)
    with again(folder) as journal:
        assert not journal.is_done(source.name, source.stat(), target)


def test_a_target_that_is_taken_away_at_once_is_not_done(folder: Path, source: Path, target: Path) -> None:
    journal = Journal(folder, "settings", resume=False)
    journal.begin(source.name)
    target.unlink()
    journal.done(source.name, source.stat(), target)
    journal.close(finished=False)
    target.write_bytes(b"masked")
    with again(folder) as journal:
        assert not journal.is_done(source.name, source.stat(), target)


def test_a_half_written_last_line_costs_that_line_alone(folder: Path, source: Path, target: Path) -> None:
    path = broken_off(folder, source, target)
    whole = path.read_bytes()
    header = len(whole.splitlines(keepends=True)[0])
    done = whole.rindex(b"\n", 0, whole.index(b"failed"))  # the line before says that the first file is done
    for length in range(header, len(whole)):
        path.write_bytes(whole[:length])
        with again(folder) as journal:
            assert journal.is_done(source.name, source.stat(), target) == (length >= done)
            journal.begin("next.png")
        with again(folder) as journal:
            assert journal.was_begun("next.png")


@pytest.mark.parametrize("rest", [b"\0\0\0", b"[]\n", b"7\n", b'{"begun": 7}\n', b'{"later": "x"}\n', b"\n\n"])
def test_lines_without_meaning_are_passed_over(folder: Path, source: Path, target: Path, rest: bytes) -> None:
    path = broken_off(folder, source, target)
    path.write_bytes(path.read_bytes() + rest)
    with again(folder) as journal:
        assert journal.is_done(source.name, source.stat(), target)


@pytest.mark.parametrize(
    "first", ["", "junk", "[]", "{}", '{"key": "zz", "settings": "settings"}', '{"key": "00"}', '{"key": 7}']
)
def test_a_journal_without_its_first_line_is_refused(folder: Path, first: str) -> None:
    (folder / NAME).write_text(first + "\n")
    with pytest.raises(MediaError, match="cannot be read"), again(folder):
        pass


def test_a_journal_that_is_a_link_is_refused(tmp_path: Path, folder: Path, source: Path, target: Path) -> None:
    journal = broken_off(folder, source, target)
    elsewhere = journal.rename(tmp_path / "elsewhere")
    before = elsewhere.read_bytes()
    journal.symlink_to(elsewhere)
    with pytest.raises(MediaError), again(folder):
        pass
    with pytest.raises(MediaError):
        Journal(folder, "settings", resume=False)
    journal.unlink()
    journal.symlink_to(tmp_path / "nowhere")
    with pytest.raises(MediaError), again(folder):
        pass
    assert elsewhere.read_bytes() == before
    assert not (tmp_path / "nowhere").exists()


def test_starting_anew_replaces_a_link_and_not_what_it_leads_to(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (folder / NAME).symlink_to(tmp_path / "mine.txt")
    Journal(folder, "settings", resume=False, anew=True).close(finished=False)
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert not (folder / NAME).is_symlink()


def test_a_run_that_was_broken_off_is_resumed_with_the_same_settings_or_not_at_all(
    folder: Path, source: Path, target: Path
) -> None:
    before = broken_off(folder, source, target).read_bytes()
    with pytest.raises(MediaError, match="resume"):
        Journal(folder, "settings", resume=False)
    with pytest.raises(MediaError, match="another source, or with other settings"):
        Journal(folder, "others", resume=True)
    assert (folder / NAME).read_bytes() == before


def test_starting_anew_forgets_what_was_done(folder: Path, source: Path, target: Path) -> None:
    broken_off(folder, source, target)
    journal = Journal(folder, "others", resume=False, anew=True)
    assert not journal.resumes
    assert not journal.is_done(source.name, source.stat(), target)
    assert not journal.was_begun("begun.png")
    journal.close(finished=False)


def test_a_journal_is_gone_when_the_run_has_ended_well(folder: Path) -> None:
    journal = Journal(folder, "settings", resume=False)
    assert json.loads((folder / NAME).read_text())["settings"] == "settings"
    journal.close(finished=True)
    assert not list(folder.iterdir())


def test_a_full_disk_is_a_media_error(folder: Path) -> None:
    journal = Journal(folder, "settings", resume=False)
    journal._file.close()
    journal._file = Path("/dev/full").open("a")  # noqa: SIM115  # the journal closes it
    with pytest.raises(MediaError, match="No space left"):
        journal.begin("a.png")
    journal.close(finished=False)
