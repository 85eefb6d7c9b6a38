"""Videos that are broken, or odd: loud, or filled and counted, and never a picture less."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from edgeanon.errors import MediaError
from edgeanon.video import VideoReader
from edgeanon.video.structure import has_holes, promised_size
from edgeanon.video.times import Timeline
from tests import media

# Container, codec, and whether its decoder notices noise in the middle of a packet: arithmetic codes seldom do.
KINDS = [
    ("mp4", "h264", True),
    ("mkv", "h264", True),
    ("avi", "h264", True),
    ("mp4", "hevc", False),
    ("webm", "vp9", False),
    ("mp4", "av1", True),
    ("avi", "mjpeg", True),
    ("mov", "mjpeg", True),
]
COUNT = 24


def whole(folder: Path, suffix: str, codec: str) -> Path:
    avi = {"time_base": Fraction(1, 25)} if suffix == "avi" else {}
    options = {"bf": "0"} if suffix == "avi" and codec == "h264" else {}  # or its own times would be no measure
    return media.make(folder / f"whole.{suffix}", codec, frames=COUNT, size=(192, 128), options=options, **avi)  # type: ignore[arg-type]


def check_refused_and_filled(path: Path, good: list[Fraction], *, least: int) -> None:
    with pytest.raises(MediaError, match=r"damaged|cut off|cannot be"), VideoReader(path) as video:
        list(video.pictures())
    with VideoReader(path, on_error="fill") as video:
        pictures = list(video.pictures())
        assert [picture.time for picture in pictures] == good
        assert video.filled == sum(picture.damaged for picture in pictures) >= least
        assert any("filled" in note for note in video.notes)
    for picture in pictures:
        if picture.damaged:
            assert np.unique(picture.bgr()).tolist() == [128]
            frame = picture.masked([[0, 0, 4, 4]], lambda image: image)
            assert all(plane.min() == plane.max() for plane in media.planes(frame))


@pytest.mark.parametrize("between", [0, 1, 2])
def test_avi_with_frames_that_are_shown_later_than_coded_is_whole(tmp_path: Path, between: int) -> None:
    path = tmp_path / "a.avi"
    media.make(path, "h264", frames=COUNT, time_base=Fraction(1, 25), options={"bf": str(between)})
    with VideoReader(path) as video:
        pictures = list(video.pictures())
    assert [picture.time for picture in pictures] == [Fraction(index, 25) for index in range(COUNT)]
    assert not any(picture.damaged for picture in pictures)


@pytest.mark.parametrize(("suffix", "codec", "notices"), KINDS)
def test_damage_in_the_middle(tmp_path: Path, suffix: str, codec: str, notices: bool) -> None:
    path = whole(tmp_path, suffix, codec)
    good = media.moments(path)
    position, size = media.data_packets(path)[13]
    data = bytearray(path.read_bytes())
    data[position : position + size] = bytes(size)  # what a lost sector leaves
    path.write_bytes(data)
    check_refused_and_filled(path, good, least=1)
    if notices:
        data = bytearray(whole(tmp_path, suffix, codec).read_bytes())
        position, size = max(media.data_packets(path)[11:19], key=lambda packet: packet[1])
        noise = np.random.default_rng(3).bytes(size - size // 3)
        data[position + size // 3 : position + size] = noise
        path.write_bytes(data)
        check_refused_and_filled(path, good, least=1)


def test_after_damage_nothing_is_shown_until_a_frame_stands_alone(tmp_path: Path) -> None:
    path = whole(tmp_path, "mp4", "h264")
    position, size = media.data_packets(path)[12]
    data = bytearray(path.read_bytes())
    data[position : position + size] = bytes(size)
    path.write_bytes(data)
    with VideoReader(path, on_error="fill") as video:
        damaged = [picture.damaged for picture in video.pictures()]
    first = damaged.index(True)
    assert 10 < first < 20
    assert all(damaged[first:20])  # key frames are ten apart
    assert not any(damaged[:first] + damaged[20:])


@pytest.mark.parametrize(("suffix", "codec"), [("mkv", "h264"), ("webm", "vp9"), ("avi", "mjpeg")])
def test_a_file_that_was_cut_off(tmp_path: Path, suffix: str, codec: str) -> None:
    path = whole(tmp_path, suffix, codec)
    good = media.moments(path)
    position, size = media.data_packets(path)[17]
    data = path.read_bytes()
    path.write_bytes(data[: position + size // 2])
    with pytest.raises(MediaError, match=r"cut off: .* bytes"):
        VideoReader(path)
    check_refused_and_filled(path, good, least=len(good) - 18)
    path.write_bytes(data[:-3])
    with pytest.raises(MediaError, match="cut off"):
        VideoReader(path)


def test_a_file_cut_off_whose_index_is_at_the_front(tmp_path: Path) -> None:
    path = whole(tmp_path, "mp4", "mjpeg")
    good = media.moments(path)
    import av  # noqa: PLC0415

    front = tmp_path / "front.mp4"
    with av.open(str(path)) as source, av.open(str(front), "w", container_options={"movflags": "faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    position, _ = media.data_packets(front)[15]
    front.write_bytes(front.read_bytes()[: position + 30])
    check_refused_and_filled(front, good, least=COUNT - 15)


def test_a_file_without_its_index_cannot_be_opened(tmp_path: Path) -> None:
    path = whole(tmp_path, "mp4", "h264")
    path.write_bytes(path.read_bytes()[:3000])
    for on_error in ("fail", "fill"):
        with pytest.raises(MediaError, match="cannot be opened"):
            VideoReader(path, on_error=on_error)


def test_nothing_that_can_be_decoded(tmp_path: Path) -> None:
    path = whole(tmp_path, "mov", "mjpeg")
    data = bytearray(path.read_bytes())
    for position, size in media.data_packets(path):
        data[position : position + size] = bytes(size)
    path.write_bytes(data)
    with pytest.raises(MediaError, match="damaged"):
        VideoReader(path)
    with pytest.raises(MediaError, match="none of its frames"):
        VideoReader(path, on_error="fill")


@pytest.mark.parametrize(("size", "pixel_format"), [((48, 32), "yuv420p"), ((96, 64), "yuv444p")])
def test_frames_that_change_their_form(tmp_path: Path, size: tuple[int, int], pixel_format: str) -> None:
    before, after = media.encoded("h264", 10, (96, 64)), media.encoded("h264", 6, size, pixel_format)
    path = tmp_path / "changing.h264"
    path.write_bytes(b"".join(before + after))
    with pytest.raises(MediaError, match=r"frame 10 .*it is {}x{} {}".format(*size, pixel_format)):
        list(VideoReader(path).pictures())
    with VideoReader(path, on_error="fill") as video:
        pictures = list(video.pictures())
        assert [picture.damaged for picture in pictures] == [False] * 10 + [True] * 6
        assert video.filled == 6
    assert all(picture.bgr().shape == (64, 96, 3) for picture in pictures)
    assert all(picture.untouched().format.name == "yuv420p" for picture in pictures)


def test_times_that_repeat_jump_and_go_back(tmp_path: Path) -> None:
    path = media.make(tmp_path / "times.mkv", "mjpeg", frames=12, time_base=Fraction(1, 1000))
    wanted = [0, 40, 80, 80, 60, 200, 240, 5000, 5040, 100, 140, 180]
    data = bytearray(path.read_bytes())
    for index, ((position, _), time) in enumerate(zip(media.data_packets(path), wanted, strict=True)):
        place = slice(position + 1, position + 3)  # in a block, after the number of the track: time in the cluster
        cluster = 40 * index - int.from_bytes(data[place], "big")
        data[place] = (time - cluster).to_bytes(2, "big", signed=True)
    path.write_bytes(data)
    with VideoReader(path) as video:
        times = [int(picture.time * 1000) for picture in video.pictures()]
        assert times == [0, 40, 80, 81, 82, 200, 240, 5000, 5040, 5080, 5120, 5160]
        assert video.notes == ("3 frame times repeated or went back and were moved forward",)


def test_two_recordings_one_after_the_other(tmp_path: Path) -> None:
    path = media.make(tmp_path / "one.ts", frames=12)
    path.write_bytes(path.read_bytes() * 2)
    # To the counters of a transport stream the seam is a loss.
    with VideoReader(path, on_error="fill") as video:
        times = [picture.time for picture in video.pictures()]
    assert len(times) == 24
    assert all(later > earlier for earlier, later in pairwise(times))


def test_a_timeline_keeps_what_goes_forward() -> None:
    timeline = Timeline(step=10, near=50)
    assert [timeline.place(time) for time in (5, 6, 100, 90, 95, 110, None, 3, 13)] == [
        5,
        6,
        100,
        101,
        102,
        110,
        120,
        130,
        140,
    ]
    assert timeline.moved == 3


def test_structure_is_measured_in_whole_files(tmp_path: Path) -> None:
    for suffix, name in (("mp4", "mov,mp4"), ("mkv", "matroska,webm"), ("avi", "avi")):
        path = media.make(tmp_path / f"whole.{suffix}", "mjpeg", frames=3)
        assert promised_size(path, name) == path.stat().st_size
        assert not has_holes(path, name)
    assert promised_size(tmp_path / "whole.avi", "mpegts") is None


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "codec"), [(suffix, codec) for suffix, codec, _ in KINDS])
def test_no_flipped_byte_does_worse_than_an_error(tmp_path: Path, suffix: str, codec: str) -> None:
    path = whole(tmp_path, suffix, codec)
    data = path.read_bytes()
    generator = np.random.default_rng(11)
    for _ in range(60):
        changed = bytearray(data)
        for place in generator.integers(0, len(data), 4):
            changed[place] ^= int(generator.integers(1, 256))
        path.write_bytes(changed[: int(generator.integers(200, len(data)))] if generator.random() < 0.3 else changed)
        for on_error in ("fail", "fill"):
            try:
                with VideoReader(path, on_error=on_error) as video:
                    times = [picture.time for picture in video.pictures()]
            except MediaError:
                continue
            assert times == sorted(set(times))
            assert len(times) < 20 * COUNT
