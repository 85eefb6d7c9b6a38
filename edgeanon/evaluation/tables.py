"""Scores as tables for people: what was missed and what stays visible first, and of how many."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from edgeanon.evaluation.exposure import Tally
from edgeanon.evaluation.masking import ENOUGH
from edgeanon.evaluation.scores import FEW, LOWEST, Calibration, KindScores, Rate, Scores, Share
from edgeanon.models import Level, Robustness

UNDEFINED: Final = "undefined"
"""What stands for a share of nothing: neither none nor all of it."""

TOO_FEW: Final = "too few objects"


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the first column says what a row is about, the last may hold a remark and has no heading.

    Attributes:
        title: what it shows.
        columns: their headings.
        rows: as many cells each.
        remark: what must be known to read it.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    remark: str = ""


def tables(scores: Scores) -> Iterator[Table]:
    """All that was measured, a table a question."""
    for kind, one in scores.kinds.items():
        yield missed(kind, one)
    yield more(scores)
    if scores.calibration:
        yield thresholds(scores.calibration)
    for kind, card in scores.robustness.items():
        yield robust(kind, card)


def missed(kind: str, scores: KindScores) -> Table:
    """Who is missed, and who stays visible: all, by size, by source."""
    covered = scores.covered
    groups = [("all", scores.all.recall, covered.at_least[f"{ENOUGH:g}"])]
    groups += [(name, one.recall, covered.by_size[name]) for name, one in scores.by_size.items()]
    groups += [
        (name, one.recall, covered.by_source.get(name, Share.of(0, 0))) for name, one in scores.by_source.items()
    ]
    rows = [
        (
            name,
            f"{found.total:,}",
            with_interval(_not(found)),
            with_interval(_not(hidden)),
            TOO_FEW if 0 < found.total < FEW else "",
        )
        for name, found, hidden in groups
    ]
    pictures = scores.all.false_per_picture.pictures
    return Table(
        f"{kind.capitalize()}s: {scores.all.recall.total:,} labelled in {pictures:,} "
        f"picture{'s' * (pictures != 1)}, threshold {scores.threshold:g}",
        ("", "labelled", "missed", "left showing", ""),
        rows,
        f"Missed: no detection of its own (intersection over union 0.5). Left showing: less than {ENOUGH:g} of its box "
        f"is masked. In brackets, 95 % intervals. {TOO_FEW.capitalize()}: under {FEW}, a share says little of others.",
    )


def more(scores: Scores) -> Table:
    """What the masks cover and cost, and the figures that engineers compare, by kind."""
    kinds = list(scores.kinds.values())
    parts = kinds[0].covered.at_least
    rows = [
        (
            f"masked to {'all' if part == '1' else part} of the box",
            [percent(one.covered.at_least[part]) for one in kinds],
        )
        for part in parts
    ]
    rows += [
        ("area left showing, of all boxes", [_percent(one.covered.exposed_area) for one in kinds]),
        ("false detections a picture", [rate(one.all.false_per_picture) for one in kinds]),
        ("precision", [_number(one.all.precision.share) for one in kinds]),
        ("F1", [_number(one.all.f1) for one in kinds]),
        ("AP50", [_number(one.all.ap50) for one in kinds]),
        ("mAP50:95", [_number(one.all.map50_95) for one in kinds]),
    ]
    masked = scores.masked
    return Table(
        "Masks, and detection in figures",
        ("", *(f"{kind}s" for kind in scores.kinds)),
        [(name, *cells) for name, cells in rows],
        f"On average {_percent(masked.share)} of a picture is masked: {_percent(masked.over)} outside all labelled "
        f"boxes, margins included, and {_percent(masked.needless)} where masks of exactly the labelled boxes would not "
        "reach. False detections can be objects that nobody labelled.",
    )


def thresholds(calibration: Calibration) -> Table:
    """The thresholds for a recall that was asked for."""
    target = calibration.target_recall
    rows = []
    for kind, one in calibration.kinds.items():
        between = "none" if one.high is None else f"{_or(one.low, 'none')} to {one.high:g}"
        if not one.recall.total:
            rows.append((f"{kind}s", UNDEFINED, "", "", "no object to choose it by"))
        elif one.threshold is None:
            best = f"not reached: {LOWEST} finds {percent(one.recall)}"
            rows.append((f"{kind}s", "none", between, rate(one.false_per_picture), best))
        else:
            few = TOO_FEW if one.recall.few else ""
            rows.append((f"{kind}s", f"{one.threshold:g}", between, rate(one.false_per_picture), few))
    return Table(
        f"Thresholds that find {target:.1%} of these objects".replace(".0%", "%").replace("%", " %"),
        ("", "threshold", "95 % interval", "false a picture", ""),
        rows,
        "At the lower end of the interval, the share may be expected to hold for other objects of the same footage.",
    )


def robust(kind: str, card: Robustness) -> Table:
    """Recall under worse conditions."""
    clean = card.as_they_are
    rows = [("pictures as they are", "", _level(clean), "")]
    for name, levels in card.conditions.items():
        for place, level in enumerate(levels):
            change = f"{(level.recall - clean.recall) * 100:+.1f}"
            rows.append((name if place == 0 else "", level.setting, _level(level), change))
    return Table(
        f"{kind.capitalize()}s under worse conditions: {card.objects:,} objects in {card.pictures:,} pictures",
        ("", "setting", "found", "points"),
        rows,
        f"{TOO_FEW.capitalize()} to tell small differences." if card.objects < FEW else "",
    )


def exposed(tally_by_name: dict[str, Tally], rate_of_frames: float) -> Table:
    """How often and how long objects of a clip stay visible."""
    rows = [
        (
            name,
            f"{one.objects:,}",
            f"{one.frames:,}",
            f"{1000 * one.exposed / one.frames:.1f}" if one.frames else UNDEFINED,
            f"{one.longest} ({one.longest / rate_of_frames:.2f} s)" if one.frames else UNDEFINED,
            f"{one.touched:,}",
        )
        for name, one in tally_by_name.items()
    ]
    return Table(
        "What stays visible in the masked video",
        ("", "objects", "frames", "exposed of 1,000", "longest", "ever exposed"),
        rows,
        f"Frames are those of each object, and longest is the longest run of exposed ones. Exposed: less than "
        f"{ENOUGH:g} of a labelled box is masked, where at least half of the object shows and it is large enough to be "
        "found in principle.",
    )


def markdown(table: Table) -> str:
    """A table as Markdown, its remark below it."""
    rows = [table.columns, ["---", *["---:"] * (len(table.columns) - 1)], *table.rows]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"**{table.title}**\n\n{lines}\n\n{table.remark}\n"


def percent(share: Share) -> str:
    """A share as it stands in a table."""
    return UNDEFINED if share.share is None else _percent(share.share)


def with_interval(share: Share) -> str:
    """A share with its interval as it stands in a table; in whole percents where there are too few objects for more."""
    digits = 0 if share.few else 1
    low, high = (f"{end * 100:.{digits}f}" for end in (share.low, share.high))
    return UNDEFINED if share.share is None else f"{percent(share)} ({low}-{high})"


def rate(of: Rate) -> str:
    """A rate with its interval as it stands in a table."""
    return UNDEFINED if of.rate is None else f"{of.rate:.2f} ({of.low:.2f}-{of.high:.2f})"


def _level(level: Level) -> str:
    return f"{_percent(level.recall)} ({level.low * 100:.1f}-{level.high * 100:.1f})"


def _not(share: Share) -> Share:
    return Share.of(share.total - share.hits, share.total)


def _percent(share: float | None) -> str:
    return UNDEFINED if share is None else f"{share * 100:.1f} %"


def _number(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.3f}"


def _or(value: float | None, without: str) -> str:
    return without if value is None else f"{value:g}"
