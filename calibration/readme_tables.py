"""Writes the README's tables of INT8 and of robustness from the certificates and cards of the shipped models.

    python -m calibration.readme_tables            with --check it only says whether the README holds them as they are

Each table stands in the README between `<!-- NAME -->` and `<!-- end of NAME -->`.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from edgeanon.certificate import Certificate
from edgeanon.evaluation.intervals import wilson
from edgeanon.models import MANIFEST_NAME, ZOO, Robustness, read_manifest, released, shipped

README = Path(__file__).parent.parent / "README.md"
Row = list[str]


def certified() -> dict[str, Certificate]:
    """The certificates of the shipped models that come in INT8, by the model's name in the zoo."""
    found = {name: released(name) for name in shipped()}
    return {name: one for name, one in found.items() if one}


def recall() -> Iterator[Row]:
    """Shares found before and after quantization, by kind and height."""
    yield ["", "objects", "FP32", "INT8", "lost, gained", "drop at most", "false a picture"]
    for certificate in certified().values():
        for one in certificate.compared:
            yield [
                f"**{one.kind}s, all**",
                f"{one.objects:,}",
                _share(one.before, one.objects, one.recall_before),
                _share(one.after, one.objects, one.recall_after),
                f"{one.lost}, {one.gained}",
                f"{one.drop_bound:.4f}",
                f"{one.false_before:.2f}, {one.false_after:.2f}",
            ]
            for part in one.bins:
                few = " (too few)" if part.too_few else ""
                shares = [
                    _share(found, part.objects, wilson(found, part.objects)) for found in (part.before, part.after)
                ]
                yield [f"{one.kind}s, {part.name}", f"{part.objects:,}{few}", *shares, "", "", ""]


def speed() -> Iterator[Row]:
    """How many times as fast INT8 is, and how small."""
    yield ["model", "input", "of BF16's speed", "of FP32's speed", "size in FP16", "size in INT8"]
    for certificate in certified().values():
        sizes = [f"{count / 1e6:.1f} MB" for count in (certificate.bytes_before, certificate.bytes_after)]
        for view in dict.fromkeys(one.view for one in certificate.speeds):
            gains = {one.against: one.gain for one in certificate.speeds if one.view == view}
            told = [f"{gains[name]:.2f}" if name in gains else "-" for name in ("bf16", "f32")]
            yield [certificate.model, f"{view[0]}x{view[1]}", *told, *sizes]


def robustness() -> Iterator[Row]:
    """Shares found under worse conditions, mildest first."""
    cards: dict[str, Robustness] = {}
    for name in shipped():
        manifest = read_manifest(ZOO / name / MANIFEST_NAME)
        cards.update((f"{kind}s, {manifest.name}", card) for kind, card in manifest.robustness.items())
    yield ["", "how bad", *(f"{title} ({card.objects})" for title, card in cards.items())]
    plain = [card.as_they_are for card in cards.values()]
    yield ["as they are", "", *(f"{one.recall:.3f} ({_range(one.low, one.high)})" for one in plain)]
    for condition, levels in next(iter(cards.values())).conditions.items():
        settings = ", ".join(level.setting for level in levels)
        shares = [", ".join(f"{level.recall:.3f}" for level in card.conditions[condition]) for card in cards.values()]
        yield [condition, settings, *shares]


TABLES = {"INT8 recall": recall, "INT8 speed": speed, "robustness": robustness}


def _share(found: int, objects: int, interval: tuple[float, float]) -> str:
    return f"{found / objects:.3f} ({_range(*interval)})" if objects else "undefined"


def _range(low: float, high: float) -> str:
    return f"{low:.3f}-{high:.3f}"


def written(text: str) -> str:
    """The README with its tables made anew.

    Raises:
        ValueError: a table has no place in it.
    """
    for name, rows in TABLES.items():
        head, *body = rows()
        lines = [head, ["---", *["---:"] * (len(head) - 1)], *body]
        table = "\n".join(f"| {' | '.join(row)} |" for row in lines)
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"the README has no single place for the table {name!r}: {begin} and {end}")
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{table}\n{end}{after}"
    return text


def main() -> None:
    """Write the tables, or check them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 where a table is another")
    arguments = parser.parse_args()
    before = README.read_text(encoding="utf-8")
    after = written(before)
    if arguments.check:
        raise SystemExit(0 if before == after else "the README's tables are not those of the reports: make them anew")
    README.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
