"""A video frame by frame in a loop of one's own, in which nothing shows that the detector missed for a moment."""

from pathlib import Path

from edgeanon import Anonymizer, VideoReader, VideoWriter

clip = Path(__file__).parent / "demo" / "street.mp4"

with VideoReader(clip) as video, VideoWriter("clip-anon.mp4", like=video, overwrite=True) as out:
    for frame in Anonymizer(profile="fast").stream(video, look_ahead=1.0):  # frames are masked, and come a second late
        out.write(frame)
        if frame.index % 50 == 0:
            print(f"frame {frame.index} at {float(frame.time):.2f} s")
