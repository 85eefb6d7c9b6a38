"""Image files: the only room that reads or writes them. It knows nothing of detection or masks.

A picture is opened with ``open_picture``; its pages come one by one as ``Page`` (upright pixels); ``write`` encodes the
changed pages afresh, so that nothing of the source's bytes comes along: no thumbnail, no second picture, no trailing
bytes, and no metadata but what ``metadata="safe"`` names.

| format | read | written |
|---|---|---|
| JPEG | first picture of an MPO; CMYK | the source's quantisation and subsampling, else quality 95, 4:4:4 |
| PNG | 8 and 16 bit, palette, alpha, animated (8 bit) | the same; palettes become full colour |
| TIFF | 8 and 16 bit, many pages, CMYK (8 bit) | lossless Deflate, 8 and 16 bit, CMYK, up to 4 GiB |
| WebP | animated as well | lossless where the source is a lossless WebP, else quality 90 |
| AVIF | animated as well; decoded to 8 bit | quality 90, 4:4:4 |
| GIF, BMP | animated GIF | GIF is given a new palette a frame, BMP is flattened |
| HEIC | the main picture, with ``pip install "edgeanon[heif]"`` | not written |

What a target cannot hold is converted: transparency is flattened over white, 16 bit becomes 8, CMYK becomes sRGB
through its profile, and a colour profile is dropped where the format has no place for one. Many pages in a target for
one are an error. Neighbouring frames of an animation that are equal may be merged into one of the joint duration.
"""

from edgeanon.images.pages import Page
from edgeanon.images.reading import MAX_PAGES, MAX_PIXELS, Picture, is_picture, open_picture
from edgeanon.images.safe import SAFE_TAGS
from edgeanon.images.target import atomic_target
from edgeanon.images.writing import WRITABLE, output_name, write

__all__ = [
    "MAX_PAGES",
    "MAX_PIXELS",
    "SAFE_TAGS",
    "WRITABLE",
    "Page",
    "Picture",
    "atomic_target",
    "is_picture",
    "open_picture",
    "output_name",
    "write",
]
