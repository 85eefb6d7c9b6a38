"""Videos, read and written. PyAV is imported here alone."""

from edgeanon.video.encoders import ENCODERS, SUFFIXES
from edgeanon.video.picture import Picture
from edgeanon.video.reader import VideoReader
from edgeanon.video.recognising import is_video, output_name
from edgeanon.video.writer import VideoWriter

__all__ = ["CODECS", "SUFFIXES", "Picture", "VideoReader", "VideoWriter", "is_video", "output_name"]

CODECS = tuple(ENCODERS)
"""Names of the codecs that can be written, "auto" aside."""
