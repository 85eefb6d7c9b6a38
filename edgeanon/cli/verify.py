"""The verb that checks what came out: files and signatures against a report."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from edgeanon.cli.anonymize import FAILED
from edgeanon.cli.terminal import counted, out, plain, say_json
from edgeanon.errors import ConfigError, MediaError

if TYPE_CHECKING:
    from edgeanon.audit import FileCheck, PrivateKey, ReportFile, SignatureCheck, Statement

_STYLES = {
    "valid": "green",
    "output": "green",
    "input": "green",
    "invalid": "red",
    "absent": "red",
    "unknown": "red",
    "none": "yellow",
    "unchecked": "yellow",
}


def verify(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Masked files, or folders of them.")
    ] = None,
    *,
    report: Annotated[Path | None, typer.Option(help="What `edgeanon anonymize --report` has written.")] = None,
    public_key: Annotated[
        list[Path] | None,
        typer.Option(metavar="KEY", help="Whose signature must be on it: a public key in PEM. Repeatable."),
    ] = None,
    salt: Annotated[
        Path | None, typer.Option(help="What `anonymize --salt` has kept: inputs are recognised as well.")
    ] = None,
    sign_off: Annotated[
        str | None,
        typer.Option(metavar='"NAME, ROLE"', help="Enter in the report, if all checks, who answers for its use."),
    ] = None,
    sign: Annotated[
        Path | None, typer.Option(metavar="KEY", help="Sign the sign-off with your own private key in PEM.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each file, then the result.")] = False,
) -> None:
    """Check files and signatures against a report, without a network. Exit code 1 if something does not check."""
    if report is None:
        raise ConfigError("there is nothing to check against: name a report with --report FILE")
    if sign and not sign_off:
        raise ConfigError('--sign is for a sign-off: say --sign-off "NAME, ROLE" as well')
    who = _who(sign_off) if sign_off is not None else None

    from edgeanon.audit import FileCheck, PrivateKey, PublicKey, ReportFile, Salt, check_signatures  # noqa: PLC0415

    key = PrivateKey.read(sign) if sign else None
    keys = [PublicKey.read(path) for path in public_key or ()]
    kept = Salt.read(salt) if salt else None
    read = ReportFile.read(report)
    if kept and read.statement.inputs is None:
        raise ConfigError(f"{report} lists no inputs: it was made without --salt, and a salt is of no use here")
    signatures = check_signatures(read, keys)
    check = FileCheck(read, kept)
    seen: Counter[str] = Counter()
    if not as_json:
        _say_report(read, signatures)
    for path in _every(files or (), leave_out=report):
        belongs = check.look_up(path)
        seen[belongs.value] += 1
        if as_json:
            say_json(json.dumps({"file": str(path), "is": belongs.value}))
        else:
            out.print(_line(belongs.value, plain(path)), soft_wrap=True)
    checks = not seen["unknown"] and all(what.value in {"valid", "unchecked"} for *_, what in signatures)
    if as_json:
        _say_result(read, signatures, seen, check, checks=checks)
    elif files:
        out.print(_line("files", _counts(seen, check)), soft_wrap=True)
    if not checks:
        raise typer.Exit(FAILED)
    if who:
        _sign_off(read, report, who, key, as_json=as_json)


def _who(text: str) -> tuple[str, str]:
    name, _, role = (part.strip() for part in text.partition(","))
    if not (name and role):
        raise ConfigError(f'--sign-off is {text!r}: say who and in which role: "Jane Doe, data protection officer"')
    return name, role


def _every(paths: Sequence[Path], *, leave_out: Path) -> Iterator[Path]:
    """The files, and those below the folders in the order of their names; linked folders are not followed."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, below, names in os.walk(path, onerror=_closed):
            below.sort()
            for one in sorted(Path(folder, name) for name in names):
                if not (one.exists() and one.samefile(leave_out)):
                    yield one


def _closed(error: OSError) -> None:
    raise MediaError(f"{error.filename} cannot be listed ({error.strerror}): check the rights") from error


def _say_report(read: "ReportFile", signatures: "list[tuple[str, str, SignatureCheck]]") -> None:
    statement = read.statement
    count = {name: number for name, number in statement.files.model_dump().items() if number}
    devices = " ".join(one.name for one in statement.devices)
    run = ", ".join(f"{number} {name}" for name, number in count.items()) or "no files"
    out.print(_line("run", f"{statement.day}, edgeanon {statement.code.edgeanon} on {devices}: {run}"), soft_wrap=True)
    masks = sorted(
        {mask.style.partition("(")[0] for mask in statement.settings.masks.values() if not mask.irreversible}
    )
    if masks:
        out.print(_line("masks", f"can be undone: {', '.join(masks)}", style="yellow"), soft_wrap=True)
    days = (statement.reassess_by - datetime.now(UTC).date()).days
    due = "re-assessment has been due since" if days < 0 else "to be re-assessed by"
    out.print(_line("due", f"{due} {statement.reassess_by}", style="yellow" if days < 0 else ""), soft_wrap=True)
    for covers, key, what in signatures:
        about = {
            "valid": f"{covers}, by the key {key}",
            "invalid": f"{covers}: it is not what the key {key} has signed",
            "absent": f"there is no signature by the key {key}",
            "unchecked": f"{covers}, by the key {key}: name that key with --public-key, or anybody can have made it",
        }
        out.print(_line(what.value, about[what.value]), soft_wrap=True)
    if not signatures:
        out.print(
            _line("none", "there is no signature: whoever could write the report could change it"), soft_wrap=True
        )
    if read.sign_off:
        signed = any(covers != "statement" and what.value == "valid" for covers, _, what in signatures)
        words = ", ".join(str(part) for part in (read.sign_off.name, read.sign_off.role, read.sign_off.day) if part)
        known = "" if signed else " (under no signature that was checked)"
        out.print(_line("signed off", plain(f"{words}{known}")), soft_wrap=True)


def _say_result(
    read: "ReportFile",
    signatures: "list[tuple[str, str, SignatureCheck]]",
    seen: "Counter[str]",
    check: "FileCheck",
    *,
    checks: bool,
) -> None:
    statement: Statement = read.statement
    rows = [{"covers": covers, "key_sha256": key, "is": what.value} for covers, key, what in signatures]
    said = {
        "checks": checks,
        "signatures": rows,
        "files": dict(sorted(seen.items())),
        "missing": check.missing,
        "reassess_by": str(statement.reassess_by),
        "sign_off": read.sign_off.model_dump(mode="json"),
    }
    say_json(json.dumps(said))


def _counts(seen: "Counter[str]", check: "FileCheck") -> str:
    parts = [counted(seen[name], name) for name in ("output", "input")]
    parts += [f"{seen['unknown']} that the report does not list"] if seen["unknown"] else []
    parts += [f"{check.missing} of the report are not among these"] if check.missing else []
    return "; ".join(parts)


def _sign_off(read: "ReportFile", path: Path, who: tuple[str, str], key: "PrivateKey | None", *, as_json: bool) -> None:
    read.signed_off(*who, key=key).write(path, overwrite=True)
    if not as_json:
        out.print(_line("signed off", plain(", ".join(who))), soft_wrap=True)


def _line(what: str, about: str | Text, *, style: str = "") -> Text:
    return Text.assemble((f"{what:>10}", style or _STYLES.get(what, "dim")), "  ", about)
