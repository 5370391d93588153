"""What the command line says about itself: help, version, and usage errors with a way out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from shutil import get_terminal_size
from textwrap import fill

from devshim import __version__
from devshim.cli import VERBS
from devshim.cli.options import RUN, Option
from devshim.errors import DevshimError

WIDEST, INDENT = 104, 30


class UsageError(DevshimError):
    """The command line cannot be understood."""

    exit_code = 2


RUN_HELP = """\
usage: devshim run [OPTIONS] [--] PROGRAM [ARGS...]

Run PROGRAM, unmodified, and its children against devices written in Python.

{options}

examples:
  devshim run -d /dev/ttyUSB0=gps -- cat /dev/ttyUSB0
  devshim run -d /dev/i2c-1=tmp102,celsius=80 -- i2cget -y 1 0x48 0 w
  devshim run -d /dev/motor0=motor.py:Motor -v -- gdb --args ./motor-control

exit code: PROGRAM's own; 128+N where signal N ended it; 125 devshim failed;
126 PROGRAM cannot be executed; 127 it was not found; 2 the options are wrong.
A model is code, and runs with your rights: plug only what you trust.
"""

MAIN_HELP = """\
usage: devshim VERB ...

Runs your program against devices written in Python: no root, no kernel module,
no change to the program.

verbs:
{verbs}

devshim VERB --help explains a verb; devshim --version tells the version.

example:
  devshim run -d /dev/ttyUSB0=gps -- cat /dev/ttyUSB0
"""


def run_help() -> str:
    """The text of `devshim run --help`."""
    return RUN_HELP.format(options=option_list(RUN))


def option_list(table: Sequence[Option]) -> str:
    """The table as text: names and value, and what the option does beside or below them."""
    rows = [(names(option), option.help) for option in table]
    width = min(WIDEST, get_terminal_size((WIDEST, 24)).columns - 1)
    lines = ["options:"]
    for head, help in [*rows, ("  -h, --help", "show this")]:
        if len(head) >= INDENT:
            lines.append(head)
            head = ""
        lines.append(fill(help, width, initial_indent=f"{head:<{INDENT}}", subsequent_indent=" " * INDENT))
    return "\n".join(lines)


def names(option: Option) -> str:
    """An option's names and what its value is called."""
    long = option.long + (f" {option.value}" if option.value else "")
    return f"  {option.short}, {long}" if option.short else f"      {long}"


def without_verb(words: list[str]) -> int:
    """Answer --help and --version; anything else that is no verb is a UsageError."""
    word = words[0] if words else "--help"
    if word in ("-h", "--help", "help"):
        verbs = "\n".join(f"  {verb:<10}{line}" for verb, line in VERBS.items())
        print(MAIN_HELP.format(verbs=verbs), end="")
        return 0
    if word in ("-V", "--version"):
        print(f"devshim {__version__}")
        return 0
    kind = "option" if word.startswith("-") else "verb"
    hint = nearest(word, [*VERBS, "--help", "--version"]) or "; devshim --help lists them"
    raise UsageError(f"unknown {kind} {word}{hint}")


def nearest(typed: str, known: Iterable[str]) -> str:
    """ "; did you mean ...?" where a known word is like the typed one, else nothing."""
    from difflib import get_close_matches

    close = get_close_matches(typed, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
