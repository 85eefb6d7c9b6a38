"""The scores as one HTML page that needs nothing else: no script, no font, no file beside it, no network."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final

from edgeanon.evaluation import plots
from edgeanon.evaluation.masking import ENOUGH
from edgeanon.evaluation.plots import Mark, curve, shares
from edgeanon.evaluation.scores import FEW, KindScores, Scores, Share
from edgeanon.evaluation.tables import Table, missed, more, percent, robust, thresholds
from edgeanon.models import Robustness

STYLE: Final = """
:root{--pale:#f4f6f9;--warn:#a34700}@media (prefers-color-scheme:dark){:root{--pale:#1b2129;--warn:#f0a15c}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:2.5rem 1.5rem 4rem;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,sans-serif}
h1{font-size:1.7rem;margin:0 0 .3rem}h2{font-size:1.35rem;margin:3.2rem 0 .6rem;border-top:1px solid var(--line);
padding-top:1.4rem}h3{font-size:1rem;margin:1.6rem 0 .5rem}
p{max-width:52rem;margin:.4rem 0}.soft,.remark{color:var(--soft);font-size:.9rem}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:1rem;margin:1.2rem 0}
.figures div{background:var(--pale);border-radius:.6rem;padding:.9rem 1.1rem}
.figures b{display:block;font-size:1.7rem;line-height:1.2;font-variant-numeric:tabular-nums}
.figures span{color:var(--soft);font-size:.88rem}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(30rem,100%),1fr));gap:1.5rem 2rem}
figure{margin:0;max-width:40rem}svg{width:100%;height:auto;display:block}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{padding:.3rem 1.1rem .3rem 0;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th{font-weight:600;color:var(--soft)}th:first-child,td:first-child{text-align:left}td.warn{color:var(--warn)}
.pictures{display:flex;flex-wrap:wrap;gap:.8rem}.pictures img{height:9rem;border-radius:.4rem}
code{font-size:.85rem;overflow-wrap:anywhere}
"""


def page(scores: Scores, pictures: Mapping[str, Sequence[bytes]] | None = None) -> str:
    """The page.

    Args:
        scores: what was measured.
        pictures: masked pictures around missed objects, JPEG each, by kind; none by default, and then the page shows
            nobody.
    """
    parts = [*_head(scores)]
    for kind, one in scores.kinds.items():
        parts += _kind(kind, one)
        if kind in scores.robustness:
            parts += _robustness(kind, scores.robustness[kind])
        parts += _pictures(kind, (pictures or {}).get(kind, ()))
    parts += ["<h2>Masks and detection in figures</h2>", _table(more(scores))]
    if scores.calibration:
        parts += ["<h2>Thresholds</h2>", _table(thresholds(scores.calibration))]
    parts += _measured_on(scores)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        'img-src data:">'
        f"<title>edgeanon evaluation, {scores.day}</title><style>{plots.STYLE}{STYLE}</style></head><body>"
        + "".join(parts)
        + "</body></html>\n"
    )


def _head(scores: Scores) -> Iterator[str]:
    models = " and ".join(f"{model.name} ({model.precision})" for model in scores.models)
    plural = "s" * (scores.labels.pictures != 1)
    yield "<h1>What is found, and what stays visible</h1>"
    yield (
        f'<p class="soft">{scores.labels.pictures:,} labelled picture{plural}, measured on {scores.day} with edgeanon '
        f"{escape(scores.edgeanon)}: {escape(models)}, profile {escape(scores.profile)}, on {escape(scores.device)}."
        "</p>"
    )
    yield (
        "<p>Detection is never complete. These are the shares for these pictures, with 95 % intervals that take every "
        "object as independent of the others; for other cameras, places and seasons, measure again.</p>"
    )


def _kind(kind: str, scores: KindScores) -> Iterator[str]:
    recall, covered = scores.all.recall, scores.covered.at_least[f"{ENOUGH:g}"]
    yield f"<h2>{kind.capitalize()}s</h2>"
    cards = [
        (percent(Share.of(recall.total - recall.hits, recall.total)), f"missed, of {recall.total:,} labelled"),
        (
            percent(Share.of(covered.total - covered.hits, covered.total)),
            f"left showing: less than {ENOUGH:g} of the box is masked",
        ),
        (
            "undefined" if scores.all.false_per_picture.rate is None else f"{scores.all.false_per_picture.rate:.2f}",
            "detections a picture that match no label",
        ),
        ("undefined" if scores.all.ap50 is None else f"{scores.all.ap50:.3f}", "AP50"),
    ]
    told = "".join(f"<div><b>{big}</b><span>{small}</span></div>" for big, small in cards)
    yield f'<div class="figures">{told}</div>'
    yield '<div class="plots">'
    by_size = [_mark(name, one.recall) for name, one in scores.by_size.items()]
    yield _figure("Found, by height of the object", shares([_mark("all", recall), *by_size], what="found"))
    hidden = [_mark(name, one) for name, one in scores.covered.by_size.items()]
    yield _figure(
        f"Masked to {ENOUGH:g} of the box, by height", shares([_mark("all", covered), *hidden], what="masked")
    )
    parts = [
        _mark("whole box" if part == "1" else f"at least {part} of the box", one)
        for part, one in scores.covered.at_least.items()
    ]
    yield _figure("How much of the box is masked", shares(parts, what="objects"))
    if scores.by_source:
        sources = [_mark(name, one.recall) for name, one in scores.by_source.items()]
        yield _figure("Found, by source", shares(sources, what="found", reference=recall.share))
    if scores.curve:
        points = [(point.recall, point.precision, point.threshold) for point in scores.curve]
        at = (recall.share or 0.0, scores.all.precision.share or 0.0, scores.threshold)
        yield _figure("Precision and recall over the threshold", curve(points, at, "recall", "precision"))
    yield "</div>"
    yield _table(missed(kind, scores))


def _robustness(kind: str, card: Robustness) -> Iterator[str]:
    few = " (few)" if card.objects < FEW else ""
    told = f"Found, of the same {card.objects:,} {kind}s in {card.pictures:,} pictures{few}"
    yield f'<div class="plots">{_figure(told, plots.robust(card))}<div>{_table(robust(kind, card))}</div></div>'


def _pictures(kind: str, pictures: Sequence[bytes]) -> Iterator[str]:
    if not pictures:
        return
    yield (
        f'<h3>Missed {kind}s</h3><p class="remark">Every detection and every label is masked here. Who is neither '
        "found nor labelled still shows: this page holds personal data.</p>"
    )
    images = (f'<img alt="masked" src="data:image/jpeg;base64,{b64encode(one).decode()}">' for one in pictures)
    yield f'<div class="pictures">{"".join(images)}</div>'


def _measured_on(scores: Scores) -> Iterator[str]:
    yield "<h2>Measured on</h2>"
    yield f"<p>Pictures and labels: <code>{scores.labels.sha256}</code></p>"
    for model in scores.models:
        yield f"<p>{escape(model.name)} {escape(model.version)}: <code>{model.sha256}</code></p>"
    yield f"<p>OpenVINO {escape(scores.openvino)}. Curves and AP begin at a score of {scores.least:g}.</p>"
    for note in scores.labels.notes:
        yield f'<p class="remark">Labels: {escape(note)}.</p>'


def _mark(name: str, share: Share) -> Mark:
    few = " (few)" if share.total > 0 and share.few else ""
    return Mark(name, share.share, share.low, share.high, f"{share.hits:,} of {share.total:,}{few}", bool(few))


def _figure(caption: str, plot: str) -> str:
    return f"<figure><h3>{escape(caption)}</h3>{plot}</figure>"


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td{_warned(cell)}>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    return (
        f'<h3>{escape(table.title)}</h3><div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>'
        f'</table></div><p class="remark">{escape(table.remark)}</p>'
    )


def _warned(cell: str) -> str:
    return ' class="warn"' if cell.startswith(("too few", "undefined", "not reached")) else ""
