"""Where a video comes from, and what FFmpeg may open for it.

FFmpeg opens files and sockets in C, and some formats (playlists, concatenations, SDP) make it open whatever their text
names. So each source is opened with two allow lists, of protocols and of formats. A local file gets the protocol
``file`` and container formats that hold their own data. A network protocol is allowed only where the user's own words
name its scheme, and then only what that scheme is made of.
"""

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import av
from av.container import InputContainer

from edgeanon.errors import ConfigError, MediaError
from edgeanon.video.foreign import translated

FORMATS: Final = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,mxf,nut,dv,ivf,obu,h264,hevc,m4v,mpegvideo,mjpeg"
)
"""Formats whose files hold all that is shown. Not among them: hls, dash, concat, sdp, image2 and their like."""

_STREAMED = FORMATS + ",mpjpeg"
# For each scheme: the protocols that it is made of, and the formats that come over it.
_SCHEMES: Final[dict[str, tuple[str, str]]] = {
    "rtsp": ("rtp,udp,tcp", "rtsp"),
    "rtsps": ("rtp,udp,tcp,tls", "rtsp"),
    "rtp": ("rtp,udp", "rtp"),
    "rtmp": ("rtmp,tcp", "flv,live_flv"),
    "rtmps": ("rtmps,tls,tcp", "flv,live_flv"),
    "http": ("http,tcp", _STREAMED),
    "https": ("https,tls,tcp", _STREAMED),
    "udp": ("udp", "mpegts"),
    "tcp": ("tcp", "mpegts,flv,matroska,webm,mpjpeg"),
    "srt": ("srt", "mpegts"),
}
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
# Up to the last @ are user and password; a host in brackets is an IPv6 address. Never what follows "?" or "#".
_LIKE_ADDRESS = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*:/")
_PLACE = re.compile(
    r"(?:[^/?#]*@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^/?#@:\[\]]*)(?P<port>:\d{1,5})?(?P<path>/[^?#]*)?(?=[?#]|$)"
)
_PATIENCE = 20.0  # seconds without a byte after which a network source counts as gone


@dataclass(frozen=True, slots=True)
class Source:
    """Something to read a video from.

    Attributes:
        name: for messages: a file's path, or scheme, host and port of an address, all else of which may be secret.
        path: the file; None for a network address.
    """

    name: str
    path: Path | None
    _address: str = field(repr=False)
    _protocols: str = field(repr=False)
    _formats: str = field(repr=False)

    @staticmethod
    def of(source: str | os.PathLike[str]) -> "Source":
        """What the user's words mean: an address where they begin with a scheme, a file otherwise.

        Raises:
            ConfigError: they are neither, or the scheme is not known.
            MediaError: the file is missing, empty, or no file.
        """
        if not isinstance(source, str | os.PathLike):
            raise ConfigError(f"the source is a {type(source).__name__}: pass a path, or an address such as rtsp://...")
        match = _URL.match(source) if isinstance(source, str) else None
        if match:
            return _network(str(source), match[1].lower())
        path = Path(source)
        if _LIKE_ADDRESS.match(os.fspath(source)) and not path.exists():
            raise ConfigError(
                "the source looks like an address and is none: write scheme://host:port/path, as a string"
            )
        _check_file(path)
        # With "file:" in front no name can be taken for an address.
        return Source(str(path), path, f"file:{path.absolute()}", "file", FORMATS)

    @property
    def live(self) -> bool:
        """Whether it is a network address, which may not be opened twice."""
        return self.path is None

    def open(self) -> InputContainer:
        """The opened container.

        Raises:
            MediaError: it cannot be opened, or is no video file.
        """
        options = {"protocol_whitelist": self._protocols, "format_whitelist": self._formats}
        if self._formats == "rtsp":
            options["rtsp_transport"] = "tcp"  # lost packets are damaged frames
        remedy = "check the address, and that the camera is on" if self.live else "pass a complete video file"
        with translated(self.name, "cannot be opened as a video", remedy, secret=self.live):
            return av.open(
                self._address,
                "r",
                container_options=options,
                metadata_errors="replace",
                timeout=_PATIENCE if self.live else None,
            )


def _network(address: str, scheme: str) -> Source:
    if scheme not in _SCHEMES:
        raise ConfigError(f"{scheme}:// is no address to read a video from: use one of {', '.join(sorted(_SCHEMES))}")
    protocols, formats = _SCHEMES[scheme]
    place = _PLACE.match(address, len(scheme) + len("://"))
    if place is None:
        raise ConfigError(f"the {scheme}:// address has no valid host and port: write {scheme}://host:port/")
    path = place["path"] or ""
    if scheme in {"http", "https"} and path.endswith(".m3u8"):
        formats += ",hls"
    # Cameras take passwords as user and password, as parameters, and in the path.
    name = f"{scheme}://{place['host']}{place['port'] or ''}"
    return Source(name, None, address, protocols, formats)


def _check_file(path: Path) -> None:
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise MediaError(f"{path} does not exist: check the name") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(f"{path} cannot be opened as a video ({reason}): check the name and your rights") from error
    if stat.S_ISDIR(found.st_mode):
        raise MediaError(f"{path} is a folder: name a video file")
    if not stat.S_ISREG(found.st_mode):
        raise MediaError(f"{path} is no regular file: copy the video into one")
    if not found.st_size:
        raise MediaError(f"{path} is empty: pass a complete video file")
