"""Names, addresses and metadata of what a run reads are found in no report and no log, whatever they are."""

import http.server
import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage
from PIL.PngImagePlugin import PngInfo

from edgeanon import Anonymizer
from edgeanon.audit import Ledger, Report, ReportFile, Salt
from edgeanon.errors import EdgeanonError
from tests import films, media

MARK = "JaneDoe7q"
"""Stands in everything that must not come out."""
EVIL = ("%s%n{}", '"},"x":"', "\n2026-11-25T04:36:48", "\x1b[31m", "${HOME}", "48.137154,11.576124", "<b>", "\u202e")
HOSTILE = st.one_of(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), max_size=30), st.sampled_from(EVIL)
)


class Heard(logging.Handler):
    """Everything that is logged by anybody, at any level."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter("%(pathname)s %(message)s %(args)s").format(record))


@contextmanager
def heard() -> Iterator[Heard]:
    handler, root = Heard(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield handler
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


@pytest.fixture(scope="module")
def anonymizer(tmp_path_factory: pytest.TempPathFactory) -> Anonymizer:
    return films.anonymizer(tmp_path_factory.mktemp("m"))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A function that gives an empty folder."""
    return partial(tmp_path_factory.mktemp, MARK)


def named(text: str, suffix: str) -> str:
    """A file name with the mark and as much of the text as file systems allow."""
    return f"{MARK}{text.encode()[:120].decode(errors='ignore')}{suffix}"


def check_silent(secrets: list[str], report: Report, ledger: Ledger, log: Heard) -> None:
    said = ReportFile.of(report, ledger).model_dump_json() + report.model_dump_json()
    for text in (said, "\n".join(log.lines)):
        for secret in secrets:
            assert secret not in text
            assert len(secret) < 8 or repr(secret)[1:-1] not in text


@settings(max_examples=20, deadline=None)
@given(name=HOSTILE, words=HOSTILE)
def test_names_and_metadata_of_pictures(anonymizer: Anonymizer, fresh: Any, name: str, words: str) -> None:
    folder: Path = fresh()
    (folder / "in" / MARK).mkdir(parents=True)
    info = PngInfo()
    info.add_itxt("Author", MARK + words)
    with PillowImage.new("RGB", (40, 30), (40, 40, 40)) as image:
        exif = PillowImage.Exif()
        exif[0x010E] = MARK + words
        image.save(folder / "in" / MARK / named(name, ".png"), pnginfo=info)
        image.save(folder / "in" / named(name, ".jpg"), exif=exif)
        image.save(folder / "in" / named(name, ".tif"), description=MARK + words)
    (folder / "in" / f"{MARK}-bad.jpg").write_text(MARK)
    with heard() as log:
        ledger = Ledger(Salt.kept(folder / "salt"))
        report = anonymizer.folder(folder / "in", folder / "out", on_file=ledger.add)
    assert (report.files.clean, report.files.failed, len(ledger.inputs)) == (3, 1, 3)
    check_silent([MARK, str(folder)], report, ledger, log)


@settings(max_examples=5, deadline=None)
@given(name=HOSTILE, words=HOSTILE.filter(lambda text: "\0" not in text))
def test_names_and_metadata_of_videos(anonymizer: Anonymizer, fresh: Any, name: str, words: str) -> None:
    def tagged(container: Any) -> tuple[()]:
        container.metadata.update({"title": MARK + words, "location": "+48.1371+011.5754/", "artist": MARK})
        return ()

    folder: Path = fresh()
    source = folder / named(name, ".mkv")
    shutil.move(media.make(folder / "made.mkv", frames=6, others=tagged), source)
    assert MARK.encode() in source.read_bytes()
    with heard() as log:
        ledger = Ledger(Salt.kept(folder / "salt"))
        report = anonymizer.video(source, folder / "out.mkv", on_file=ledger.add)
    assert (report.frames, len(ledger.outputs)) == (6, 1)
    assert MARK.encode() not in (folder / "out.mkv").read_bytes()
    check_silent([MARK, str(folder), "48.1371"], report, ledger, log)


class TestAddresses:
    @pytest.fixture
    def port(self, tmp_path: Path) -> Iterator[int]:
        """A server on this machine that hands out a film."""

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, format: str, *_: object) -> None:  # noqa: A002
                pass

        media.make(tmp_path / f"{MARK}.mkv", frames=6)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path))) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield server.server_address[1]
            server.shutdown()
            thread.join()

    def test_what_is_secret_in_one_that_answers(self, anonymizer: Anonymizer, tmp_path: Path, port: int) -> None:
        address = f"http://{MARK}:pass{MARK}@127.0.0.1:{port}/{MARK}.mkv?token={MARK}"
        with heard() as log:
            ledger = Ledger(Salt.kept(tmp_path / "salt"))
            report = anonymizer.video(address, tmp_path / "out.mkv", on_file=ledger.add)
        assert (report.frames, ledger.inputs_without, len(ledger.outputs)) == (6, 1, 1)
        check_silent([MARK, "127.0.0.1", f"{port}"], report, ledger, log)

    def test_what_is_secret_in_one_that_does_not(self, anonymizer: Anonymizer, tmp_path: Path) -> None:
        with heard() as log, pytest.raises(EdgeanonError) as raised:
            anonymizer.video(f"http://{MARK}:{MARK}@127.0.0.1:9/{MARK}.mkv?token={MARK}", tmp_path / "out.mkv")
        assert MARK not in "\n".join([*log.lines, str(raised.value)])
