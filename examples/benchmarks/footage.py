"""Frames a second and peak memory on a 1080p video, beside deface and beside decoding and encoding alone.

Whole commands, from start to end, each in a new process; they take turns, so that all meet the same load, and medians
are compared. The clip is the demonstration clip enlarged to 1920x1080, or one that is named. "transcode" decodes the
clip and encodes it with x264 at the preset and quality that edgeanon uses: no tool that writes video can be faster.

Memory is that of all processes of a command together, as often as it can be looked at: deface decodes and encodes in
processes of their own. Pages that several share count in parts (PSS). Processor time is theirs as well, and hardly
depends on what else the machine is doing.

deface is run with its defaults in an environment of its own, on whatever it finds there: with ONNX Runtime if that is
installed, and otherwise with OpenCV.

    python -m examples.benchmarks.footage --deface ENVIRONMENT/bin/python --json footage.json
"""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Any, NamedTuple

import av

from examples.benchmarks import measuring

DEMO = measuring.ROOT / "examples" / "demo" / "street.mp4"
OPTIONS = {"preset": "veryfast", "crf": "20"}
PAUSE = 0.1
"""Seconds between two looks at a command's memory."""


def enlarged(source: Path, target: Path, frames: int) -> None:
    """So many frames of a clip, which begins again after its end, scaled to 1920x1080."""
    with av.open(str(target), "w") as writer:
        stream = writer.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "18"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        for index, frame in enumerate(islice(again_and_again(source), frames)):
            scaled = frame.reformat(1920, 1080, "yuv420p")
            scaled.pts, scaled.time_base = index, Fraction(1, 25)
            writer.mux(stream.encode(scaled))
        writer.mux(stream.encode(None))


def again_and_again(source: Path) -> Iterator[av.VideoFrame]:
    while True:
        with av.open(str(source)) as reader:
            yield from reader.decode(video=0)


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


class Run(NamedTuple):
    """What a command took: seconds by the clock, seconds of processors, and bytes at its peak."""

    seconds: float
    processor_seconds: float
    peak_bytes: int


def run(command: list[str], environment: Mapping[str, str]) -> Run:
    """Run a command to its end, and measure it and all its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(memory(one) for one in family(process.pid)))
        sleep(PAUSE)
    took = perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}: run it by hand to see why")
    return Run(took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak)


def family(process: int) -> list[int]:
    """A process and all its children, by Linux's own lists."""
    found = [process]
    with suppress(OSError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            for child in (thread / "children").read_text().split():
                found += family(int(child))
    return found


def memory(process: int) -> int:
    """Bytes of a process that are in memory, those that it shares in parts; 0 when it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


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
    parser.add_argument("--frames", type=int, default=400, help="of the demonstration clip, over and over; default 400")
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
        runs: dict[str, list[Run]] = {tool: [] for tool in every}
        for _ in measuring.watched(range(options.rounds), "rounds"):
            for tool, command in every.items():
                runs[tool].append(run(command, environment))

    results: dict[str, dict[str, Any]] = {
        tool: {
            "seconds": [one.seconds for one in several],
            "frames_a_second": frames / median(one.seconds for one in several),
            "processor_milliseconds_a_frame": 1000 * median(one.processor_seconds for one in several) / frames,
            "peak_bytes": max(one.peak_bytes for one in several),
        }
        for tool, several in runs.items()
    }
    rows = []
    for tool, figures in results.items():
        shares = [
            f"{figures['frames_a_second'] / results[base]['frames_a_second']:.2f}" if base in results else "-"
            for base in ("deface", "transcode")
        ]
        work = f"{figures['processor_milliseconds_a_frame']:.0f}"
        rows.append([tool, f"{figures['frames_a_second']:.1f}", *shares, work, f"{figures['peak_bytes'] / 2**20:.0f}"])
    heads = ["", "frames a second", "of deface's", "of the transcode's", "processor ms a frame", "peak MiB"]
    measuring.show(f"{frames} frames, whole commands", heads, rows, markdown=options.markdown)
    measuring.write(options.json, {"frames": frames, "rounds": options.rounds, "tools": results})


if __name__ == "__main__":
    main()
