"""The registry: what is plugged, and which inodes are carriers, written where all targets can read it.

Targets read it without locks.  So an entry's key is written last and taken away first, and nothing that a
reader may be looking at is moved.  The file is sparse, and each of its pages gets its room on the disk before anybody
looks at it: a full disk is an error of a call then, where it would be a signal (SIGBUS) otherwise.
"""

from __future__ import annotations

import mmap
import os
from struct import Struct

from devshim.errors import DevshimError
from devshim.host import wire
from devshim.host._channel import create_registry
from devshim.host.wire import CARRIER, DEVICE, NODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

PAGE = 4096
#: The numbers of signals that no program asks for where a file becomes ready, nor any that ends it for good.
TAGS = tuple(number for number in range(1, 34) if number not in (9, 10, 12, 19, 29))


NUMBER, WORD = 4, 8  # bytes
#: Of a node and of a carrier what follows the key, which comes first.
NODE_REST, CARRIER_REST = Struct("<2I2HI"), Struct("<2Q4I")
ROOTS, PRESENT = 72, 584  # offsets in struct registry
NODE_LENGTH, NODE_DEVICE = 12, 16  # offsets in struct node; whether it is a directory stands beside its length
IOCTLS = 20  # offset in struct device


class Memory:
    """The registry's bytes, whose numbers of 4 and of 8 bytes are stored in one step.

    Struct.pack_into() clears a number before it writes it, and targets look without locks: it is for what none of them
    looks at yet.
    """

    def __init__(self, map: mmap.mmap) -> None:
        self.bytes = map
        self.numbers = memoryview(map).cast("I")
        self.words = memoryview(map).cast("Q")

    def number(self, at: int) -> int:
        """The 4 bytes at an offset."""
        return self.numbers[at // NUMBER]

    def set_number(self, at: int, value: int) -> None:
        """Store them."""
        self.numbers[at // NUMBER] = value

    def word(self, at: int) -> int:
        """The 8 bytes at an offset."""
        return self.words[at // WORD]

    def set_word(self, at: int, value: int) -> None:
        """Store them."""
        self.words[at // WORD] = value

    def close(self) -> None:
        """Let go of the mapping."""
        self.numbers.release()
        self.words.release()
        self.bytes.close()


class Field:
    """A number in the registry's head."""

    def __init__(self, at: int, size: int = NUMBER) -> None:
        self._at = at
        self._wide = size == WORD

    def __get__(self, head: Head, owner: type) -> int:
        return head.memory.word(self._at) if self._wide else head.memory.number(self._at)

    def __set__(self, head: Head, value: int) -> None:
        if self._wide:
            head.memory.set_word(self._at, value)
        else:
            head.memory.set_number(self._at, value)


class Head:
    """The registry's head: struct registry of shim/wire.h."""

    ready, flags, host_pid, changes, root_length, declared = (Field(at) for at in range(8, 32, 4))
    nodes_at, carriers_at, devices_at, text_at, text_used = (Field(at, WORD) for at in range(32, 72, 8))

    def __init__(self, memory: Memory) -> None:
        self.memory = memory


class RegistryFull(DevshimError):
    """More nodes, carriers or texts than the registry has room for."""


class Registry:
    """The registry file of one run, at `path`; only the host writes it, under its lock.

    Whatever enters something raises OSError (ENOSPC) where the disk is full.

    It exists already where a program may have started before the host; else it is made.
    """

    def __init__(self, path: str) -> None:
        create(path)
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._map = mmap.mmap(self._file, wire.REGISTRY_SIZE)
        except BaseException:
            os.close(self._file)
            raise
        self._present: set[int] = set()
        self._memory = Memory(self._map)
        self.head = head = Head(self._memory)
        self._nodes_at: int = head.nodes_at
        self._carriers_at: int = head.carriers_at
        self._devices_at: int = head.devices_at
        self._text_at: int = head.text_at
        self._reserve(self._devices_at, PAGE)  # of these somebody may look at the first, which means none
        self._reserve(self._text_at, PAGE)
        self._texts: dict[bytes, int] = {}
        self._text_used = head.text_used
        self._changes = head.changes
        self._device_count = 1  # index 0 means none
        self._free_devices: list[int] = []
        self._roots: list[bytes] = []
        self._tags = list(TAGS)
        self._declared: tuple[tuple[str, ...], tuple[str, ...]] = (), ()
        head.host_pid = os.getpid()

    # ---- Room on the disk

    def _reserve(self, at: int, size: int) -> None:
        """Have room for these bytes, or raise OSError."""
        for page in range(at // PAGE, (at + size - 1) // PAGE + 1):
            if page not in self._present:
                os.posix_fallocate(self._file, page * PAGE, PAGE)
                self._present.add(page)
                at = PRESENT + page // 64 * WORD
                self._memory.set_word(at, self._memory.word(at) | 1 << page % 64)

    def _node(self, index: int) -> int:
        """Where an entry is that may be looked at; 0 for a free one."""
        at = self._nodes_at + index * NODE.size
        return at if at // PAGE in self._present else 0

    # ---- Nodes

    def add_node(self, path: str, kind: int, device: int = 0, directory: bool = False) -> None:
        """Enter a path; one that is there already changes its kind."""
        name = os.fsencode(path)
        hashed = wire.fnv1a(name)
        self.add_root(name)
        node = self._find_node(name, hashed)
        if node:
            self._memory.set_number(node + NODE_LENGTH, len(name) | directory << 16)
            self._memory.set_number(node + NODE_DEVICE, device)
        else:
            node = self._free_node(hashed)
            text = self.text(name + b"\0")
            NODE_REST.pack_into(self._map, node + NUMBER, hashed, text, len(name), directory, device)
        self._memory.set_number(node, kind)
        self._changed()

    def remove_node(self, path: str) -> None:
        """Take a path out again."""
        name = os.fsencode(path)
        node = self._find_node(name, wire.fnv1a(name))
        if node:
            self._memory.set_number(node, wire.NODE_GONE)
            self._changed()

    def _changed(self) -> None:
        """Let targets look again."""
        self._changes = self.head.changes = (self._changes + 1) & 0xFFFFFFFF

    def _find_node(self, name: bytes, hashed: int) -> int:
        """Where a path's entry is; 0 where it has none."""
        length = len(name)
        for step in range(wire.MAX_NODES):
            node = self._node((hashed + step) % wire.MAX_NODES)
            if not node:
                return 0
            kind, there, path, room, *_ = NODE.unpack_from(self._map, node)
            if kind == wire.NODE_FREE:
                return 0
            if kind != wire.NODE_GONE and there == hashed and room == length:
                at = self._text_at + path
                if self._map[at : at + length] == name:
                    return node
        return 0

    def _free_node(self, hashed: int) -> int:
        """Where an entry is that can be used."""
        for step in range(wire.MAX_NODES):
            index = (hashed + step) % wire.MAX_NODES
            node = self._node(index)
            if not node or self._memory.number(node) in (wire.NODE_FREE, wire.NODE_GONE):
                at = self._nodes_at + index * NODE.size
                self._reserve(at, NODE.size)
                return at
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
        self._map[ROOTS : ROOTS + len(joined)] = joined
        self.head.root_length = len(joined)

    def defer(self, directories: Iterable[str]) -> None:
        """What is below these is not laid out yet: targets ask first."""
        for directory in directories:
            self.add_root(os.fsencode(directory))
        self.head.flags |= wire.REGISTRY_PENDING
        self._changed()

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
            self._reserve(self._device(self._device_count), DEVICE.size)
            index, self._device_count = self._device_count, self._device_count + 1
        else:
            raise RegistryFull(f"more than {wire.MAX_DEVICES - 1} devices in one run")
        DEVICE.pack_into(self._map, self._device(index), flags, mode, rdev, path_at, ioctls_at, record, gone)
        return index

    def _device(self, index: int) -> int:
        return self._devices_at + index * DEVICE.size

    def set_ioctls(self, index: int, ioctls: bytes) -> None:
        """Give a device another table; calls that are under way go on with the one before."""
        self._memory.set_number(self._device(index) + IOCTLS, self.text(ioctls) if ioctls else 0)

    def remove_device(self, index: int) -> None:
        """Let the index be used again; the caller knows that no carrier refers to it."""
        self._free_devices.append(index)

    def text(self, content: bytes) -> int:
        """Put bytes into the text area, 8-aligned, each content once; returns their offset."""
        known = self._texts.get(content)
        if known is not None:
            return known
        at = (self._text_used + 7) & ~7
        if self._text_at + at + len(content) > wire.REGISTRY_SIZE:
            raise RegistryFull("the registry's room for paths and ioctl descriptions is used up")
        self._reserve(self._text_at + at, len(content))
        self._map[self._text_at + at : self._text_at + at + len(content)] = content
        self._text_used = self.head.text_used = at + len(content)
        self._texts[content] = at
        return at

    # ---- Carriers

    def add_carrier(
        self, dev: int, inode: int, born_ns: int, device: int, file: int, access: int, tagged: bool = False
    ) -> int:
        """Let descriptors with this inode be a device's.

        tagged: returns the tag (a signal's number, for F_SETSIG) that its open file shall have; 0: none is left.
        """
        for step in range(wire.MAX_CARRIERS):
            index = (inode + step) % wire.MAX_CARRIERS
            if self._inode(index) in (wire.CARRIER_FREE, wire.CARRIER_GONE):
                at = self._carriers_at + index * CARRIER.size
                self._reserve(at, CARRIER.size)
                tag = self._tags.pop(0) if tagged and self._tags else 0
                CARRIER_REST.pack_into(self._map, at + WORD, dev, born_ns, device, file, access, tag)
                self._memory.set_word(at, inode)
                return tag
        raise RegistryFull(f"more than {wire.MAX_CARRIERS} files are open in one run")

    def has_carrier(self, dev: int, inode: int) -> bool:
        """Whether it is in use; so is what can be none."""
        for step in range(wire.MAX_CARRIERS if inode > wire.CARRIER_GONE else 0):
            index = (inode + step) % wire.MAX_CARRIERS
            found = self._inode(index)
            if found == wire.CARRIER_FREE:
                return False
            at = self._carriers_at + index * CARRIER.size
            if found == inode and self._memory.word(at + WORD) == dev:
                return True
        return True

    def remove_carrier(self, dev: int, inode: int) -> None:
        """The carrier's last descriptor has gone, or its device has."""
        for step in range(wire.MAX_CARRIERS):
            index = (inode + step) % wire.MAX_CARRIERS
            found = self._inode(index)
            if found == wire.CARRIER_FREE:
                return
            if found == inode:
                at = self._carriers_at + index * CARRIER.size
                _, there, *_, tag = CARRIER.unpack_from(self._map, at)
                if there != dev:
                    continue
                free = self._inode((index + 1) % wire.MAX_CARRIERS) == wire.CARRIER_FREE
                self._memory.set_word(at, wire.CARRIER_FREE if free else wire.CARRIER_GONE)
                if tag:
                    self._tags.append(tag)
                return

    def _inode(self, index: int) -> int:
        """The key of a carrier's entry."""
        at = self._carriers_at + index * CARRIER.size
        return self._memory.word(at) if at // PAGE in self._present else wire.CARRIER_FREE

    def publish(self) -> None:
        """All is plugged."""
        self.head.ready = 1

    def close(self) -> None:
        """Let go of the mapping; nothing can be entered any more."""
        os.close(self._file)
        self._memory.close()


def create(path: str) -> None:
    """Make the file, unless somebody did."""
    try:
        create_registry(path)
    except FileExistsError:
        return
