"""Which formats there are, and which one a file's name or beginning means."""

from __future__ import annotations

from pathlib import Path

from devshim.trace.convert import umockdev
from devshim.trace.convert.recording import ConversionError, Recording
from devshim.trace.convert.strace import is_strace
from devshim.trace.convert.strace import read as read_strace
from devshim.trace.format.reader import Trace

INPUTS = ("trace", "strace", "umockdev")
OUTPUTS = {
    "trace": (".trace", ".trace.zst"),
    "pcapng": (".pcapng", ".pcap"),
    "perfetto": (".json", ".perfetto"),
    "html": (".html", ".htm"),
}


def input_format(path: str) -> str:
    """The format of a file that is to be read.  Raises OSError, ConversionError."""
    if umockdev.belongs(path):
        return "umockdev"
    if path.endswith(OUTPUTS["trace"]):
        return "trace"
    with open(path, "rb") as file:
        start = file.read(65536).decode("utf-8", "replace")
    if start.startswith('{"format"'):
        return "trace"
    if is_strace(start):
        return "strace"
    raise ConversionError(f"{path}: neither a trace, nor strace's output, nor a recording of umockdev's; say --from")


def output_format(path: str) -> str:
    """The format of a file that is to be written, by its suffix.  Raises ConversionError."""
    for name, suffixes in OUTPUTS.items():
        if path.endswith(suffixes):
            return name
    known = ", ".join(suffix for suffixes in OUTPUTS.values() for suffix in suffixes)
    raise ConversionError(f"{path}: its suffix tells no format; known are {known}; or say --to")


def recording_of(trace: Trace) -> Recording:
    """A trace as a recording."""
    recording = Recording(trace.header, lambda: iter(trace), size=size_of(trace.path))
    position = [0]

    def events() -> object:
        for event in trace:
            position[0] = event.position
            yield event
        recording.notes = dict.fromkeys(trace.notes, 1)
        recording.lost = trace.lost

    recording.events = events  # type: ignore[assignment]
    recording.passed = lambda: position[0]
    return recording


def size_of(path: str) -> int:
    """A file's bytes; 0 for what is no file."""
    return Path(path).stat().st_size if Path(path).is_file() else 0


def read(paths: list[str], form: str = "", node: str = "", memory: str = "") -> Recording:
    """The recording in some files; several only where umockdev made them.

    Raises OSError, ConversionError, TraceError.
    """
    form = form or input_format(paths[0])
    if form == "umockdev":
        return umockdev.read(paths, node)
    if len(paths) > 1:
        raise ConversionError(f"one file at a time, not {len(paths)}: only umockdev's make one recording together")
    if form == "strace":
        return read_strace(paths[0], memory or None, (node,) if node else ())
    return recording_of(Trace(paths[0]))
