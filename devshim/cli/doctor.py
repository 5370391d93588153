"""devshim doctor: checks this installation, or says what will be caught of a program."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterable

from devshim.cli.caught import Finding, examine
from devshim.cli.installation import check
from devshim.cli.usage import UsageError

HELP = """\
usage: devshim doctor [PROGRAM]

Without PROGRAM: check that devshim works here, and say what to do where it does not.
With PROGRAM (a path, or a name on $PATH; scripts are followed to their interpreter): say what will be
caught of it.  It is not run; programs that it starts need a look of their own.

examples:
  devshim doctor
  devshim doctor picocom
  devshim doctor ./build/motor-control

exit code: 0 nothing to do; 1 something is missing, or PROGRAM will be caught in part or not at all;
127 PROGRAM was not found.
"""


def main(words: list[str]) -> int:
    """Print the report; return 0 where nothing needs doing, else 1."""
    if "-h" in words or "--help" in words:
        print(HELP, end="")
        return 0
    if words[:1] == ["--"]:
        words = words[1:]
    elif words and words[0].startswith("-"):
        raise UsageError(f"unknown option {words[0]}; devshim doctor --help shows what there is")
    if len(words) > 1:
        raise UsageError("doctor looks at one PROGRAM; its arguments do not matter")
    return report(examine(words[0]) if words else check())


def report(findings: Iterable[Finding]) -> int:
    """Print findings as they come, and what to do about the bad ones."""
    good = True
    for finding in findings:
        good &= finding.good
        show("ok      " if finding.good else "problem ", finding.text)
        if finding.advice:
            show("     -> ", finding.advice)
    return 0 if good else 1


def show(mark: str, text: str) -> None:
    """Print a text behind a mark; folded where a person reads, one line where a program does."""
    if sys.stdout.isatty():
        width = max(40, os.get_terminal_size(sys.stdout.fileno()).columns)
        print(textwrap.fill(text, width, initial_indent=mark, subsequent_indent=" " * 8, break_on_hyphens=False))
    else:
        print(mark + text)
