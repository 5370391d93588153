"""Traces written by hand, for replays: a line an event, in as few words as the format allows."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Line = Mapping[str, Any]

#: Settings of a terminal as TCGETS gives them: 9600 8N1; cooked, and raw.
COOKED = "0005000005000000bd0c00003b8a000000031c7f150400010011131a00120f1716000000"
RAW = "0000000000000000bd0c00000000000000031c7f150400000011131a00120f1716000000"
TCGETS, TCSETS, TCFLSH, TIOCMBIS = "0x00005401", "0x00005402", "0x0000540b", "0x00005416"


def write_trace(
    path: Path, node: str | Iterable[Line], events: Iterable[Line], kind: str = "char", **header: Any
) -> Path:
    """Write a trace of one node (or of several, as objects) and return its path."""
    nodes = [{"node": node, "kind": kind}] if isinstance(node, str) else [dict(one) for one in node]
    lines = [{"format": "devtrace/1", "made": "hand", "nodes": nodes, **header}, *events]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def call(name: str, /, file: int = 1, **members: Any) -> Line:
    """An event; a member `before` or `after` stands for "in" or "out", `data` for its text or its bytes."""
    line: dict[str, Any] = {"call": name, "file": file}
    if not file:
        del line["file"]
    for member, value in members.items():
        if member == "data":
            line.update({"text": value} if isinstance(value, str) else {"hex": value.hex()})
        else:
            line[{"before": "in", "after": "out"}.get(member, member)] = value
    return line


def opened(node: str, file: int = 1, flags: str = "O_RDWR", **members: Any) -> Line:
    """An open."""
    return call("open", file, node=node, flags=flags, **members)


def read(data: str | bytes = "", size: int = 4096, file: int = 1, **members: Any) -> Line:
    """A read; no data is the end of file."""
    return call("read", file, size=size, **({"data": data} if data else {}), **members)


def wrote(data: str | bytes, file: int = 1, **members: Any) -> Line:
    """A write."""
    return call("write", file, data=data, **members)


def ioctl(request: str | int, before: Any = None, after: Any = None, file: int = 1, **members: Any) -> Line:
    """An ioctl, with the memory behind its argument in hex."""
    number = request if isinstance(request, str) else f"{request:#010x}"
    memory = {name: value for name, value in (("before", before), ("after", after)) if value is not None}
    return call("ioctl", file, request=number, **memory, **members)


def serial_port(node: str, *events: Line) -> list[Line]:
    """What pyserial does when it opens a port, and then events."""
    flags = "O_RDWR|O_NOCTTY|O_NONBLOCK"
    return [
        opened(node, flags=flags), ioctl(TCGETS, after=COOKED), ioctl(TCGETS, after=COOKED), ioctl(TCSETS, RAW),
        ioctl(TIOCMBIS, "02000000"), ioctl(TIOCMBIS, "04000000"), ioctl(TCFLSH, value=0), *events,
    ]  # fmt: skip
