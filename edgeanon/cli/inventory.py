"""The verbs that show what there is: devices and models."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from edgeanon.cli.quantize import summed_up
from edgeanon.cli.terminal import facts, out, plain, say_json

if TYPE_CHECKING:
    from edgeanon.models import Manifest


def devices(*, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Show what this machine has, what each device can run, and which one would be taken."""
    from edgeanon import runtime  # noqa: PLC0415

    found = runtime.devices()
    first = runtime.choices("AUTO")[0]
    if as_json:
        rows = [
            {"name": one.name, "full_name": one.full_name, "precisions": one.precisions, "why_not": one.why_not}
            for one in found
        ]
        say_json(json.dumps({"devices": rows, "auto": first.name, "reason": first.reason}))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("device", no_wrap=True)
    table.add_column("usable", no_wrap=True)
    table.add_column("what it is and computes, or what keeps it from use", overflow="fold")
    for one in found:
        about = "\n".join(filter(None, (one.full_name, " ".join(one.precisions), one.why_not)))
        table.add_row(one.name, "[red]no[/]" if one.why_not else "[green]yes[/]", plain(about, lines=True))
    out.print(table)
    order = ", then ".join(runtime.AUTO_ORDER)
    out.print(f"\nAUTO tries {order}, and takes [bold]{first.name}[/] here. Others run when they are named.")


def models(
    own: Annotated[
        list[Path] | None, typer.Argument(metavar="[MODEL]...", help="Your own models to show as well.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show the shipped models, and your own: version, licence, source, hash, scores."""
    from edgeanon.models import certificate_of, load_file, model_files  # noqa: PLC0415

    paths = [*model_files(), *(own or [])]
    every = [(one, certificate_of(path, one)) for path in paths for one in [load_file(path)]]
    if as_json:
        rows = [
            {
                "sha256": one.sha256,
                **one.manifest.model_dump(mode="json"),
                "certificate": certificate.model_dump(mode="json") if certificate else None,
            }
            for one, certificate in every
        ]
        say_json(json.dumps(rows))
        return
    for one, certificate in every:
        manifest = one.manifest
        kinds = " and ".join(f"{kind.name.lower()}s" for kind in sorted(manifest.finds))
        table = facts(f"{manifest.name}: {kinds}")
        about = {
            "version": f"{manifest.version or '-'}, {manifest.precision or 'precision unknown'}",
            "licence": manifest.licence or "-",
            "source": f"{manifest.source.package}, {manifest.source.file}" if manifest.source else "-",
            "sha256": one.sha256,
            "threshold": f"{manifest.threshold:g}",
            "scores": "\n".join(f"{name}: {value:g}" for name, value in manifest.scores.items()) or "-",
            "robustness": "\n".join(_robustness(manifest)) or "-",
            "caveats": "\n".join(manifest.caveats) or "-",
        }
        if certificate:
            about["certificate"] = "\n".join(summed_up(certificate))
        for name, value in about.items():
            table.add_row(name, plain(value, lines=True))
        out.print(table, "")


def _robustness(manifest: "Manifest") -> Iterator[str]:
    """The cards, a line a condition: recall from the mildest severity to the worst."""
    for kind, card in manifest.robustness.items():
        yield f"{card.objects} {kind}s as they are: {card.as_they_are.recall:.3f}"
        for name, levels in card.conditions.items():
            worst = f" ({levels[-1].setting})" if len(levels) > 1 else ""
            yield f"{name}: {', '.join(f'{level.recall:.3f}' for level in levels)}{worst}"
