"""The registry: what is plugged, and which inodes are carriers, written where all targets can read it.

Targets read it without locks.  So an entry's key is written last and taken away first, and nothing that a
reader may be looking at is moved.  The file is sparse, and each of its pages gets its room on the disk before anybody
looks at it: a full disk is an error of a call then, where it would be a signal (SIGBUS) otherwise.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Collection, Iterable
from ctypes import sizeof

from devshim.errors import DevshimError
from devshim.host import wire
from devshim.host._channel import create_registry
from devshim.host.wire import Carrier, DeviceEntry, Node

PAGE = 4096


class RegistryFull(DevshimError):
    """More nodes, carriers or texts than the registry has room for."""


class Registry:
    """The registry file of one run, at `path`; only the host writes it, under its lock.

    Whatever enters something raises OSError (ENOSPC) where the disk is full.

    It exists already where a program may have started before the host; else it is made.
    """

    def __init__(self, path: str) -> None:
        with contextlib.suppress(FileExistsError):
            create_registry(path)
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._map = mmap.mmap(self._file, wire.REGISTRY_SIZE)
        except BaseException:
            os.close(self._file)
            raise
        self._present: set[int] = set()
        self.head = head = wire.Registry.from_buffer(self._map)
        self._nodes = (Node * wire.MAX_NODES).from_buffer(self._map, head.nodes_at)
        self._carriers = (Carrier * wire.MAX_CARRIERS).from_buffer(self._map, head.carriers_at)
        self._devices = (DeviceEntry * wire.MAX_DEVICES).from_buffer(self._map, head.devices_at)
        self._nodes_at: int = head.nodes_at
        self._carriers_at: int = head.carriers_at
        self._devices_at: int = head.devices_at
        self._text_at: int = head.text_at
        self._reserve(self._devices_at, PAGE)  # of these somebody may look at the first, which means none
        self._reserve(self._text_at, PAGE)
        self._texts: dict[bytes, int] = {}
        self._device_count = 1  # index 0 means none
        self._free_devices: list[int] = []
        self._roots: list[bytes] = []
        self._declared: tuple[tuple[str, ...], tuple[str, ...]] = (), ()
        head.host_pid = os.getpid()

    # ---- Room on the disk

    def _reserve(self, at: int, size: int) -> None:
        """Have room for these bytes, or raise OSError."""
        for page in range(at // PAGE, (at + size - 1) // PAGE + 1):
            if page not in self._present:
                os.posix_fallocate(self._file, page * PAGE, PAGE)
                self._present.add(page)
                self.head.present[page // 64] |= 1 << page % 64

    def _node(self, index: int) -> Node | None:
        """An entry that may be looked at; None for a free one."""
        there = (self._nodes_at + index * sizeof(Node)) // PAGE in self._present
        return self._nodes[index] if there else None

    def _carrier(self, index: int) -> Carrier | None:
        """An entry that may be looked at; None for a free one."""
        there = (self._carriers_at + index * sizeof(Carrier)) // PAGE in self._present
        return self._carriers[index] if there else None

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
            node = self._node((hashed + step) % wire.MAX_NODES)
            if node is None or node.kind == wire.NODE_FREE:
                return None
            if node.kind != wire.NODE_GONE and node.hash == hashed and node.length == len(name):
                at = self._text_at + node.path
                if self._map[at : at + len(name)] == name:
                    return node
        return None

    def _free_node(self, hashed: int) -> Node:
        for step in range(wire.MAX_NODES):
            index = (hashed + step) % wire.MAX_NODES
            node = self._node(index)
            if node is None or node.kind in (wire.NODE_FREE, wire.NODE_GONE):
                self._reserve(self._nodes_at + index * sizeof(Node), sizeof(Node))
                return self._nodes[index]
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

    def declare(self, patterns: Collection[str] | None = None, functions: Collection[str] | None = None) -> None:
        """Have targets ask before they open a path that matches a pattern, and let functions of theirs be replaced.

        These, and no others any more; None: what there is stays.
        """
        declared = (
            self._declared[0] if patterns is None else tuple(patterns),
            self._declared[1] if functions is None else tuple(functions),
        )
        lists = [b"".join(os.fsencode(name) + b"\0" for name in names) + b"\0" for names in declared]
        self.head.declared = self.text(b"".join(lists))
        other = self.head.flags & ~(wire.REGISTRY_OPENINGS | wire.REGISTRY_HOOKS)
        ours = (wire.REGISTRY_OPENINGS if declared[0] else 0) | (wire.REGISTRY_HOOKS if declared[1] else 0)
        self.head.flags = other | ours  # in one step, for targets are looking
        self._declared = declared

    # ---- Devices

    def add_device(
        self, path: str, flags: int, mode: int, rdev: int, ioctls: bytes, record: int = 0, gone: int = 0
    ) -> int:
        """Enter a device; returns its index."""
        path_at = self.text(os.fsencode(path) + b"\0")
        ioctls_at = self.text(ioctls) if ioctls else 0
        if self._free_devices:
            index = self._free_devices.pop(0)  # late, in case somebody still reads the old entry
        elif self._device_count < wire.MAX_DEVICES:
            self._reserve(self._devices_at + self._device_count * sizeof(DeviceEntry), sizeof(DeviceEntry))
            index, self._device_count = self._device_count, self._device_count + 1
        else:
            raise RegistryFull(f"more than {wire.MAX_DEVICES - 1} devices in one run")
        entry = self._devices[index]
        entry.flags, entry.mode, entry.rdev = flags, mode, rdev
        entry.record, entry.gone = record, gone
        entry.path, entry.ioctls = path_at, ioctls_at
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
        self._reserve(self._text_at + at, len(content))
        self._map[self._text_at + at : self._text_at + at + len(content)] = content
        self.head.text_used = at + len(content)
        self._texts[content] = at
        return at

    # ---- Carriers

    def add_carrier(self, dev: int, inode: int, born_ns: int, device: int, file: int, access: int) -> None:
        """Let descriptors with this inode be a device's."""
        for step in range(wire.MAX_CARRIERS):
            index = (inode + step) % wire.MAX_CARRIERS
            carrier = self._carrier(index)
            if carrier is None or carrier.inode in (wire.CARRIER_FREE, wire.CARRIER_GONE):
                self._reserve(self._carriers_at + index * sizeof(Carrier), sizeof(Carrier))
                carrier = self._carriers[index]
                carrier.dev, carrier.born, carrier.device = dev, born_ns, device
                carrier.file, carrier.access = file, access
                carrier.inode = inode
                return
        raise RegistryFull(f"more than {wire.MAX_CARRIERS} files are open in one run")

    def remove_carrier(self, dev: int, inode: int) -> None:
        """The carrier's last descriptor has gone, or its device has."""
        for step in range(wire.MAX_CARRIERS):
            index = (inode + step) % wire.MAX_CARRIERS
            carrier = self._carrier(index)
            if carrier is None or carrier.inode == wire.CARRIER_FREE:
                return
            if carrier.inode == inode and carrier.dev == dev:
                behind = self._carrier((index + 1) % wire.MAX_CARRIERS)
                free = behind is None or behind.inode == wire.CARRIER_FREE
                carrier.inode = wire.CARRIER_FREE if free else wire.CARRIER_GONE
                return

    def publish(self) -> None:
        """All is plugged."""
        self.head.ready = 1

    def close(self) -> None:
        """Let go of the mapping; nothing can be entered any more."""
        os.close(self._file)
        del self.head, self._nodes, self._carriers, self._devices
        with contextlib.suppress(BufferError):  # somebody still looks at an entry: it goes with him
            self._map.close()
