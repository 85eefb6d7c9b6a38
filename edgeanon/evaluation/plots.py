"""The few plots of the report, as SVG that needs nothing else: a curve, and shares with their intervals.

Colours come from the page's style sheet, so that they fit a light and a dark screen; each mark tells its figures when
pointed at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from edgeanon.models import Level, Robustness

STYLE: Final = """
:root{--paper:#fff;--ink:#1c2430;--soft:#5b6675;--line:#dfe4ea;--mark:#0b6bcb}
@media (prefers-color-scheme:dark){:root{--paper:#14181e;--ink:#e8ecf1;--soft:#9aa6b4;--line:#2c343f;--mark:#62aef5}}
svg text{font:12.5px system-ui,sans-serif;fill:var(--soft)}svg .name{fill:var(--ink)}
.grid{stroke:var(--line);fill:none}.line{stroke:var(--mark);stroke-width:2.2;fill:none;stroke-linejoin:round}
.dot{fill:var(--mark);stroke:var(--paper);stroke-width:1.5}.touch{fill:transparent}
.whisker{stroke:var(--mark);stroke-width:2.2;stroke-linecap:round}.faint{opacity:.45}
.reference{stroke:var(--soft);stroke-dasharray:4 4;fill:none}
"""

_WIDTH: Final = 560
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 12, 44
_ROW, _GAP = 22, 10
_NAMES: Final = 210
_COUNTS: Final = 120


@dataclass(frozen=True, slots=True)
class Mark:
    """A share with its interval, 0..1 each; None for a share of nothing.

    Attributes:
        name: at the left.
        share: where the dot is.
        low: where its line begins; so is ``high`` where it ends.
        said: at the right, such as of how many.
        faint: whether it says little.
        begins: whether a group begins here, set apart from the one above.
    """

    name: str
    share: float | None
    low: float
    high: float
    said: str = ""
    faint: bool = False
    begins: bool = False


def curve(
    points: Sequence[tuple[float, float, float]], at: tuple[float, float, float] | None, across: str, up: str
) -> str:
    """A curve in the unit square.

    Args:
        points: ``(x, y, threshold)`` each, 0..1.
        at: the operating point, alike.
        across: what x is.
        up: what y is.
    """
    height = 380
    wide, high = _WIDTH - _LEFT - _RIGHT, height - _TOP - _BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        return round(_LEFT + x * wide, 1), round(_TOP + (1 - y) * high, 1)

    parts = []
    for step in range(6):
        share = step / 5
        x, y = place(share, share)
        parts += [
            f'<path class="grid" d="M{_LEFT} {y}H{_LEFT + wide}M{x} {_TOP}V{_TOP + high}"/>',
            f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{share:.1f}</text>',
            f'<text x="{x}" y="{_TOP + high + 18}" text-anchor="middle">{share:.1f}</text>',
        ]
    parts += [
        f'<text x="{_LEFT + wide / 2}" y="{height - 6}" text-anchor="middle">{escape(across)}</text>',
        f'<text transform="translate(14 {_TOP + high / 2}) rotate(-90)" text-anchor="middle">{escape(up)}</text>',
    ]
    if points:
        path = "L".join("{} {}".format(*place(x, y)) for x, y, _ in points)
        parts.append(f'<path class="line" d="M{path}"/>')
    for x, y, threshold in points:
        cx, cy = place(x, y)
        tip = f"<title>threshold {threshold:.3f}: {escape(across)} {x:.3f}, {escape(up)} {y:.3f}</title>"
        parts.append(f'<circle class="touch" cx="{cx}" cy="{cy}" r="6">{tip}</circle>')
    if at:
        cx, cy = place(at[0], at[1])
        parts += [
            f'<circle class="dot" cx="{cx}" cy="{cy}" r="6"/>',
            f'<text class="name" x="{cx - 12}" y="{cy + 20}" text-anchor="end">threshold {at[2]:g}</text>',
        ]
    return _svg(height, f"{up} over {across}", parts)


def shares(marks: Sequence[Mark], *, what: str, reference: float | None = None) -> str:
    """Shares with their intervals, one a row, on one axis from 0 to 100 %.

    Args:
        marks: from top to bottom.
        what: the shares are of.
        reference: a share to compare with, as a line across.
    """
    height = _TOP + sum(_ROW + _GAP * mark.begins for mark in marks) + _BOTTOM
    left, wide = _NAMES, _WIDTH - _NAMES - _COUNTS
    floor = height - _BOTTOM
    parts = []
    for step in range(5):
        x = round(left + step / 4 * wide, 1)
        parts += [
            f'<path class="grid" d="M{x} {_TOP}V{floor}"/>',
            f'<text x="{x}" y="{floor + 18}" text-anchor="middle">{step * 25} %</text>',
        ]
    parts.append(f'<text x="{left + wide / 2}" y="{height - 6}" text-anchor="middle">{escape(what)}</text>')
    if reference is not None:
        parts.append(f'<path class="reference" d="M{left + reference * wide:.1f} {_TOP}V{floor}"/>')
    y = _TOP - _ROW / 2
    for mark in marks:
        y += _ROW + _GAP * mark.begins
        parts.append(f'<text class="name" x="{left - 12}" y="{y + 4}" text-anchor="end">{escape(mark.name)}</text>')
        parts.append(f'<text x="{_WIDTH - _COUNTS + 12}" y="{y + 4}">{escape(mark.said)}</text>')
        if mark.share is None:
            parts.append(f'<text x="{left + wide / 2}" y="{y + 4}" text-anchor="middle">undefined</text>')
            continue
        low, at, high = (round(left + share * wide, 1) for share in (mark.low, mark.share, mark.high))
        tip = f"<title>{escape(mark.name)}: {mark.share:.1%} ({mark.low:.1%} to {mark.high:.1%})</title>"
        parts.append(
            f'<g class="{"mark faint" if mark.faint else "mark"}"><path class="whisker" d="M{low} {y}H{high}"/>'
            f'<circle class="dot" cx="{at}" cy="{y}" r="5"/>{tip}</g>'
        )
    return _svg(height, what, parts)


def robust(card: Robustness) -> str:
    """A card, from the mildest severity of each condition to its worst."""

    def mark(name: str, level: Level, *, begins: bool) -> Mark:
        return Mark(name, level.recall, level.low, level.high, f"{level.recall * 100:.1f} %", begins=begins)

    marks = [mark(card.as_they_are.setting, card.as_they_are, begins=False)]
    for name, levels in card.conditions.items():
        for place, level in enumerate(levels):
            marks.append(mark(level.setting if place else f"{name}, {level.setting}", level, begins=place == 0))
    return shares(marks, what="found", reference=card.as_they_are.recall)


def standalone(plot: str) -> str:
    """A plot as a file of its own, on paper of its own."""
    begin, rest = plot.split(">", 1)
    return f'{begin}><style>{STYLE}</style><rect width="100%" height="100%" fill="var(--paper)"/>{rest}\n'


def _svg(height: float, title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )
