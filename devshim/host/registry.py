"""The registry: what is plugged, and which inodes are carriers, written where all targets can read it.

Targets read it without locks.  So an entry's key is written last and taken away first, and nothing that a
reader may be looking at is moved.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Collection, Iterable

from devshim.errors import DevshimError
from devshim.host import wire
from devshim.host._channel import create_registry
from devshim.host.wire import Carrier, DeviceEntry, Node


class RegistryFull(DevshimError):
    """More nodes, carriers or texts than the registry has room for."""


class Registry:
    """The registry file of one run, at `path`; only the host writes it, under its lock.

    It exists already where a program may have started before the host; else it is made.
    """

    def __init__(self, path: str) -> None:
        with contextlib.suppress(FileExistsError):
            create_registry(path)
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._map = mmap.mmap(fd, wire.REGISTRY_SIZE)
        finally:
            os.close(fd)
        self.head = head = wire.Registry.from_buffer(self._map)
        self._nodes = (Node * wire.MAX_NODES).from_buffer(self._map, head.nodes_at)
        self._carriers = (Carrier * wire.MAX_CARRIERS).from_buffer(self._map, head.carriers_at)
        self._devices = (DeviceEntry * wire.MAX_DEVICES).from_buffer(self._map, head.devices_at)
        self._text_at: int = head.text_at
        self._texts: dict[bytes, int] = {}
        self._device_count = 1  # index 0 means none
        self._free_devices: list[int] = []
        self._roots: list[bytes] = []
        head.host_pid = os.getpid()

    # ---- Nodes

    def add_node(self, path: str, kind: int, device: int = 0, directory: bool = False) -> None:
        """Enter a path; one that is there already changes its kind."""
        name = os.fsencode(path)
        hashed = wire.fnv1a(name)
        self.add_root(name)
        node = self._find_node(name, hashed) or self._free_node(hashed)
        node.hash, node.path, node.length, node.device = hashed, self.text(name + b"\0"), len(name), device
        node.directory = directory
        node.kind = kind
        self.head.changes += 1

    def remove_node(self, path: str) -> None:
        """Take a path out again."""
        name = os.fsencode(path)
        node = self._find_node(name, wire.fnv1a(name))
        if node is not None:
            node.kind = wire.NODE_GONE
            self.head.changes += 1

    def _find_node(self, name: bytes, hashed: int) -> Node | None:
        for step in range(wire.MAX_NODES):
            node = self._nodes[(hashed + step) % wire.MAX_NODES]
            if node.kind == wire.NODE_FREE:
                return None
            if node.kind != wire.NODE_GONE and node.hash == hashed and node.length == len(name):
                at = self._text_at + node.path
                if self._map[at : at + len(name)] == name:
                    return node
        return None

    def _free_node(self, hashed: int) -> Node:
        for step in range(wire.MAX_NODES):
            node = self._nodes[(hashed + step) % wire.MAX_NODES]
            if node.kind in (wire.NODE_FREE, wire.NODE_GONE):
                return node
        raise RegistryFull(f"more than {wire.MAX_NODES} nodes in one run")

    def add_root(self, name: bytes) -> None:
        """Let the shim look at paths below the first directory of this one."""
        root = b"/" + name.split(b"/")[1] + b"/"
        if root in self._roots:
            return
        joined = b"".join(r + b"\0" for r in [*self._roots, root])
        if len(joined) >= 511:
            raise RegistryFull("nodes below more than some 50 different top directories")
        self._roots.append(root)
        at = wire.Registry.roots.offset
        self._map[at : at + len(joined)] = joined  # ctypes would stop at the first NUL
        self.head.root_length = len(joined)

    def defer(self, directories: Iterable[str]) -> None:
        """What is below these is not laid out yet: targets ask first."""
        for directory in directories:
            self.add_root(os.fsencode(directory))
        self.head.flags |= wire.REGISTRY_PENDING
        self.head.changes += 1

    def settled(self) -> None:
        """All is laid out."""
        self.head.flags &= ~wire.REGISTRY_PENDING

    def declare(self, patterns: Collection[str], functions: Collection[str]) -> None:
        """Have targets ask before they open a path that matches a pattern, and let functions of theirs be replaced."""
        lists = [b"".join(os.fsencode(name) + b"\0" for name in names) + b"\0" for names in (patterns, functions)]
        self.head.declared = self.text(b"".join(lists))
        self.head.flags |= wire.REGISTRY_OPENINGS if patterns else 0
        self.head.flags |= wire.REGISTRY_HOOKS if functions else 0

    # ---- Devices

    def add_device(
        self, path: str, flags: int, mode: int, rdev: int, ioctls: bytes, record: int = 0, gone: int = 0
    ) -> int:
        """Enter a device; returns its index."""
        if self._free_devices:
            index = self._free_devices.pop(0)  # late, in case somebody still reads the old entry
        else:
            index, self._device_count = self._device_count, self._device_count + 1
        if index >= wire.MAX_DEVICES:
            raise RegistryFull(f"more than {wire.MAX_DEVICES - 1} devices in one run")
        entry = self._devices[index]
        entry.flags, entry.mode, entry.rdev = flags, mode, rdev
        entry.record, entry.gone = record, gone
        entry.path = self.text(os.fsencode(path) + b"\0")
        entry.ioctls = self.text(ioctls) if ioctls else 0
        return index

    def set_ioctls(self, index: int, ioctls: bytes) -> None:
        """Give a device another table; calls that are under way go on with the one before."""
        self._devices[index].ioctls = self.text(ioctls) if ioctls else 0

    def remove_device(self, index: int) -> None:
        """Let the index be used again; the caller knows that no carrier refers to it."""
        self._free_devices.append(index)

    def text(self, content: bytes) -> int:
        """Put bytes into the text area, 8-aligned, each content once; returns their offset."""
        known = self._texts.get(content)
        if known is not None:
            return known
        at: int = (self.head.text_used + 7) & ~7
        if self._text_at + at + len(content) > wire.REGISTRY_SIZE:
            raise RegistryFull("the registry's room for paths and ioctl descriptions is used up")
        self._map[self._text_at + at : self._text_at + at + len(content)] = content
        self.head.text_used = at + len(content)
        self._texts[content] = at
        return at

    # ---- Carriers

    def add_carrier(self, dev: int, inode: int, born_ns: int, device: int, file: int, access: int) -> None:
        """Let descriptors with this inode be a device's."""
        for step in range(wire.MAX_CARRIERS):
            carrier = self._carriers[(inode + step) % wire.MAX_CARRIERS]
            if carrier.inode in (wire.CARRIER_FREE, wire.CARRIER_GONE):
                carrier.dev, carrier.born, carrier.device = dev, born_ns, device
                carrier.file, carrier.access = file, access
                carrier.inode = inode
                return
        raise RegistryFull(f"more than {wire.MAX_CARRIERS} files are open in one run")

    def remove_carrier(self, dev: int, inode: int) -> None:
        """The carrier's last descriptor has gone, or its device has."""
        for step in range(wire.MAX_CARRIERS):
            index = (inode + step) % wire.MAX_CARRIERS
            carrier = self._carriers[index]
            if carrier.inode == wire.CARRIER_FREE:
                return
            if carrier.inode == inode and carrier.dev == dev:
                behind = self._carriers[(index + 1) % wire.MAX_CARRIERS]
                carrier.inode = wire.CARRIER_FREE if behind.inode == wire.CARRIER_FREE else wire.CARRIER_GONE
                return

    def publish(self) -> None:
        """All is plugged."""
        self.head.ready = 1

    def close(self) -> None:
        """Let go of the mapping; nothing can be entered any more."""
        del self.head, self._nodes, self._carriers, self._devices
        with contextlib.suppress(BufferError):  # somebody still looks at an entry: it goes with him
            self._map.close()
