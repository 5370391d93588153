"""A device model made of a trace: its answers are literals, to be read and edited; it does not load the trace."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable

from devshim.errors import DevshimError
from devshim.model.device import Link
from devshim.model.serial import Serial
from devshim.trace.described import Described
from devshim.trace.event import Event, Node, SysFile
from devshim.trace.format.reader import Trace
from devshim.trace.show import escaped
from devshim.trace.stub import i2c as stub_i2c
from devshim.trace.stub import serial as stub_serial
from devshim.trace.stub import spi as stub_spi
from devshim.trace.stub.device import Classes
from devshim.trace.stub.literals import IN_TURN, bytes_literal, class_name, listed, text_literal
from devshim.trace.stub.storage import disk_class, file_class

MOST_EVENTS = 200_000
MOST_AROUND = 65536  # bytes of what /sys shows that are written down
TYPES = {"tty": stat.S_IFCHR, "char": stat.S_IFCHR, "block": stat.S_IFBLK}

HEAD = '''\
"""{what}, made by devshim stub from {trace}: it answers as it was recorded.

What the recording does not have is marked "fill in".
"""
'''


class NothingToStub(DevshimError):
    """A trace holds nothing that a model could be made of; the line says why, and the way out."""

    exit_code = 2


def stub(trace: Trace, events: Iterable[Event], name: str) -> str:
    """The source of a module with a model for each node of the events; name is the trace's, for its docstring.

    Raises NothingToStub.
    """
    nodes: dict[str, list[Event]] = {}
    for count, event in enumerate(events, 1):
        if count > MOST_EVENTS:
            raise NothingToStub(f"{trace.path}: more than {MOST_EVENTS} calls; choose some: devshim stub TRACE 1-5000")
        nodes.setdefault(event.node, []).append(event)
    if not nodes:
        raise NothingToStub(f"{trace.path}: no calls; devshim stats shows what the trace holds")
    module = Module(Described(trace.header))
    for path, chosen in nodes.items():
        module.add(trace.header.nodes.get(path) or Node(path), chosen)
    return module.source(name, list(nodes))


class Module:
    """The source of a module, class by class."""

    def __init__(self, described: Described) -> None:
        self.made = Classes(described)
        self._names: list[str] = []

    def add(self, node: Node, events: list[Event]) -> None:
        """Add the model of a node."""
        name = class_name(node.path, self._names)
        self._names.append(name)
        if node.kind == "tty":
            lines, needs = stub_serial.body(events)
            self.made.needs |= needs
            around = [] if usual_of_serial(node) else self._surroundings(node)
            self.made.found.append((name, "Serial", [*lines, *around]))
        elif stub_i2c.is_i2c(events):
            found, needs = stub_i2c.classes(name, events)
            self.made.needs |= needs
            self.made.found += found
        elif stub_spi.is_spi(events):
            self.made.needs.add("SpiChip")
            self.made.found.append((name, "SpiChip", stub_spi.body(events)))
        elif node.kind == "block":
            self._disk(name, node, events)
        else:
            self.made.device(name, events, numbers(node))
            made, base, lines = self.made.found.pop()
            self.made.found.append((made, base, [*lines, *self._surroundings(node)]))

    def _disk(self, name: str, node: Node, events: list[Event]) -> None:
        """A disk is a device whose ioctls belong to its files."""
        rest = [event for event in events if event.name == "ioctl"]
        before = len(self.made.found)
        self.made.device(f"{name}File", rest, [])
        own = self.made.found.pop()
        made = self.made.found[before:]
        lines = [line for line in own[2] if not line.startswith(("turns =", "written ="))]
        self.made.needs |= {"Device", "File"}
        self.made.found = [
            *self.made.found[:before],
            *made,
            (f"_{name}File", "File", [*file_class(name), *lines]),
            (name, "Device", [*numbers(node), "turns = {}  # which answer is next", *disk_class(name, events)]),
        ]

    def _surroundings(self, node: Node) -> list[str]:
        """A surroundings() where the trace has what /sys shows."""
        rows, size = [], 0
        for path, recorded in node.surroundings.items():
            content = recorded.content if isinstance(recorded, SysFile) else recorded
            size += len(content)
            if isinstance(content, Link):
                self.made.needs.add("Link")
                rows.append(f"{text_literal(path)}: Link({text_literal(content)})")
            else:
                rows.append(f"{text_literal(path)}: {bytes_literal(content)}")
        if not rows or size > MOST_AROUND:
            return []
        return ["", "def surroundings(self, node, major, minor):", f"    return {listed(rows, 4, '{', '}')}"]

    def source(self, trace: str, nodes: list[str]) -> str:
        """The whole module."""
        parts = []
        for name, base, lines in self.made.found:
            text = "\n".join(f"    {line}" if line else "" for part in lines for line in part.split("\n"))
            doc = f'    """{name.lstrip("_")}, as it was recorded."""\n\n' if not name.startswith("_") else ""
            parts.append(f"class {name}({base}):\n{doc}{text.strip(chr(10))}\n")
        structures = ["\n".join(lines) + "\n" for lines in self.made.types.classes]
        body = "\n\n".join([*structures, *([IN_TURN] if any("in_turn(" in part for part in parts) else []), *parts])
        imports = [f"import {module}\n" for module in ("errno", "os", "stat") if re.search(rf"\b{module}\.", body)]
        what = ", ".join(nodes[:3]) + (" and others" if len(nodes) > 3 else "")
        head = HEAD.format(what=in_docstring(what), trace=in_docstring(trace))
        used = sorted(one for one in self.made.types.used if re.search(rf"\b{one}\b", body))
        if used:
            imports.append(f"from ctypes import {', '.join(used)}\n")
        ours = sorted((one for one in self.made.needs if re.search(rf"\b{one}\b", body)), key=import_order)
        return f"{head}\n{''.join(imports)}{chr(10) * bool(imports)}from devshim import {', '.join(ours)}\n\n\n{body}"


def usual_of_serial(node: Node) -> bool:
    """Whether what /sys shows of a port is what Serial shows of its own accord."""
    own = Serial().surroundings(node.path, *node.rdev)
    return own.keys() == node.surroundings.keys() and all(
        own[path] == content or not isinstance(own[path], (bytes, str)) for path, content in node.surroundings.items()
    )


def in_docstring(text: str) -> str:
    """A stranger's text as it may stand in a docstring."""
    return escaped(text).replace("\\", "\\\\").replace('"', '\\"')


def import_order(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def numbers(node: Node) -> list[str]:
    """Attributes that the node asks for."""
    lines = [f"major, minor = {node.rdev[0]}, {node.rdev[1]}"] if node.rdev[0] else []
    if node.kind == "block":
        return [*lines, f"mode = stat.S_IFBLK | {node.mode:#o}"]
    return [*lines, f"mode = stat.S_IFCHR | {node.mode:#o}"] if node.mode != 0o666 else lines
