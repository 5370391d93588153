"""devshim convert: makes traces of other programs' recordings, and other programs' files of traces."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from typing import Any

from devshim.cli.choosing import ToolOptions
from devshim.cli.options import Option, parse, wrong
from devshim.errors import DevshimError
from devshim.target import say
from devshim.trace.convert.formats import INPUTS, OUTPUTS, output_format, read
from devshim.trace.convert.recording import ConversionError, Recording
from devshim.trace.event import Event

HELP = "convert traces from strace and umockdev, and to Wireshark, Perfetto, a page"
LARGE = 16 << 20
OFTEN = 1024


class Asked(ToolOptions):
    """What was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.form = self.into = self.device = self.memory = ""


def choice(attribute: str, option: str, known: tuple[str, ...]) -> Any:
    """An action that takes one of a few words."""

    def take(options: Asked, text: str) -> None:
        if text not in known:
            raise wrong(f"{option} {text}: there are {', '.join(known)}", text, known)
        setattr(options, attribute, text)

    return take


def take(attribute: str) -> Any:
    """An action that takes a text."""
    return lambda options, text: setattr(options, attribute, text)


TABLE = (
    Option(
        None, "--from", "FORMAT", choice("form", "--from", INPUTS), "trace, strace or umockdev (else by what IN is)"
    ),
    Option(
        None, "--to", "FORMAT", choice("into", "--to", tuple(OUTPUTS)), "trace, pcapng, perfetto, html (else by suffix)"
    ),
    Option("-n", "--node", "NODE", take("device"), "the device, where IN does not say; one more of strace's"),
    Option(None, "--memory", "FILE", take("memory"), "the memory of strace's ioctls (else ioctl.jsonl beside it)"),
)

USAGE = """\
usage: devshim convert [OPTIONS] IN... OUT

Make a trace of another program's recording, or another program's file of a trace.

  IN   a trace; the output of  strace -f -xx -s 65535 -o FILE PROGRAM  (-y -v -X raw make it better;
       memory that strace does not show is marked as missing); or files of umockdev's that belong together:
       NAME.umockdev alone brings those beside it, .ioctl, .script and .events
  OUT  .trace, .trace.zst; .pcapng for Wireshark (I2C and input events); .json for ui.perfetto.dev and
       chrome://tracing; .html, a page to look at in a browser

{options}

examples:
  devshim convert board.strace sensor.trace
  devshim convert mouse.umockdev mouse.trace
  devshim convert modem-dial.trace modem-dial.html
"""


def main(words: list[str]) -> int:
    """Do what the words behind `devshim convert` ask for; return the exit code.

    Raises UsageError for a wrong command line, TraceError and CannotConvert for what cannot be read, OSError where OUT
    cannot be written.
    """
    options = Asked()
    found = parse(words, TABLE, options, 256)
    if found == ["--help"]:
        from devshim.cli.usage import option_list

        print(USAGE.format(options=option_list(TABLE)), end="")
        return 0
    found += options.program
    if len(found) < 2:
        raise wrong("devshim convert needs IN and OUT; devshim convert --help explains them")
    *paths, output = found
    for path in paths:
        if os.path.exists(path) and os.path.exists(output) and os.path.samefile(path, output):
            raise wrong(f"{output} is what is converted; name another file")
    gc.disable()  # nothing here refers to itself, and there may be millions of events
    try:
        into = options.into or output_format(output)
        recording = read(paths, options.form, options.device, options.memory)
        say(convert(watched(recording), into, output))
        for note in recording.said():
            say(note)
    except ConversionError as problem:
        raise CannotConvert(str(problem)) from None
    except FileNotFoundError as problem:
        raise CannotConvert(f"{problem.filename}: no such file") from None
    return 0


class CannotConvert(DevshimError):
    """What cannot be converted; a line for the user."""

    exit_code = 2


def convert(recording: Recording, into: str, output: str) -> str:
    """Write a recording; what there is to say of it.  A file that could not be finished is removed."""
    if into == "trace":
        from devshim.trace.convert.writing import write_trace

        count = write_trace(recording, output)
        return f"{output}: {count} calls on {len(recording.header.nodes)} nodes" + lost(recording)
    new = not os.path.exists(output)
    try:
        return written(recording, into, output)
    except ConversionError:
        if new and os.path.exists(output):
            os.unlink(output)
        raise


def written(recording: Recording, into: str, output: str) -> str:
    """Write what is no trace."""
    if into == "pcapng":
        from devshim.trace.convert import pcapng

        with open(output, "wb") as binary:
            packets, left_out = pcapng.write(recording, binary)
        return f"{output}: {packets} packets of I2C and input events; {left_out} calls have none" + lost(recording)
    from devshim.trace.convert import perfetto, timeline

    with open(output, "w", encoding="utf-8", errors="backslashreplace") as text:
        count = timeline.write(recording, text) if into == "html" else perfetto.write(recording, text)
    return f"{output}: {count} calls" + lost(recording)


def lost(recording: Recording) -> str:
    """How many calls are missing, in words."""
    return f"; {recording.lost} are missing or cut short" if recording.lost else ""


def watched(recording: Recording) -> Recording:
    """The same recording; a bar on stderr says how far a large one is read, where that is a terminal."""
    if recording.size < LARGE or not sys.stderr.isatty():
        return recording
    events = recording.events

    def shown() -> Iterator[Event]:
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("converting", total=recording.size)
            for number, event in enumerate(events()):
                if not number % OFTEN:
                    progress.update(task, completed=recording.passed())
                yield event

    recording.events = shown
    return recording
