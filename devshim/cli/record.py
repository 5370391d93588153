"""devshim record: runs a program on real devices, or on models, and writes down everything that passes."""

from __future__ import annotations

import os

from devshim.cli.options import RUN, Option, Options, parse, wrong
from devshim.cli.run import run
from devshim.trace.record_asked import RecordAsked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

HELP = """\
usage: devshim record -o TRACE [-d NODE] [OPTIONS] [--] PROGRAM [ARGS...]

Run PROGRAM, unmodified, on the real devices, and write every call on them to TRACE:
what it asked, what it got, errors and all; also of its children. `devshim replay TRACE`
answers from that later, on any machine.

{options}

Without -d every device node that PROGRAM opens is recorded, but for null, zero, full,
random, urandom, tty, ptmx and pts/*, and what it has inherited: those only where -d names
them. PROGRAM talks to the device itself, as without devshim. TRACE is replaced with the
first call that is recorded; where there is none it stays as it is, and the exit code is
that of a failed run (--error-exitcode). For programs that only look at /sys there is
--snapshot with a folder of /sys: -d /sys/class/net/eth0.

examples:
  devshim record -o gps.trace -d /dev/ttyUSB0 -- gpspipe -r -n 20
  devshim record -o boot.trace --snapshot -- ./monitor
  devshim record -o acme.trace --describe acme.h -d /dev/acme0 -- ./acme-tool
  devshim record -o tmp102.trace -d /dev/i2c-1=tmp102 -- i2cget -y 1 0x48 0 w

exit code: as of `devshim run`. A trace holds what passed, passwords too; look at it with
`devshim show` before you give it away.
"""


def asked(options: Options) -> RecordAsked:
    """What options ask of the recording."""
    if options.record is None:
        options.record = RecordAsked()
    return options.record


def switch(attribute: str) -> Callable[[Options, str], None]:
    """An action that says yes."""
    return lambda options, text: setattr(asked(options), attribute, True)


def device(options: Options, text: str) -> None:
    """Take NODE, a real one, or NODE=MODEL."""
    if "=" in text and not os.path.exists(text):
        options.devices.append(text)
    elif not text.startswith("/"):
        raise wrong(f"-d {text or repr(text)}: must be a path such as /dev/ttyUSB0, or NODE=MODEL")
    else:
        asked(options).nodes.append(text)


def trace(options: Options, text: str) -> None:
    """Take the trace's path."""
    if not text or text == "-":
        raise wrong(f"-o {text or repr(text)}: name a file; stdout is the program's own")
    asked(options).trace = text


# fmt: off
RECORD = (
    Option("-o", "--output",   "TRACE",        trace,                 "the file to write"),
    Option("-d", "--device",   "NODE[=MODEL]", device,
           "record this node, or a model plugged there; repeatable"),
    *(row for row in RUN if row.long not in ("--device", "--in-process")),
    Option(None, "--stable",   None,           switch("stable"),
           "leave times out, so that two recordings differ where the device did"),
    Option(None, "--snapshot", None,           switch("snapshot"),
           "take down what /sys and udev show of each node, too, and of folders of /sys that -d names"),
    Option(None, "--with-command", None,       switch("with_command"),
           "say in the trace how PROGRAM was called"),
)
# fmt: on


def main(words: list[str]) -> int:
    """Record what the words ask for and return the command's exit code."""
    options = Options()
    record = asked(options)
    if parse(words, RECORD, options) == ["--help"]:
        from devshim.cli.usage import option_list

        print(HELP.format(options=option_list(RECORD)), end="")
        return 0
    if not record.trace:
        raise wrong("no file to write; -o TRACE names it; devshim record --help shows how")
    if not options.program:
        raise wrong("no program to run; devshim record --help shows how")
    record.program = options.program
    record.trace = os.path.abspath(record.trace)
    check_output(record.trace)
    return run(options)


def check_output(path: str) -> None:
    """Make sure that a trace can be written, before a program does its work in vain.  Raises OSError, TraceError."""
    from devshim.trace.format.files import PACKED, zstd

    if path.endswith(PACKED):
        zstd(path)
    new = not os.path.lexists(path)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o666))
    if new:
        os.unlink(path)
