"""The lines of a trace as objects: the header, nodes, events and bytes in JSON, and back.  Format: traces/README.md."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from typing import Any

from devshim.errors import DevshimError
from devshim.model.device import Link
from devshim.trace.event import Event, Header, Node, Segment

FORMAT = "devtrace/1"
PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t\n\r"


class TraceError(DevshimError):
    """A trace, or a line of one, that cannot be used; the message begins with file:line where they are known."""

    exit_code = 2


# ---- Bytes and flags -----------------------------------------------------------------------------------


def put_bytes(into: dict[str, Any], data: bytes) -> None:
    """Put BYTES into an object: as text where they are printable, else as hex; nothing for none."""
    if not data:
        return
    if data.translate(None, PRINTABLE):
        into["hex"] = data.hex()
    else:
        into["text"] = data.decode("ascii")


def take_bytes(of: Mapping[str, Any]) -> bytes:
    """The BYTES of an object.  Raises ValueError."""
    text, digits = of.get("text"), of.get("hex")
    if text is not None:
        if digits is not None:
            raise ValueError("text and hex stand side by side; bytes have one of them")
        return str(text).encode("ascii")
    return bytes.fromhex(digits) if digits is not None else b""


def flag_names(prefix: str, of: Any) -> dict[str, int]:
    """The flags that a module names, most bits first, so that O_SYNC goes before O_DSYNC."""
    found = {name: getattr(of, name) for name in dir(of) if name.startswith(prefix) and getattr(of, name)}
    return dict(sorted(found.items(), key=lambda item: -item[1].bit_count()))


OPEN_FLAGS = {
    name: value
    for name, value in flag_names("O_", os).items()
    if name not in ("O_ACCMODE", "O_RDONLY", "O_WRONLY", "O_RDWR", "O_NDELAY", "O_RSYNC")
}
ACCESS = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE")
POLL_BITS = {
    "POLLIN": 0x1, "POLLPRI": 0x2, "POLLOUT": 0x4, "POLLERR": 0x8, "POLLHUP": 0x10, "POLLNVAL": 0x20,
    "POLLRDNORM": 0x40, "POLLRDBAND": 0x80, "POLLWRNORM": 0x100, "POLLWRBAND": 0x200, "POLLMSG": 0x400,
    "POLLRDHUP": 0x2000,
}  # fmt: skip


def words(value: int, names: Mapping[str, int], first: str = "") -> str:
    """Flags as C writes them; bits without a name as one hexadecimal number."""
    found = [first] if first else []
    for name, bits in names.items():
        if value & bits == bits:
            found.append(name)
            value &= ~bits
    if value:
        found.append(f"{value:#x}")
    return "|".join(found)


def unwords(text: str, names: Mapping[str, int]) -> int:
    """The inverse of words().  Raises ValueError."""
    value = 0
    for word in text.split("|") if text else ():
        if word in names:
            value |= names[word]
        elif word in ACCESS:
            value |= ACCESS.index(word)
        else:
            value |= int(word, 16)
    return value


def open_flags(flags: int) -> str:
    """Flags of open(2) in words."""
    return words(flags & ~os.O_ACCMODE, OPEN_FLAGS, ACCESS[flags & os.O_ACCMODE])


# ---- Events --------------------------------------------------------------------------------------------


def segments(memory: list[Segment]) -> Any:
    """Memory of an ioctl in JSON."""
    shown = [None if segment is None else segment.hex() for segment in memory]
    return shown[0] if len(shown) == 1 and shown[0] is not None else shown


def unsegments(shown: Any) -> list[Segment]:
    """The inverse of segments().  Raises ValueError, TypeError."""
    listed = [shown] if isinstance(shown, str) else shown
    if not isinstance(listed, list):
        raise TypeError("memory is a hex string or a list of them")
    return [None if one is None else bytes.fromhex(one) for one in listed]


def event_object(event: Event, decoded: Any = None) -> dict[str, Any]:
    """An event as the object of its line."""
    line: dict[str, Any] = {"call": event.name}
    if event.file:
        line["file"] = event.file
    if event.process != 1:
        line["process"] = event.process
    if event.thread != 1:
        line["thread"] = event.thread
    PUT.get(event.name, put_other)(line, event)
    if decoded is not None:
        line["decoded"] = decoded
    if event.error is not None:
        line["error"] = event.error
    elif event.result != implied_result(event):
        line["result"] = event.result
    if not event.finished:
        line["finished"] = False
    if event.since is not None:
        line["since"] = event.since
    if event.time is not None:
        line["time"] = round(event.time, 6)
    if event.took is not None:
        line["took"] = round(event.took, 6)
    return line


def implied_result(event: Event) -> int:
    """What the call returned where its line does not say."""
    if event.error is not None or not event.finished:
        return -1
    return len(event.data) if event.name in ("read", "write", "pread", "pwrite") else 0


def put_open(line: dict[str, Any], event: Event) -> None:
    """open, inherit."""
    line["node"] = event.node
    line["flags"] = open_flags(event.flags)
    if event.mode:
        line["mode"] = f"{event.mode:04o}"


def put_read(line: dict[str, Any], event: Event) -> None:
    """read, pread."""
    line["size"] = event.size
    put_offset(line, event)
    put_bytes(line, event.data)


def put_write(line: dict[str, Any], event: Event) -> None:
    """write, pwrite."""
    put_offset(line, event)
    put_bytes(line, event.data)


def put_offset(line: dict[str, Any], event: Event) -> None:
    """Where there is a position."""
    if event.offset is not None:
        line["offset"] = event.offset


def put_seek(line: dict[str, Any], event: Event) -> None:
    """lseek."""
    line["offset"] = event.offset or 0
    line["whence"] = event.operation


def put_ioctl(line: dict[str, Any], event: Event) -> None:
    """ioctl."""
    line["request"] = f"{event.request:#010x}"
    if event.label is not None:
        line["name"] = event.label
    if event.argument is not None:
        line["value"] = event.argument
    if event.before is not None:
        line["in"] = segments(event.before)
    if event.after is not None:
        line["out"] = segments(event.after)
    if event.new_file:
        line["new"] = event.new_file
        if event.place is not None:
            line["place"] = event.place
    if event.pointers:
        line["pointers"] = list(event.pointers)
    if event.incomplete:
        line["incomplete"] = True


def put_poll(line: dict[str, Any], event: Event) -> None:
    """poll and its kin."""
    line["asked"] = words(event.asked, POLL_BITS)
    if event.ready:
        line["ready"] = words(event.ready, POLL_BITS)
    if event.timeout is not None:
        line["timeout"] = event.timeout


def put_other(line: dict[str, Any], event: Event) -> None:
    """Whatever else."""
    if event.size:
        line["size"] = event.size
    put_offset(line, event)
    if event.operation:
        line["operation"] = event.operation


PUT: dict[str, Callable[[dict[str, Any], Event], None]] = {
    "open": put_open,
    "inherit": put_open,
    "read": put_read,
    "pread": put_read,
    "write": put_write,
    "pwrite": put_write,
    "lseek": put_seek,
    "ioctl": put_ioctl,
    "poll": put_poll,
}


def event_of(line: Mapping[str, Any]) -> Event:
    """The event of a line's object; its node is known from its file's open, unless it is that.

    Raises KeyError, TypeError, ValueError for a member that is missing, unknown or wrong.
    """
    event = Event(line["call"])
    for name, value in line.items():
        SET[name](event, value)
    event.data = take_bytes(line) if "text" in line or "hex" in line else b""
    if "result" not in line:
        event.result = implied_result(event)
    return event


def setter(attribute: str, convert: Callable[[Any], Any]) -> Callable[[Event, Any], None]:
    """Sets one attribute of an event from JSON."""

    def put(event: Event, value: Any) -> None:
        setattr(event, attribute, convert(value))

    return put


def whole(value: Any) -> int:
    """A whole number.  Raises TypeError."""
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value


def text(value: Any) -> str:
    """A text.  Raises TypeError."""
    if type(value) is not str:
        raise TypeError(f"{value!r} is no text")
    return value


def seconds(value: Any) -> float:
    """A time.  Raises TypeError."""
    if type(value) not in (int, float):
        raise TypeError(f"{value!r} is no number of seconds")
    return float(value)


def errno_name(value: Any) -> str:
    """The name of an errno.  Raises ValueError."""
    if not hasattr(errno, text(value)):
        raise ValueError(f"{value!r} is no errno's name")
    return str(value)


def ignore(event: Event, value: Any) -> None:
    """Members that are dealt with elsewhere, or are for people."""


SET: dict[str, Callable[[Event, Any], None]] = {
    "call": ignore, "text": ignore, "hex": ignore, "decoded": ignore,
    "file": setter("file", whole), "process": setter("process", whole), "thread": setter("thread", whole),
    "node": setter("node", text), "flags": setter("flags", lambda value: unwords(text(value), OPEN_FLAGS)),
    "mode": setter("mode", lambda value: int(text(value), 8)),
    "size": setter("size", whole), "offset": setter("offset", whole), "whence": setter("operation", text),
    "operation": setter("operation", text), "request": setter("request", lambda value: int(text(value), 16)),
    "name": setter("label", text), "value": setter("argument", whole),
    "in": setter("before", unsegments), "out": setter("after", unsegments),
    "new": setter("new_file", whole), "place": setter("place", whole), "pointers": setter("pointers", tuple),
    "incomplete": setter("incomplete", bool), "finished": setter("finished", bool),
    "asked": setter("asked", lambda value: unwords(text(value), POLL_BITS)),
    "ready": setter("ready", lambda value: unwords(text(value), POLL_BITS)),
    "timeout": setter("timeout", seconds), "result": setter("result", whole), "error": setter("error", errno_name),
    "since": setter("since", whole), "time": setter("time", seconds), "took": setter("took", seconds),
}  # fmt: skip


# ---- Header and nodes ----------------------------------------------------------------------------------


def node_object(node: Node) -> dict[str, Any]:
    """A node as the object of its line."""
    line: dict[str, Any] = {"node": node.path}
    if node.kind != "char":
        line["kind"] = node.kind
    line["rdev"] = f"{node.rdev[0]}:{node.rdev[1]}"
    if node.mode != 0o666:
        line["mode"] = f"{node.mode:04o}"
    if node.surroundings:
        shown: dict[str, Any] = {}
        for path, content in sorted(node.surroundings.items()):
            if isinstance(content, Link):
                shown[path] = {"link": str(content)}
            else:
                shown[path] = {}
                put_bytes(shown[path], content)
        line["surroundings"] = shown
    return line


def node_of(line: Mapping[str, Any]) -> Node:
    """The node of an object.  Raises KeyError, TypeError, ValueError."""
    node = Node(text(line["node"]), text(line.get("kind", "char")))
    if node.kind not in ("tty", "block", "char"):
        raise ValueError(f'kind {node.kind!r}: it is "tty", "block" or "char"')
    major, _, minor = text(line.get("rdev", "0:0")).partition(":")
    node.rdev = (int(major), int(minor))
    node.mode = int(text(line.get("mode", "0666")), 8)
    for path, content in line.get("surroundings", {}).items():
        node.surroundings[path] = Link(text(content["link"])) if "link" in content else take_bytes(content)
    return node


def header_object(header: Header) -> dict[str, Any]:
    """The first line's object."""
    line: dict[str, Any] = {"format": FORMAT, "by": header.by, "made": header.made}
    line.update(machine=header.machine, word=header.word, order=header.order)
    if header.program:
        line["program"] = header.program
    if header.command:
        line["command"] = header.command
    if header.stable:
        line["stable"] = True
    if header.nodes:
        line["nodes"] = [node_object(node) for node in header.nodes.values()]
    if header.ioctls:
        line["ioctls"] = list(header.ioctls.values())
    return line


def header_of(line: Mapping[str, Any]) -> Header:
    """The header of the first line's object.  Raises KeyError, TypeError, ValueError."""
    form = text(line["format"])
    if form != FORMAT:
        raise ValueError(f"format {form!r}; this devshim reads {FORMAT!r}")
    header = Header(text(line.get("by", "")), text(line.get("made", "record")))
    header.machine = text(line.get("machine", "x86_64"))
    header.word = whole(line.get("word", 8))
    header.order = text(line.get("order", "little"))
    header.program = text(line.get("program", ""))
    header.command = [text(word) for word in line.get("command", [])]
    header.stable = bool(line.get("stable", False))
    header.nodes = {node.path: node for node in map(node_of, line.get("nodes", []))}
    header.ioctls = {int(text(one["request"]), 16): one for one in line.get("ioctls", [])}
    return header
