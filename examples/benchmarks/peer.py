"""A measured program in a process of its own, which takes pictures by name and answers in lines of JSON."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from examples.benchmarks.measuring import ROOT

DEFACE = Path(__file__).with_name("deface_worker.py")


class Peer:
    """A process that answers one line of JSON to each; a context manager that ends it.

    Args:
        command: what to run; it must answer one line of JSON once it is ready.
        environment: variables, or None for those of this process.
    """

    def __init__(self, command: list[str], environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT,
            env=environment,
        )  # fmt: skip
        try:
            self.about = self._answer()
        except BaseException:
            self.close()
            raise

    def ask(self, **question: Any) -> dict[str, Any]:
        """Its answer to a question."""
        assert self._process.stdin is not None  # noqa: S101  (a pipe was asked for)
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._process.args!r} ended with {self._process.wait()}: see what it said above")
        return dict(json.loads(line))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, which stops when it is asked nothing more."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def deface(python: Path, environment: Mapping[str, str] | None = None) -> Peer:
    """deface, run by the interpreter of an environment that has it.

    The interpreter's own name counts and not the one its link leads to, or the environment would be lost.
    """
    return Peer([str(python.absolute()), str(DEFACE)], environment)


def edgeanon(*options: str, environment: Mapping[str, str] | None = None) -> Peer:
    """This package, run by this interpreter."""
    return Peer([sys.executable, "-m", "examples.benchmarks.edgeanon_worker", *options], environment)
