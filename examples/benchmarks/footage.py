"""Frames a second and peak memory on a 1080p video, beside deface and beside decoding and encoding alone.

Whole commands, from start to end, each in a new process; they take turns, so that all meet the same load, and medians
are compared. The clip is the demonstration clip enlarged to 1920x1080, or one that is named. "transcode" decodes the
clip and encodes it with x264 at the preset and quality that edgeanon uses: no tool that writes video can be faster.

deface is run with its defaults in an environment of its own, on whatever it finds there: with ONNX Runtime if that is
installed, and otherwise with OpenCV.

    python -m examples.benchmarks.footage --deface ENVIRONMENT/bin/python --json footage.json
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import av

from examples.benchmarks import measuring

DEMO = measuring.ROOT / "examples" / "demo" / "street.mp4"
OPTIONS = {"preset": "veryfast", "crf": "20"}


def enlarged(source: Path, target: Path, frames: int) -> None:
    """The first frames of a clip, scaled to 1920x1080."""
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        stream = writer.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "18"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        for index, frame in enumerate(reader.decode(video=0)):
            if index == frames:
                break
            scaled = frame.reformat(1920, 1080, "yuv420p")
            scaled.pts, scaled.time_base = index, Fraction(1, 25)
            writer.mux(stream.encode(scaled))
        writer.mux(stream.encode(None))


def transcode(source: Path, target: Path) -> None:
    """Decode and encode, and nothing else."""
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        frames = reader.streams.video[0]
        frames.thread_type = "AUTO"
        stream = writer.add_stream("libx264", rate=frames.average_rate, options=OPTIONS)
        stream.width, stream.height, stream.pix_fmt = frames.width, frames.height, "yuv420p"
        for frame in reader.decode(frames):
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode(None))


def frame_count(path: Path) -> int:
    with av.open(str(path)) as reader:
        return sum(1 for _ in reader.decode(video=0))


def run(command: list[str], environment: Mapping[str, str]) -> tuple[float, int]:
    """Seconds that a command takes, and the peak bytes of the largest of its processes."""
    began = perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}: run it by hand to see why")
    return perf_counter() - began, usage.ru_maxrss * 1024


def commands(clip: Path, folder: Path, deface: Path | None, profiles: list[str]) -> dict[str, list[str]]:
    """What is compared, by name."""
    own = [sys.executable, "-m", "examples.benchmarks.footage"]
    every = {"transcode": [*own, "--transcode", str(clip), str(folder / "transcode.mp4")]}
    if deface:
        every["deface"] = [
            *(str(deface.absolute()), "-m", "deface.deface", str(clip), "-o", str(folder / "deface.mp4")),
        ]
    for profile in profiles:
        command = [sys.executable, "-m", "edgeanon", "anonymize", str(clip), str(folder / f"{profile}.mp4")]
        every[f"edgeanon, {profile}"] = [*command, "--overwrite", "--profile", profile]
    return every


def main() -> None:
    if sys.argv[1:2] == ["--transcode"]:
        transcode(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    parser = measuring.parser(__doc__, data=False)
    parser.add_argument("--deface", type=Path, help="interpreter of an environment with deface")
    parser.add_argument("--clip", type=Path, help="a video in place of the demonstration clip")
    parser.add_argument("--frames", type=int, default=150, help="of the demonstration clip; default 150")
    parser.add_argument("--profiles", nargs="+", default=["balanced", "fast"])
    parser.add_argument("--rounds", type=int, default=3, help="of which the median is taken; default 3")
    options = parser.parse_args()

    with TemporaryDirectory() as name:
        folder = Path(name)
        clip = folder / "clip.mp4"
        if options.clip:
            shutil.copy(options.clip, clip)
        else:
            enlarged(DEMO, clip, options.frames)
        frames = frame_count(clip)
        environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
        every = commands(clip, folder, options.deface, options.profiles)
        seconds: dict[str, list[float]] = {tool: [] for tool in every}
        peaks: dict[str, int] = dict.fromkeys(every, 0)
        for _ in measuring.watched(range(options.rounds), "rounds"):
            for tool, command in every.items():
                took, peak = run(command, environment)
                seconds[tool].append(took)
                peaks[tool] = max(peaks[tool], peak)

    results: dict[str, dict[str, Any]] = {
        tool: {"seconds": took, "frames_a_second": frames / median(took), "peak_bytes": peaks[tool]}
        for tool, took in seconds.items()
    }
    rows = []
    for tool, figures in results.items():
        shares = [
            f"{figures['frames_a_second'] / results[base]['frames_a_second']:.2f}" if base in results else "-"
            for base in ("deface", "transcode")
        ]
        rows.append([tool, f"{figures['frames_a_second']:.1f}", *shares, f"{figures['peak_bytes'] / 2**20:.0f}"])
    heads = ["", "frames a second", "of deface's", "of the transcode's", "peak MiB"]
    measuring.show(f"{frames} frames, whole commands", heads, rows, markdown=options.markdown)
    measuring.write(options.json, {"frames": frames, "rounds": options.rounds, "tools": results})


if __name__ == "__main__":
    main()
