"""Sound that is kept as it is."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

from edgeanon.errors import ConfigError, MediaError
from edgeanon.video.foreign import translated
from edgeanon.video.sources import Source

_TAGGED = frozenset({"vorbis", "speex"})
"""Codecs whose headers hold title, artist and comments, which a copy bit for bit would bring along."""


class AudioCopy:
    """Copies the sound of a source into a container, packet by packet, without decoding it.

    Args:
        source: a file; it is opened once more.
        output: where to; its header is not written yet.
        suffix: of the target, for messages.
        shift: seconds by which all times are moved; what would begin before 0 then is left out.

    Raises:
        ConfigError: the container takes no such sound, or its headers hold tags.
        MediaError: the source cannot be opened.
    """

    def __init__(self, source: Source, output: OutputContainer, suffix: str, shift: Fraction) -> None:
        self._source = source
        self._output = output
        self._shift = shift
        self._container: InputContainer | None = source.open()
        try:
            self._targets = {
                stream.index: self._stream_like(stream, suffix) for stream in self._container.streams.audio
            }
        except BaseException:
            self.close()
            raise
        self._packets = self._read(self._container)
        self._next: av.Packet[Any] | None = None

    def copy_until(self, time: Fraction | None) -> None:
        """Copy what is due up to a time, in seconds of the source's own clock; all of it for None.

        Raises:
            MediaError: the source is damaged there, or the target cannot be written.
        """
        while True:
            packet = self._next or next(self._packets, None)
            if packet is None:
                return
            self._next = packet
            stamp = packet.dts if packet.dts is not None else packet.pts
            if time is not None and stamp is not None and stamp * packet.time_base > time:
                return
            self._next = None
            self._copy(packet)

    def close(self) -> None:
        """Let go of the source."""
        container, self._container = self._container, None
        if container is not None:
            container.close()

    def _stream_like(self, stream: AudioStream, suffix: str) -> AudioStream:
        codec = stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"
        if codec in _TAGGED:
            raise ConfigError(f'{codec} sound holds title and comments in its headers: pass audio="drop"')
        try:
            return self._output.add_stream_from_template(stream)
        except ValueError as error:
            raise ConfigError(
                f'{suffix} takes no {codec} sound: write another container (.mkv takes most), or pass audio="drop"'
            ) from error

    def _read(self, container: InputContainer) -> "Iterator[av.Packet[Any]]":
        with translated(self._source.name, "has sound that cannot be read to its end", 'pass audio="drop"'):
            for packet in container.demux(audio=tuple(range(len(container.streams.audio)))):
                if packet.is_corrupt:
                    raise MediaError(f'{self._source.name} has damaged sound: copy or repair it, or pass audio="drop"')
                if packet.size:
                    yield packet

    def _copy(self, packet: "av.Packet[Any]") -> None:
        copy: av.Packet[Any] = av.Packet(bytes(packet))
        shift = round(self._shift / packet.time_base)
        if shift and min(packet.dts or 0, packet.pts or 0) + shift < 0:
            return
        copy.time_base = packet.time_base
        copy.pts = None if packet.pts is None else packet.pts + shift
        copy.dts = None if packet.dts is None else packet.dts + shift
        copy.duration = packet.duration
        copy.is_keyframe = packet.is_keyframe
        # How many samples of a packet are not to be heard, the only side data that belong to the sound.
        if packet.has_sidedata("skip_samples"):
            copy.set_sidedata(packet.get_sidedata("skip_samples"))
        copy.stream = self._targets[packet.stream_index]
        self._output.mux_one(copy)
