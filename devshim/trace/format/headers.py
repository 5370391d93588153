"""The lines of a trace beside events: its header, and the nodes that it names; in JSON, and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from devshim.model.device import Link
from devshim.trace.event import Header, Node, SysFile
from devshim.trace.format import checks
from devshim.trace.format.checks import PRINTABLE, Wrong, kind_of, shortened, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = "devtrace/1"
MOST_NODES = 65536
MOST_WORDS = 65536


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
    if "text" in of:
        if "hex" in of:
            raise Wrong("text and hex stand side by side; bytes have one of them")
        return checks.text_bytes(of["text"])
    return checks.hex_bytes(of["hex"]) if "hex" in of else b""


def members(line: Any, known: Mapping[str, Callable[[Any], Any]], what: str, needs: str = "") -> dict[str, Any]:
    """The checked members of an object.  Raises ValueError for one that is unknown, wrong or missing."""
    if not isinstance(line, Mapping):
        raise Wrong(f"{what} must be an object, not {kind_of(line)}")
    if needs and needs not in line:
        raise Wrong(f"{what} lacks its member {needs}")
    found = {}
    for member, value in line.items():
        if member not in known:
            raise Wrong(f"{what} has no member {shortened(member)}")
        try:
            found[member] = known[member](value)
        except TypeError:  # of a check that remembers what it has seen: this cannot be
            raise Wrong(f"{member}: must be a text, not {kind_of(value)}") from None
        except ValueError as problem:
            raise Wrong(f"{member}: {problem}") from None
    return found


def listed(value: Any, most: int) -> list[Any]:
    """A list that is not too long."""
    if type(value) is not list:
        raise Wrong(f"must be a list, not {kind_of(value)}")
    if len(value) > most:
        raise Wrong(f"a list of {len(value)}; at most {most}")
    return value


# ---- Nodes ---------------------------------------------------------------------------------------------


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
            elif isinstance(content, SysFile):
                shown[path] = sys_file_object(content)
            else:
                shown[path] = {}
                put_bytes(shown[path], content)
        line["surroundings"] = shown
    return line


def sys_file_object(file: SysFile) -> dict[str, Any]:
    """A file of /sys as the object that stands at its path."""
    shown: dict[str, Any] = {}
    if file.failure:
        shown["errno"] = file.failure
    elif file.content:
        put_bytes(shown, file.content)
    if file.mode != 0o444 or not shown:
        shown["mode"] = f"{file.mode:04o}"
    if file.writes:
        shown["writes"] = []
        for data, error in file.writes.items():
            write: dict[str, Any] = {}
            put_bytes(write, data)
            shown["writes"].append({**write, "errno": error} if error else write)
    return shown


def node_of(line: Mapping[str, Any]) -> Node:
    """The node of an object.  Raises ValueError."""
    found = members(line, NODE, "a node", "node")
    return Node(
        found["node"],
        found.get("kind", "char"),
        found.get("rdev", (0, 0)),
        found.get("mode", 0o666),
        found.get("surroundings", {}),
    )


def kind(value: Any) -> str:
    """What sort of node it is."""
    if value not in checks.KINDS:
        raise Wrong(f'{shortened(value)}: it is "tty", "block", "char" or "sysfs"')
    return str(value)


def numbers(value: Any) -> tuple[int, int]:
    """Major and minor number."""
    match = re.fullmatch(r"([0-9]{1,7}):([0-9]{1,7})", text(value))
    if match is None or int(match[1]) >= 1 << 12 or int(match[2]) >= 1 << 20:
        raise Wrong(f"{shortened(value)} is no MAJOR:MINOR such as 188:0")
    return int(match[1]), int(match[2])


def surroundings(value: Any) -> dict[str, Any]:
    """Files and links around a node."""
    if not isinstance(value, Mapping):
        raise Wrong(f"must be an object of paths, not {kind_of(value)}")
    return {checks.path_around(path): content_of(path, content) for path, content in value.items()}


def content_of(path: str, content: Any) -> bytes | Link | SysFile:
    """What one of them holds."""
    if not isinstance(content, Mapping) or len(content.keys() & {"text", "hex", "link", "errno"}) > 1:
        raise Wrong(f"{shortened(path)}: must be one of text, hex, link, errno")
    if content.keys() & {"errno", "mode", "writes"}:
        return sys_file_of(path, content)
    if not content.keys() <= {"text", "hex", "link"}:
        raise Wrong(f"{shortened(path)}: must be one of text, hex, link, errno")
    if "link" not in content:
        return take_bytes(content)
    if not content["link"]:
        raise Wrong(f"{shortened(path)}: a link to nothing")
    return Link(text(content["link"]))


def sys_file_of(path: str, content: Mapping[str, Any]) -> SysFile:
    """A file of /sys of its object."""
    if not path.startswith("/sys/"):
        raise Wrong(f"{shortened(path)}: only files below /sys have errno, mode, writes")
    found = members(content, SYS_FILE, f"{shortened(path)}")
    writes: dict[bytes, str] = {}
    for one in found.get("writes", ()):
        if not isinstance(one, Mapping) or not one.keys() <= {"text", "hex", "errno"}:
            raise Wrong(f"{shortened(path)}: a write has text or hex, and errno")
        data = {name: value for name, value in one.items() if name != "errno"}
        writes[take_bytes(data)] = checks.errno_name(one["errno"]) if "errno" in one else ""
    shown = {name: value for name, value in content.items() if name in ("text", "hex")}
    return SysFile(take_bytes(shown) if shown else b"", found.get("mode", 0o444), found.get("errno", ""), writes)


SYS_FILE: dict[str, Callable[[Any], Any]] = {
    "text": lambda value: value,
    "hex": lambda value: value,
    "errno": checks.errno_name,
    "mode": checks.octal,
    "writes": lambda value: listed(value, MOST_WORDS),
}


NODE: dict[str, Callable[[Any], Any]] = {
    "node": checks.path,
    "kind": kind,
    "rdev": numbers,
    "mode": checks.octal,
    "surroundings": surroundings,
}


# ---- The header ----------------------------------------------------------------------------------------


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
    """The header of the first line's object.  Raises ValueError."""
    if not isinstance(line, Mapping) or "format" not in line:
        raise Wrong('it does not begin as a trace does, with {"format": "devtrace/1"')
    version(line["format"])
    found = members(line, HEADER, "the header", "format")
    del found["format"]
    nodes = {node.path: node for node in found.pop("nodes", [])}
    ioctls = dict(found.pop("ioctls", []))
    return Header(nodes=nodes, ioctls=ioctls, **found)


def version(value: Any) -> str:
    """Refuse what this reader was not made for; a later minor version (devtrace/1.2) only adds."""
    match = re.fullmatch(r"devtrace/([0-9]{1,9})(\.[0-9]{1,9})?", text(value))
    if match is None:
        raise Wrong(f"format {shortened(value)} is not {FORMAT}")
    if match[1] != "1":
        raise Wrong(f"format {value}: this devshim reads {FORMAT}; a newer one may read it")
    return str(value)


def word(value: Any) -> int:
    """Bytes of a pointer."""
    if value not in (4, 8) or type(value) is not int:
        raise Wrong(f"{shortened(value)}: a pointer has 4 or 8 bytes")
    return int(value)


def order(value: Any) -> str:
    """Byte order."""
    if value not in ("little", "big"):
        raise Wrong(f'{shortened(value)}: it is "little" or "big"')
    return str(value)


def ioctl_of(value: Any) -> tuple[int, dict[str, Any]]:
    """A request's number, and its description as it stands; devshim/trace/description.py reads it.

    Raises ValueError.
    """
    if not isinstance(value, Mapping) or "request" not in value:
        raise Wrong("a description of an ioctl is an object with a member request")
    try:
        return checks.request(value["request"]), dict(value)
    except (ValueError, TypeError) as problem:
        raise Wrong(f"request: {problem}") from None


HEADER: dict[str, Callable[[Any], Any]] = {
    "format": version,
    "by": text,
    "made": text,
    "machine": text,
    "word": word,
    "order": order,
    "program": text,
    "command": lambda value: [text(one) for one in listed(value, MOST_WORDS)],
    "stable": checks.truth,
    "nodes": lambda value: [node_of(one) for one in listed(value, MOST_NODES)],
    "ioctls": lambda value: [ioctl_of(one) for one in listed(value, MOST_WORDS)],
}
