"""A copy comes out as its source went in, whole or not at all, and with nothing beside it."""

import stat
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from av.codec.context import Flags

from edgeanon.detections import Frame
from edgeanon.errors import ConfigError, MediaError
from edgeanon.video import CODECS, VideoReader, VideoWriter
from edgeanon.video.audio import AudioCopy
from edgeanon.video.encoders import choose
from edgeanon.video.layout import Layout
from tests import media

HDR = "G(8500,39850)B(6550,2300)R(35400,14600)WP(15635,16450)L(10000000,50)"
PAIRS = [
    ("mp4", "h264"),
    ("mov", "h264"),
    ("mkv", "h264"),
    ("avi", "h264"),
    ("mp4", "hevc"),
    ("mkv", "hevc"),
    ("webm", "vp9"),
    ("mp4", "vp9"),
    ("mkv", "av1"),
    ("mp4", "av1"),
    ("avi", "mjpeg"),
    ("mov", "mjpeg"),
]
# Ticks of 1/12800 s: 25 a second, 30000/1001 a second, and times that follow no rate and begin late.
PACES: dict[str, dict[str, Any]] = {
    "25": {},
    "29.97": {"time_base": Fraction(1001, 30000), "rate": Fraction(30000, 1001)},
    "variable": {
        "time_base": Fraction(1, 1000),
        "ticks": [700, 740, 773, 863, 880, 1080, 1081, 1120, 1500, 1533, 1566, 1600],
    },
}


def copy(source: Path, target: Path, **options: Any) -> tuple[str, ...]:
    with VideoReader(source) as video, VideoWriter(target, like=video, **options) as out:
        for picture in video.pictures():
            out.encode(picture.masked([[10, 10, 30, 30]], lambda _: None))
    return out.notes


def facts(path: Path) -> dict[str, Any]:
    """What must be the same, read by PyAV alone."""
    frames = media.decoded(path)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        aspect, codec = stream.sample_aspect_ratio, stream.codec_context.codec.canonical_name
        fields = stream.codec_context.field_order
    first = frames[0]
    kinds = media.riding(first)
    return {
        "codec": codec,
        "count": len(frames),
        "size": (first.width, first.height),
        "format": first.format.name,
        "matrix": kinds.get("DISPLAYMATRIX"),
        "aspect": aspect if aspect != 1 else None,
        "colours": (first.color_primaries, first.color_trc, first.colorspace, first.color_range),
        "interlaced": first.interlaced_frame,
        "fields": fields if fields > 1 else None,
        "mastering": kinds.get("MASTERING_DISPLAY_METADATA"),
        "light": kinds.get("CONTENT_LIGHT_LEVEL"),
    }


def check_same_times(one: Path, other: Path, tolerance: Fraction) -> None:
    ours, theirs = media.moments(other), media.moments(one)
    assert len(ours) == len(theirs)
    assert all(abs(a - b) <= tolerance for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize(("suffix", "codec"), PAIRS)
def test_frames_times_and_size_stay(tmp_path: Path, suffix: str, codec: str, pace: str) -> None:
    setting = dict(PACES[pace])
    if suffix == "avi":  # which counts in frames, and knows no late start
        setting["options"] = {"bf": "0"} if codec == "h264" else {}
        setting |= {"time_base": Fraction(1, 25)} if pace == "25" else {}
        if pace == "variable":
            setting["ticks"] = [tick - 700 for tick in setting["ticks"]]
    source = media.make(tmp_path / f"in.{suffix}", codec, **setting)
    target = tmp_path / f"out.{suffix}"
    notes = copy(source, target)
    if suffix == "avi":
        assert all("moved by less" in note for note in notes), notes
    else:
        assert notes == ()
    assert facts(target) == facts(source)
    if suffix == "avi":  # PyAV alone has H.264 from AVI one frame late
        with VideoReader(source) as one, VideoReader(target) as other:
            pairs = [(a.time, b.time) for a, b in zip(one.pictures(), other.pictures(), strict=True)]
        assert all(abs(a - b) <= Fraction(1, 600) for a, b in pairs)
        if pace == "variable":
            assert [time * 1000 for time, _ in pairs] == pytest.approx(setting["ticks"], abs=1.7)
    else:
        check_same_times(source, target, Fraction(0))
        assert media.decoded(target)[0].time == pytest.approx(media.decoded(source)[0].time or 0)


@pytest.mark.parametrize("flips", [(0, 0), (1, 0), (0, 1)])
@pytest.mark.parametrize("angle", [90, 180, -90])
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm", "avi"])
def test_orientation_stays(tmp_path: Path, suffix: str, angle: int, flips: tuple[int, int]) -> None:
    source = media.make(
        tmp_path / "in.mp4", frames=3, prepare=lambda stream: stream.set_display_rotation(angle, *map(bool, flips))
    )
    target = tmp_path / f"out.{suffix}"
    notes = copy(source, target)
    with VideoReader(source) as one, VideoReader(target) as other:
        assert (one.width, one.height) == (other.width, other.height)
        for before, after in zip(one, other, strict=True):
            assert np.abs(before.pixels.astype(int) - after.pixels)[:, 32:].mean() < 8
    if suffix == "avi":
        assert any("stored upright" in note for note in notes)
    else:
        assert facts(target)["matrix"] == facts(source)["matrix"]
        assert facts(target)["size"] == facts(source)["size"]


@pytest.mark.parametrize(("codec", "suffix"), [("hevc", "mp4"), ("hevc", "mkv"), ("h264", "mov"), ("av1", "mp4")])
def test_ten_bits_colours_aspect_and_hdr_stay(tmp_path: Path, codec: str, suffix: str) -> None:
    def prepare(stream: Any) -> None:
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = 9, 16, 9, 1
        context.sample_aspect_ratio = Fraction(4, 3)

    light = {
        "hevc": {"x265-params": f"{media.QUICK['hevc']['x265-params']}:master-display={HDR}:max-cll=1000,400"},
        "h264": {"x264-params": f"mastering-display={HDR}:cll=1000,400"},
        "av1": {
            "svtav1-params": "lp=1:mastering-display=G(0.17,0.797)B(0.131,0.046)R(0.708,0.292)WP(0.3127,0.329)"
            "L(1000.0,0.005):content-light=1000,400"
        },
    }[codec]
    source = media.make(
        tmp_path / f"in.{suffix}", codec, pixel_format="yuv420p10le", prepare=prepare, options=light, frames=4
    )
    before = facts(source)
    assert before["mastering"]
    assert before["light"]
    assert before["format"] == "yuv420p10le"
    assert before["aspect"] == Fraction(4, 3)
    target = tmp_path / f"out.{suffix}"
    assert copy(source, target) == ()
    assert facts(target) == before


@pytest.mark.parametrize("colours", [(1, 1, 1, 1), (6, 6, 6, 1), (5, 6, 5, 2), (9, 14, 9, 1)])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_colour_tags_stay(tmp_path: Path, suffix: str, colours: tuple[int, ...]) -> None:
    def prepare(stream: Any) -> None:
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = colours

    source = media.make(tmp_path / f"in.{suffix}", frames=3, prepare=prepare)
    copy(source, tmp_path / f"out.{suffix}")
    assert facts(source)["colours"] == colours
    assert facts(tmp_path / f"out.{suffix}") == facts(source)


@pytest.mark.parametrize("top", [True, False])
@pytest.mark.parametrize("suffix", ["mov", "mkv"])
def test_interlaced_video_stays_interlaced(tmp_path: Path, suffix: str, top: bool) -> None:
    def prepare(stream: Any) -> None:
        stream.codec_context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        stream.codec_context.field_order = 2 if top else 3

    source = media.make(
        tmp_path / f"in.{suffix}", prepare=prepare, options={"x264-params": "tff=1" if top else "bff=1"}
    )
    before = facts(source)
    assert before["interlaced"]
    copy(source, tmp_path / f"out.{suffix}")
    assert facts(tmp_path / f"out.{suffix}") == before


@pytest.mark.parametrize(
    ("codec", "size", "suffix", "expected"),
    [("vp9", (95, 63), "webm", "yuv420p"), ("mjpeg", (95, 63), "mov", "yuvj420p"), ("vp9", (95, 63), "avi", "yuv420p")],
)
def test_odd_sizes_stay(tmp_path: Path, codec: str, size: tuple[int, int], suffix: str, expected: str) -> None:
    source = media.make(tmp_path / "in.mkv", codec, size=size, frames=3)
    copy(source, tmp_path / f"out.{suffix}")
    assert facts(tmp_path / f"out.{suffix}")["size"] == size
    assert facts(tmp_path / f"out.{suffix}")["format"] == expected
    notes = copy(source, tmp_path / "full.mp4", codec="h264")
    assert facts(tmp_path / "full.mp4")["size"] == size
    assert facts(tmp_path / "full.mp4")["format"].replace("j", "") == "yuv444p"
    assert any("yuv444p" in note for note in notes)


def test_1080_stays_1080(tmp_path: Path) -> None:
    source = media.make(tmp_path / "in.mp4", size=(1920, 1080), frames=2)
    copy(source, tmp_path / "out.mp4", preset="ultrafast")
    assert facts(tmp_path / "out.mp4")["size"] == (1920, 1080)


@pytest.mark.parametrize("codec", CODECS)
def test_nothing_rides_along(tmp_path: Path, codec: str) -> None:
    source = media.captioned(tmp_path / "said.ts")
    assert media.CAPTION in source.read_bytes()
    target = tmp_path / "out.mkv"
    with VideoReader(source) as video, VideoWriter(target, like=video, codec=codec) as out:
        for picture in video.pictures():
            out.encode(picture.untouched())
    assert media.CAPTION not in target.read_bytes()
    for frame in media.decoded(target):
        riding = media.riding(frame)
        assert set(riding) <= {"SEI_UNREGISTERED"}
        for data in riding.values():  # what the encoders say of themselves
            assert data[16:20] in {b"x264", b"x265"}


def test_no_metadata_and_no_other_streams(tmp_path: Path) -> None:
    def others(container: Any) -> list[Any]:
        container.metadata.update({"title": "At home", "comment": "hidden word", "location": "+48.1+011.5/"})
        container.streams.video[0].metadata["handler_name"] = "hidden word"
        container.set_chapters(
            [{"id": 1, "start": 0, "end": 100, "time_base": Fraction(1, 1000), "metadata": {"title": "hidden word"}}]
        )
        text = container.add_mux_stream("mov_text")
        packet: Any = av.Packet(b"\x00\x0bhidden word")
        packet.stream, packet.pts, packet.dts, packet.time_base, packet.duration = text, 0, 0, Fraction(1, 1000), 100
        return [packet, *media.sound()(container)]

    source = media.make(tmp_path / "in.mp4", others=others)
    assert b"hidden word" in source.read_bytes()
    for suffix in ("mp4", "mov", "mkv", "webm", "avi"):
        target = tmp_path / f"out.{suffix}"
        copy(source, target)
        data = target.read_bytes()
        for word in (b"hidden word", b"At home", b"+48.1", b"Lavf6", b"Lavc6"):
            assert word not in data
        with av.open(str(target)) as container:
            assert [stream.type for stream in container.streams] == ["video"]
            assert not container.chapters()


@pytest.mark.parametrize(
    ("before", "after", "codec"),
    [
        ("mp4", "mp4", "aac"),
        ("mkv", "mkv", "libopus"),
        ("webm", "webm", "libopus"),
        ("avi", "mkv", "pcm_s16le"),
        ("ts", "mkv", "aac"),
    ],
)
def test_sound_is_kept_bit_for_bit_and_in_step(tmp_path: Path, before: str, after: str, codec: str) -> None:
    kind = {"webm": "vp9", "avi": "mjpeg"}.get(before, "h264")
    source = media.make(
        tmp_path / f"in.{before}",
        kind,
        frames=20,
        others=media.sound(codec, 0.8),
        **({"time_base": Fraction(1, 25)} if before == "avi" else {}),  # type: ignore[arg-type]
    )
    target = tmp_path / f"out.{after}"
    copy(source, target, audio="keep")

    def packets(path: Path) -> list[tuple[bytes, Fraction]]:
        with av.open(str(path)) as container:
            start = next(frame for frame in container.decode(video=0))
            offset = (start.pts or 0) * (start.time_base or Fraction(1))
        with av.open(str(path)) as container:
            return [
                (bytes(packet), (packet.pts or 0) * packet.time_base - offset)
                for packet in container.demux(audio=0)
                if packet.size
            ]

    ours, theirs = packets(target), packets(source)
    if before == "ts":  # where each packet has a header that is not part of the sound
        theirs = [(data[7:], time) for data, time in theirs]
    assert [data for data, _ in ours] == [data for data, _ in theirs]
    assert all(abs(a - b) <= Fraction(1, 500) for (_, a), (_, b) in zip(ours, theirs, strict=True))


def test_sound_that_does_not_fit_is_said(tmp_path: Path) -> None:
    source = media.make(tmp_path / "in.mp4", others=media.sound())
    with VideoReader(source) as video, pytest.raises(ConfigError, match=r"\.webm takes no aac sound.*\.mkv"):
        VideoWriter(tmp_path / "out.webm", like=video, audio="keep")
    with pytest.raises(ConfigError, match="like"):
        VideoWriter(tmp_path / "out.mp4", audio="keep")
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_a_loop_of_ones_own(tmp_path: Path) -> None:
    source = media.make(
        tmp_path / "in.mp4", prepare=lambda stream: stream.set_display_rotation(90), **PACES["variable"]
    )
    with VideoReader(source) as video, VideoWriter(tmp_path / "out.mp4", like=video, quality=10) as out:
        for frame in video:
            out.write(frame)
    assert facts(tmp_path / "out.mp4") == facts(source)
    check_same_times(source, tmp_path / "out.mp4", Fraction(0))
    for before, after in zip(VideoReader(source), VideoReader(tmp_path / "out.mp4"), strict=True):
        assert before.pixels.shape == after.pixels.shape == (96, 64, 3)
        assert np.abs(before.pixels.astype(int) - after.pixels).mean() < 8


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "avi"])
@pytest.mark.parametrize("size", [(96, 64), (95, 63)])
def test_a_video_out_of_nothing(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    pixels = np.empty((size[1], size[0], 3), np.uint8)
    pixels[:] = (40, 90, 200)
    with VideoWriter(tmp_path / f"new.{suffix}", frame_rate=20) as out:
        assert out.codec is None
        for index in range(6):
            out.write(Frame(pixels, index, Fraction(index, 20)))
    with VideoReader(tmp_path / f"new.{suffix}") as video:
        frames = list(video)
    assert [frame.time for frame in frames] == [Fraction(index, 20) for index in range(6)]
    assert frames[3].pixels.shape == pixels.shape
    np.testing.assert_allclose(frames[3].pixels.reshape(-1, 3).mean(axis=0), (40, 90, 200), atol=6)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("count", [1, 2])
def test_very_short_videos(tmp_path: Path, codec: str, count: int) -> None:
    source = media.make(tmp_path / "in.mkv", "mjpeg", frames=count)
    copy(source, tmp_path / "out.mp4", codec=codec)
    assert media.moments(tmp_path / "out.mp4") == [Fraction(index, 25) for index in range(count)]


def test_times_that_repeat_are_moved_and_said(tmp_path: Path) -> None:
    pixels = np.zeros((32, 32, 3), np.uint8)
    with VideoWriter(tmp_path / "new.mp4") as out:
        for index, time in enumerate([0, 1, 1, 2, 1]):
            out.write(Frame(pixels, index, Fraction(time, 10)))
    times = media.moments(tmp_path / "new.mp4")
    assert len(times) == 5
    assert all(later > earlier for earlier, later in pairwise(times))
    assert any("2 frame times" in note for note in out.notes)


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    source = media.make(tmp_path / "in.mp4")

    def broken_off(error: type[BaseException]) -> None:
        with VideoReader(source) as video, VideoWriter(tmp_path / "out.mp4", like=video) as out:
            for frame in video:
                out.write(frame)
                if frame.index == 5:
                    (part,) = tmp_path.glob(".*.part")
                    assert stat.S_IMODE(part.stat().st_mode) == 0o600
                    raise error

    for error in (RuntimeError, KeyboardInterrupt, MediaError):
        with pytest.raises(error):
            broken_off(error)
        assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]
    with VideoReader(source) as video:
        forgotten = VideoWriter(tmp_path / "out.mp4", like=video)
        del forgotten
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_targets_are_guarded(tmp_path: Path) -> None:
    source = media.make(tmp_path / "in.mp4")
    (tmp_path / "there.mp4").write_bytes(b"mine")
    with VideoReader(source) as video:
        with pytest.raises(MediaError, match="exists"):
            VideoWriter(tmp_path / "there.mp4", like=video)
        with pytest.raises(MediaError, match="source itself"):
            VideoWriter(source, like=video, overwrite=True)
        with pytest.raises(MediaError, match="no frames"), VideoWriter(tmp_path / "none.mp4", like=video):
            pass
        with pytest.raises(ConfigError, match="suffix"):
            VideoWriter(tmp_path / "out.gif", like=video)
        with pytest.raises(ConfigError, match="does not take hevc"):
            VideoWriter(tmp_path / "out.webm", like=video, codec="hevc")
        with pytest.raises(ConfigError, match="codec is"):
            VideoWriter(tmp_path / "out.mp4", like=video, codec="divx")
        with pytest.raises(ConfigError, match="quality is 52"):
            VideoWriter(tmp_path / "out.mp4", like=video, quality=52)
        with pytest.raises(ConfigError, match="preset"):
            VideoWriter(tmp_path / "out.mp4", like=video, preset="warp")
        with pytest.raises(ConfigError, match="those of like"):
            VideoWriter(tmp_path / "out.mp4", like=video, width=96, height=64)
        with pytest.raises(ConfigError, match="audio"):
            VideoWriter(tmp_path / "out.mp4", like=video, audio="loud")  # type: ignore[arg-type]
    assert (tmp_path / "there.mp4").read_bytes() == b"mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "there.mp4"]


def test_frames_of_another_form_are_refused(tmp_path: Path) -> None:
    source = media.make(tmp_path / "in.mp4")
    with VideoReader(source) as video, VideoWriter(tmp_path / "out.mp4", like=video) as out:
        picture = next(video.pictures())
        out.encode(picture.untouched())
        with pytest.raises(ConfigError, match="32x32"):
            out.write(Frame(np.zeros((32, 32, 3), np.uint8), 0, Fraction(0)))
        with pytest.raises(ConfigError, match="numpy array of uint8"):
            out.write(Frame(np.zeros((64, 96, 3), np.float32), 0, Fraction(0)))
        with pytest.raises(ConfigError, match="Picture"):
            out.encode(av.VideoFrame(32, 32))
    out.close()
    with pytest.raises(ConfigError, match="is closed"):
        out.encode(picture.untouched())
    assert facts(tmp_path / "out.mp4")["count"] == 1


def test_an_encoder_that_does_not_open(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="cannot be written"):
        VideoWriter(tmp_path / "out.mkv", codec="mjpeg", width=70000, height=16)
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    code = (
        "import resource, sys, numpy as np\n"
        "from fractions import Fraction\n"
        "from edgeanon.detections import Frame\n"
        "from edgeanon.errors import MediaError\n"
        "from edgeanon.video import VideoWriter\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000))\n"
        "noise = np.random.default_rng(0)\n"
        "try:\n"
        "    with VideoWriter(sys.argv[1], codec='mjpeg') as out:\n"
        "        for index in range(40):\n"
        "            out.write(Frame(noise.integers(0, 256, (64, 96, 3), np.uint8), index, Fraction(index, 25)))\n"
        "except MediaError as error:\n"
        "    print('refused:', error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "out.mkv")], capture_output=True, text=True, check=True, timeout=60
    )
    assert "refused:" in done.stdout
    assert "cannot be written" in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("suffix", "codec", "layout", "chosen", "said"),
    [
        (".mp4", "h264", "yuv420p", "h264", 0),
        (".webm", "h264", "yuv420p", "vp9", 1),
        (".webm", "hevc", "yuv420p10le", "av1", 1),
        (".mkv", "vp9", "yuv420p10le", "h264", 1),
        (".mp4", "mpeg4", "yuv420p", "h264", 1),
        (".avi", "hevc", "yuv420p", "h264", 1),
        (".mp4", "prores", "yuv422p10le", "h264", 1),
        (".mkv", "av1", "yuv444p", "av1", 1),
        (".mkv", "hevc", "yuv420p12le", "hevc", 0),
    ],
)
def test_what_is_chosen(suffix: str, codec: str, layout: str, chosen: str, said: int) -> None:
    wanted = Layout.of(layout)
    assert wanted is not None
    choice = choose(Path(f"out{suffix}"), "auto", codec, wanted, (96, 64))
    assert choice.encoder.codec == chosen
    assert len(choice.notes) == said
    assert choice.layout.depth == wanted.depth


@pytest.mark.slow
def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    code = (
        "import resource, sys\n"
        "from edgeanon.video import VideoReader, VideoWriter\n"
        "with VideoReader(sys.argv[1]) as video, VideoWriter(sys.argv[2], like=video, audio='keep') as out:\n"
        "    for picture in video.pictures():\n"
        "        out.encode(picture.masked([[8, 8, 40, 40]], lambda _: None))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    peaks = []
    for frames in (150, 1500):
        source = media.make(
            tmp_path / f"in{frames}.mp4", size=(320, 240), frames=frames, others=media.sound(seconds=frames / 25)
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(source), str(tmp_path / f"out{frames}.mp4")],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] * 1.1


@pytest.mark.parametrize(
    ("library", "pixel_format"),
    [
        ("png", "rgb24"),
        ("png", "rgba"),
        ("ffv1", "bgr0"),
        ("ffv1", "yuv420p"),
        ("ffv1", "yuv422p10le"),
        ("mpeg4", "yuv420p"),
    ],
)
def test_other_codecs_and_packed_pixels_become_h264(tmp_path: Path, library: str, pixel_format: str) -> None:
    source = tmp_path / ("in.mov" if library == "png" else "in.mkv")
    rows, columns = np.mgrid[:64, :96]
    pixels = np.stack([columns * 2, rows * 3, 200 - columns], axis=2).astype(np.uint8)
    with av.open(str(source), "w") as container:
        stream: Any = container.add_stream(library, rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, pixel_format
        for index in range(5):
            frame = av.VideoFrame.from_ndarray(pixels, "bgr24").reformat(format=pixel_format)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with VideoReader(source) as video:
        seen = next(iter(video)).pixels
    assert np.abs(seen.astype(int) - pixels).mean() < 4
    target = tmp_path / "out.mp4"

    def paint(image: Any) -> None:
        image[16:48, 16:48] = np.iinfo(image.dtype).max

    with VideoReader(source) as video, VideoWriter(target, like=video, quality=5) as out:
        for picture in video.pictures():
            out.encode(picture.masked([[16, 16, 48, 48]], paint))
    assert facts(target)["codec"] == "h264"
    assert facts(target)["format"] == ("yuv422p10le" if "10" in pixel_format else "yuv420p")
    assert any("written as h264" in note for note in out.notes)
    check_same_times(source, target, Fraction(0))
    with VideoReader(target) as video:
        result = next(iter(video)).pixels.astype(int)
    assert result[20:44, 20:44].min() > 245
    assert np.abs(result[:, 60:] - pixels[:, 60:]).mean() < 5


@pytest.mark.parametrize("codec", ["vorbis", "speex"])
def test_sound_whose_headers_hold_tags_is_not_copied(codec: str) -> None:
    """No encoder here makes such sound, so a stand-in says that it is."""
    stream: Any = SimpleNamespace(codec_context=SimpleNamespace(codec=SimpleNamespace(canonical_name=codec)))
    with pytest.raises(ConfigError, match="title and comments"):
        AudioCopy.__new__(AudioCopy)._stream_like(stream, ".mkv")
