"""The command. Everything slow is imported inside the verbs, so that ``edgeanon --help`` answers at once."""

import os
import signal
import sys
from io import TextIOWrapper
from typing import Annotated

import typer
from rich.text import Text

from edgeanon import __version__
from edgeanon.cli.anonymize import FAILED, anonymize
from edgeanon.cli.benchmark import benchmark
from edgeanon.cli.evaluate import evaluate
from edgeanon.cli.inventory import devices, models
from edgeanon.cli.quantize import quantize
from edgeanon.cli.terminal import err, out, plain
from edgeanon.cli.verify import verify
from edgeanon.errors import ConfigError, EdgeanonError

USAGE = 2

app = typer.Typer(
    help="Anonymize faces and licence plates, on this machine, without a network.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        out.print(f"edgeanon {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[  # its callback does it all
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    pass


for verb in (anonymize, verify, evaluate, quantize, benchmark, devices, models):
    app.command()(verb)


def main() -> None:
    """Run the command. Exit codes: 0 done, 1 something failed, 2 usage."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names are bytes, and need not be text
    # End as after Ctrl-C, so that nothing half-written stays; but go on after the terminal where nohup asks for that.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    try:
        _run()
    except SystemExit as ended:
        _leave_what_hangs(ended.code)
        raise


def _run() -> None:
    try:
        app()
    except ConfigError as error:
        _complain(error)
        sys.exit(USAGE)
    except EdgeanonError as error:
        _complain(error)
        sys.exit(FAILED)


def _leave_what_hangs(code: object) -> None:
    """End the process here and now where an inference never came back: OpenVINO would wait for it for good."""
    runtime = sys.modules.get("edgeanon.runtime")  # most verbs need none, and it loads OpenVINO
    if runtime and runtime.hangs():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else FAILED if code else 0)


def _complain(error: EdgeanonError) -> None:
    err.print(Text.assemble(("error", "red"), ": ", plain(error)), soft_wrap=True)
