from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

from edgeanon.errors import ConfigError, MediaError
from edgeanon.video import VideoReader
from tests import media

TURNS = [(angle, mirrored, flipped) for angle in (0, 90, 180, -90) for mirrored, flipped in ((0, 0), (1, 0), (0, 1))]


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return media.make(tmp_path_factory.mktemp("video") / "walk.mp4", others=media.sound())


def test_a_video_says_what_it_is(walk: Path) -> None:
    with VideoReader(walk) as video:
        assert (video.width, video.height) == (96, 64)
        assert video.frame_rate == 25
        assert video.frame_count == 12
        assert video.duration == Fraction(12, 25)
        assert video.codec == "h264"
        assert video.has_audio
        assert video.dropped == ("audio (aac)",)
        assert video.grid == (2, 2)
        assert "walk.mp4" in repr(video)


def test_frames_are_upright_pictures_with_exact_times(walk: Path) -> None:
    with VideoReader(walk) as video:
        frames = list(video)
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.time for frame in frames] == [Fraction(index, 25) for index in range(12)]
    assert all(frame.pixels.shape == (64, 96, 3) and frame.pixels.dtype == np.uint8 for frame in frames)
    corner = frames[0].pixels[:12, :20].mean()
    assert corner > 220


@pytest.mark.parametrize(("angle", "mirrored", "flipped"), TURNS)
def test_pictures_come_upright_however_they_are_stored(tmp_path: Path, angle: int, mirrored: int, flipped: int) -> None:
    def prepare(stream: Any) -> None:
        stream.set_display_rotation(angle, bool(mirrored), bool(flipped))

    path = media.make(tmp_path / "turned.mp4", frames=1, prepare=prepare)
    # The bright corner of the stored picture, moved as PyAV's documentation says: counter-clockwise, then mirrored.
    corner = np.zeros((64, 96), bool)
    corner[:16, :24] = True
    turned = np.rot90(corner, angle // 90)
    turned = turned[:, ::-1] if mirrored else turned
    turned = turned[::-1] if flipped else turned
    with VideoReader(path) as video:
        (frame,) = video
        assert (video.width, video.height) == (turned.shape[1], turned.shape[0])
    bright = frame.pixels.min(axis=2) > 215
    assert (bright & turned).sum() > 0.9 * turned.sum()
    assert (bright & ~turned).sum() < 0.1 * turned.sum()


def test_every_other_stream_is_named_and_none_is_taken_for_the_video(tmp_path: Path) -> None:
    def others(container: Any) -> list[Any]:
        cover = container.add_stream("png")
        cover.width, cover.height, cover.pix_fmt = 300, 200, "rgb24"
        cover.disposition = Disposition.attached_pic
        data = container.add_data_stream("bin_data")
        text = container.add_mux_stream("mov_text")
        packets = list(cover.encode(av.VideoFrame(300, 200, "rgb24")))
        for stream in (data, text):
            packet: Any = av.Packet(b"\x00\x02hi")
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, 0, 0, Fraction(1, 1000)
            packet.duration = 100
            packets.append(packet)
        container.set_chapters(
            [{"id": 1, "start": 0, "end": 100, "time_base": Fraction(1, 1000), "metadata": {"title": "home"}}]
        )
        return packets + media.sound()(container)

    path = media.make(tmp_path / "full.mp4", others=others)
    with VideoReader(path) as video:
        assert (video.width, video.height) == (96, 64)
        said = set(video.dropped)
        assert {"cover picture", "audio (aac)", "subtitles (mov_text)", "chapters"} <= said
        assert any(one.startswith("data") for one in said)
        assert sum(1 for _ in video) == 12


def test_of_two_videos_the_default_one_is_taken(tmp_path: Path) -> None:
    def others(container: Any) -> list[Any]:
        container.streams.video[0].disposition = Disposition(0)
        second = container.add_stream("mjpeg", rate=25)
        second.width, second.height, second.pix_fmt = 32, 48, "yuvj420p"
        second.codec_context.time_base = Fraction(1, 12800)
        second.disposition = Disposition.default
        packets = []
        for index in range(12):
            frame = media.drawn(index, 32, 48, "yuvj420p")
            frame.pts, frame.time_base = index * 512, Fraction(1, 12800)
            packets += second.encode(frame)
        return packets

    path = media.make(tmp_path / "two.mkv", others=others)
    with VideoReader(path) as video:
        assert (video.width, video.height) == (32, 48)
        assert video.dropped == ("second video (h264)",)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.ffconcat", "ffconcat version 1.0\nfile walk.mp4\n"),
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nwalk.ts\n#EXT-X-ENDLIST\n"),
        ("list.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"),
    ],
)
def test_a_file_never_opens_another(tmp_path: Path, name: str, text: str) -> None:
    media.make(tmp_path / "walk.mp4")
    media.make(tmp_path / "walk.ts")
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(MediaError, match="cannot be opened as a video"):
        VideoReader(path)
    # The lists are what stops it, and not the file: without them FFmpeg opens the other one.
    if not name.endswith("sdp"):
        options = {"allowed_extensions": "ALL"} if name.endswith("m3u8") else {"safe": "0"}
        with av.open(str(path), container_options=options) as opened:
            assert opened.streams.video


@pytest.mark.parametrize(
    "name", ["http:walk.mp4", "concat:walk.mp4", "a%03d.mp4", "file:walk.mp4", "tracks, 1 [x].mp4"]
)
def test_a_name_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    media.make(tmp_path / "plain.mp4", frames=2).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    with VideoReader(name) as video:
        assert sum(1 for _ in video) == 2


@pytest.mark.parametrize("scheme", ["http", "rtmp", "tcp"])
def test_no_message_holds_credentials(scheme: str) -> None:
    address = f"{scheme}://somebody:secret@127.0.0.1:9/password=secret/live.mp4?token=hidden"
    with pytest.raises(MediaError) as caught:
        VideoReader(address)
    error: BaseException | None = caught.value
    assert f"{scheme}://127.0.0.1:9 " in str(error)
    assert error is not None
    assert error.__cause__ is None
    assert error.__context__ is None
    for word in ("secret", "somebody", "hidden"):
        assert word not in str(error)


@pytest.mark.parametrize(
    "slip", [" rtsp://somebody:secret@host/", "rtsp:/somebody:secret@host", Path("rtsp://somebody:secret@host")]
)
def test_an_address_with_a_slip_is_not_repeated(slip: str | Path) -> None:
    with pytest.raises(ConfigError, match="looks like an address") as caught:
        VideoReader(slip)
    assert "secret" not in str(caught.value)


def test_an_address_must_be_of_a_known_kind() -> None:
    with pytest.raises(ConfigError, match="gopher"):
        VideoReader("gopher://camera/1")
    with pytest.raises(ConfigError, match="host and port"):
        VideoReader("rtsp://camera:many/1")
    with pytest.raises(ConfigError, match="int"):
        VideoReader(0)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="on_error"):
        VideoReader("a.mp4", on_error="skip")  # type: ignore[arg-type]


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no video at all\n" * 50)
    (tmp_path / "noise.mkv").write_bytes(np.random.default_rng(0).bytes(5000))
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        for packet in media.sound()(container):
            container.mux_one(packet)
    facts = {
        "missing.mp4": "does not exist",
        "empty.mp4": "is empty",
        "text.mp4": "cannot be opened",
        "noise.mkv": "cannot be opened",
        "sound.mp4": "holds no video",
        ".": "is a folder",
        "a\0b.mp4": "cannot be opened",
        "/dev/null": "no regular file",
    }
    for name, fact in facts.items():
        with pytest.raises(MediaError, match=fact):
            VideoReader(str(tmp_path / name))


@pytest.mark.parametrize("on_error", ["fail", "fill"])
@pytest.mark.parametrize("name", ["none.mkv", "none.mp4", "none.avi"])
def test_a_video_without_frames_is_refused(tmp_path: Path, name: str, on_error: Any) -> None:
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuvj420p"
        for packet in media.sound("pcm_s16le" if name.endswith("avi") else "aac")(container):
            container.mux_one(packet)
    with pytest.raises(MediaError, match=r"no frames|no video"):
        VideoReader(path, on_error=on_error)


def test_a_video_is_gone_through_once(walk: Path) -> None:
    with VideoReader(walk) as video:
        assert len(list(video)) == 12
        with pytest.raises(ConfigError, match="already"):
            video.pictures()
    with pytest.raises(ConfigError, match="closed"):
        video.pictures()


def test_a_consumer_may_stop_at_any_time(walk: Path) -> None:
    for taken in (0, 1, 5):
        video = VideoReader(walk)
        pictures = video.pictures()
        held = [next(pictures) for _ in range(taken)]
        video.close()
        video.close()
        assert list(pictures) == []
        for picture in held:  # what is held stays
            assert picture.bgr().shape == (64, 96, 3)


def test_ten_bits_stay_in_the_picture(tmp_path: Path) -> None:
    path = media.make(tmp_path / "deep.mkv", "hevc", pixel_format="yuv420p10le", frames=3)
    with VideoReader(path) as video:
        pictures = list(video.pictures())
    for picture, frame in zip(pictures, media.decoded(path), strict=True):
        handed = picture.untouched()
        assert handed.format.name == "yuv420p10le"
        for mine, theirs in zip(media.planes(handed), media.planes(frame), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_a_transport_stream_that_begins_in_the_middle(tmp_path: Path) -> None:
    path = media.make(tmp_path / "whole.ts", frames=24, options={"bf": "0"})
    with av.open(str(path)) as container:
        offsets = [packet.pos for packet in container.demux(video=0) if packet.size]
    cut = tmp_path / "late.ts"
    data = path.read_bytes()
    # The tables at the front stay, the first four frames go.
    first = offsets[0] or 0
    cut.write_bytes(data[:first] + data[offsets[4] or 0 :])
    with VideoReader(cut) as video:
        assert sum(1 for _ in video) == 14  # from the second key frame on
        assert "6 frames at the start" in video.notes[0]
