"""What a session raises where a program fails, hangs, or does not do what a test waits for."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devshim.trace.event import Event


class Result:
    """A program that has ended.

    args        as given
    returncode  its exit code; -N where signal N ended it
    stdout, stderr  as text
    calls       its calls on devices, as far as the session kept them
    """

    def __init__(self, args: Sequence[str], returncode: int, stdout: str, stderr: str, calls: list[Event]) -> None:
        self.args = list(args)
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr
        self.calls = calls

    def __repr__(self) -> str:
        return f"<{shlex.join(self.args)}: {ending(self.returncode)}, {len(self.calls)} calls>"


class ProgramFailed(subprocess.CalledProcessError):
    """run() of a program that did not end with 0; its text has the output and the last calls on devices."""

    def __init__(self, result: Result, lines: Sequence[str]) -> None:
        super().__init__(result.returncode, result.args, result.stdout, result.stderr)
        self.result = result
        self._lines = lines

    def __str__(self) -> str:
        first = f"{shlex.join(self.result.args)}: {ending(self.returncode)}"
        return "\n".join([first, *output(self.stdout, self.stderr), *section("the last calls", self._lines)])


class ProgramTimedOut(subprocess.TimeoutExpired):
    """A program that did not end in time, and was killed; its text says what it was waiting for."""

    def __init__(
        self, args: Sequence[str], timeout: float, out: tuple[str, str], waits: Sequence[str], lines: Sequence[str]
    ) -> None:
        super().__init__(list(args), timeout, out[0], out[1])
        self._waits = waits
        self._lines = lines

    def __str__(self) -> str:
        out, err = str(self.output or ""), str(self.stderr or "")
        return "\n".join(
            [
                f"{shlex.join(self.cmd)}: not over after {self.timeout:g} s; killed",
                *section("it was waiting", self._waits),
                *output(out, err),
                *section("the last calls", self._lines),
            ]
        )


class NotYet(AssertionError):
    """until() waited in vain; its text has the last calls."""

    def __init__(self, timeout: float, waits: Sequence[str], lines: Sequence[str]) -> None:
        head = f"it did not come true within {timeout:g} s"
        text = [head, *section("programs of this session", waits), *section("the last calls", lines)]
        super().__init__("\n".join(text))


class Mismatch(AssertionError):
    """A program did what its trace does not have next; the text is the whole comparison."""


def ending(returncode: int) -> str:
    """How a program ended."""
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        name = signal.Signals(-returncode).name
    except ValueError:
        name = f"signal {-returncode}"
    return f"killed by {name}"


def output(out: str, err: str) -> list[str]:
    """What a program printed."""
    return [*section("stdout", out.splitlines()), *section("stderr", err.splitlines())]


def section(title: str, lines: Sequence[str]) -> list[str]:
    """Lines under a title; nothing where there are none."""
    return [f"--- {title}", *lines] if lines else []


def words(argv: Sequence[str | os.PathLike[str]]) -> list[str]:
    """A program and its arguments as text.  Raises ValueError where there is none."""
    if not argv:
        raise ValueError('no program: write run("program", "argument", ...)')
    return [os.fspath(word) for word in argv]
