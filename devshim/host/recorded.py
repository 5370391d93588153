"""What is recorded in a run: which nodes, hardware and models, and what is known of their ioctls."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from devshim.errors import SpecError
from devshim.host import wire
from devshim.host.snapshot import surroundings_of_folder, sysfs_folder
from devshim.host.table import compile_table
from devshim.known import for_node
from devshim.model.attribute import Attribute
from devshim.model.description import Description, Descriptions
from devshim.model.device import Link
from devshim.trace.event import Node, SysFile

if TYPE_CHECKING:
    from devshim.host.registry import Registry
    from devshim.model.attribute import Picture
    from devshim.model.device import Device, File

#: Major numbers of terminals that have nothing in /sys: /dev/pts/N, and the other ends of old pseudo-terminals.
PSEUDO_TERMINALS = range(136, 144)
PTMX, TTY = (5, 2), (5, 0)


class Recorded(NamedTuple):
    """One entry of the registry that is recorded; a model's node has one for each class of its files."""

    node: Node
    descriptions: Descriptions
    hardware: bool = False


class RecordedNodes:
    """Finds and adds what is recorded.

    path       a file to which each addition is written, for whoever has to finish the trace without us
    described  what the user's own files describe: it goes before what is known of the kernel's
    around     what a node's surroundings are to be; nothing where no snapshot is wanted
    """

    def __init__(
        self,
        path: str,
        registry: Registry,
        described: Iterable[Description] = (),
        around: Callable[[Node], dict[str, Any]] | None = None,
    ) -> None:
        self.registry = registry
        self.described = list(described)
        self.around = around
        self.with_models = True
        """Whether plugged models are recorded, too."""
        self.asked: list[Node] = []
        """Of what was asked for by name, that of which more is to be told than calls."""
        self.elsewhere: dict[str, str] = {}
        """Links outside /dev by which nodes were asked for, by the node: a trace has no say in what is there."""
        self.by_index: dict[int, Recorded] = {}
        self.nodes: dict[str, Node] = {}
        self._hardware: dict[tuple[int, int], int] = {}
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def find(self, index: int) -> Recorded | None:
        """What has this index in the registry."""
        return self.by_index.get(index)

    def add_hardware(self, path: str, name: str = "") -> int:
        """Record a real node, or what a link leads to; returns its index.  name: what the trace calls it.

        Raises OSError where it cannot be looked at, SpecError where it is no device node.
        """
        real = os.path.realpath(path)
        status = os.stat(real)
        if not (stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode)):
            raise SpecError(f"{path}: this is no device node, so there is nothing to record; name one below /dev")
        identity = status.st_dev, status.st_ino
        if identity not in self._hardware:
            self._hardware[identity] = self._enter_hardware(name or real, status)
        index = self._hardware[identity]
        if not name and os.path.abspath(path) != real:
            self.add_link(index, os.path.abspath(path))
            if not os.path.abspath(path).startswith("/dev/"):
                self.elsewhere[real] = os.path.abspath(path)
        return index

    def add_folder(self, path: str) -> None:
        """Take down what a folder of /sys shows, for programs that open nothing below /dev.

        Raises SpecError where no snapshot is wanted.
        """
        if self.around is None:
            raise SpecError(f"{path}: this is a folder, of which --snapshot takes down what it shows")
        self.asked.append(Node(os.path.realpath(path), "sysfs", surroundings=surroundings_of_folder(path)))

    def add_files(self, path: str, device: Device) -> None:
        """Take down what a plugged model shows that has no node: it is a folder of /sys."""
        self.asked.append(Node(path, "sysfs", surroundings=dict(as_they_are(device.surroundings(path, 0, 0)))))

    def _enter_hardware(self, path: str, status: os.stat_result) -> int:
        rdev = os.major(status.st_rdev), os.minor(status.st_rdev)
        node = Node(path, kind_of(status.st_mode, rdev), rdev, stat.S_IMODE(status.st_mode))
        if self.around is not None:
            node.surroundings.update(self.around(node))
        known = Descriptions([*for_node(path, node.kind, rdev), *self.described])
        flags = wire.DEVICE_RECORD | wire.DEVICE_HARDWARE | (wire.DEVICE_TTY if node.kind == "tty" else 0)
        table = compile_table(known.all) if known.all else b""
        index = self.registry.add_device(path, flags, status.st_mode, status.st_rdev, table)
        self._add(index, Recorded(node, known, True))
        self.registry.add_carrier(wire.CARRIER_ANONYMOUS, index + wire.FIRST_ANONYMOUS, 0, index, 0, os.O_RDWR)
        self.registry.add_carrier(status.st_dev, status.st_ino, 0, index, 0, os.O_RDWR)
        return index

    def also_unopened(self, index: int) -> None:
        """What is around a node is to be told even where nobody opens it."""
        if self.around is not None and self.by_index[index].node not in self.asked:
            self.asked.append(self.by_index[index].node)

    def add_link(self, index: int, link: str) -> None:
        """A link by which programs find a node is part of its surroundings, where it lies under /dev."""
        node = self.by_index[index].node
        if link.startswith("/dev/") and os.path.islink(link) and link not in node.surroundings:
            node.surroundings[link] = Link(os.readlink(link))

    def model_table(self, file: type[File], node: str, native: Iterable[int]) -> bytes:
        """The ioctls of a class of files of a model: its own, and what is known of those that its carrier answers."""
        known = Descriptions(for_node(node))
        return compile_table([followed(one, known) for one in file.ioctls.values()], native, known)

    def add_model(self, index: int, path: str, file: type[File], device: Device, rdev: int, flags: int) -> None:
        """Record a plugged model's files of a class; it has been entered into the registry.

        What the model shows around its node goes into the trace, for its clients look for it in the replay, too.
        """
        number = os.major(rdev), os.minor(rdev)
        kind = "tty" if flags & wire.DEVICE_TTY else "block" if stat.S_ISBLK(device.mode) else "char"
        node = self.nodes.get(path)
        if node is None:
            node = Node(path, kind, number, stat.S_IMODE(device.mode))
            node.surroundings.update(as_they_are(device._pictured(path, *number)))
        known = Descriptions(for_node(path, kind, number))
        own = [followed(one, known) for one in dict.fromkeys(file.ioctls.values())]
        self._add(index, Recorded(node, Descriptions([*known.all, *self.described, *own])))

    def _add(self, index: int, recorded: Recorded) -> None:
        self.by_index[index] = recorded
        self.nodes[recorded.node.path] = recorded.node
        os.write(self._file, to_line(index, recorded))

    def close(self) -> None:
        """Add nothing more."""
        os.close(self._file)


def followed(own: Description, known: Descriptions) -> Description:
    """A model's description of a request; where more is known of what its answer leads to, that."""
    found = known.find(own.number)
    if found is None or not found.follows:
        return own
    found = copy(found)
    found.fills = own.fills
    return found


def as_they_are(around: Picture) -> Iterator[tuple[str, Any]]:
    """What is around a model, with the attributes that compute as they are now."""
    for path, content in around.items():
        if not isinstance(content, Attribute):
            yield path, content
        elif path.endswith("/uevent"):
            yield path, b""
        else:
            shown, failure = b"", ""
            try:
                shown = content.content() if content.show is not None else b""
            except (OSError, ValueError) as problem:
                failure = errno.errorcode.get(getattr(problem, "errno", 0) or 0, "EIO")
            plain = content.mode == 0o444 and not failure
            yield path, shown if plain else SysFile(shown, content.mode, failure)


def kind_of(mode: int, rdev: tuple[int, int]) -> str:
    """What kind of node a real one is."""
    if stat.S_ISBLK(mode):
        return "block"
    if rdev == PTMX:  # its files are the other ends of terminals
        return "char"
    if rdev == TTY or rdev[0] in PSEUDO_TERMINALS:
        return "tty"
    try:
        subsystem = os.path.basename(os.readlink(os.path.join(sysfs_folder("char", rdev), "subsystem")))
    except OSError:
        return "char"
    return "tty" if subsystem == "tty" else "char"


# ---- For whoever has to finish the trace ----------------------------------------------------------------


def to_line(index: int, recorded: Recorded) -> bytes:
    """An entry as a line of JSON."""
    from devshim.trace.description import to_object
    from devshim.trace.format.lines import node_object

    described = [to_object(one) for one in recorded.descriptions.all]
    line = {"index": index, "node": node_object(recorded.node), "ioctls": described}
    return json.dumps(line).encode() + b"\n"


def from_file(path: str) -> dict[int, Recorded]:
    """All entries of a file that RecordedNodes has written."""
    from devshim.trace.description import descriptions_of
    from devshim.trace.format.lines import node_of

    found: dict[int, Recorded] = {}
    with open(path, "rb") as file:
        for line in file:
            entry: Mapping[str, Any] = json.loads(line)
            found[entry["index"]] = Recorded(node_of(entry["node"]), descriptions_of(entry["ioctls"]))
    return found
