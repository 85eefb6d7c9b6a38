"""Learning curves as one drawing: `python -m calibration.training.curve RUN/*.jsonl --out curve.svg`."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

WIDTH, HEIGHT, MARGIN = 640, 360, 48
COLOURS = ("#1b6ca8", "#c8553d", "#3a7d44", "#8e5572", "#b58900", "#586f7c", "#6a4c93")
SHOWN = "average_precision"
FONT = 'font-family="sans-serif" font-size="11"'


def drawing(curves: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """An SVG of average precision over scenes learned from; stages that follow one another share no axis."""
    most = max((point["scenes"] for points in curves.values() for point in points), default=1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for tenth in range(0, 11, 2):
        y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * tenth / 10
        parts.append(f'<line x1="{MARGIN}" x2="{WIDTH - 8}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{MARGIN - 6}" y="{y + 4:.1f}" text-anchor="end">{tenth / 10:.1f}</text>')
    axis = f"scenes learned from in this stage (0 to {most:,.0f}); average precision on scenes held out"
    parts.append(f'<text x="{MARGIN}" y="{HEIGHT - MARGIN + 28}">{axis}</text>')
    for number, (name, points) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        line = " ".join(
            f"{MARGIN + (WIDTH - MARGIN - 8) * point['scenes'] / most:.1f},"
            f"{HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * point[SHOWN]:.1f}"
            for point in points
        )
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{MARGIN + 8}" y="{16 + 14 * number}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    """Draw the curves of some runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("curves", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    curves = {path.stem: [json.loads(line) for line in path.read_text().splitlines()] for path in options.curves}
    options.out.write_text(drawing(curves), encoding="utf-8")


if __name__ == "__main__":
    main()
