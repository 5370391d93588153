"""The registry: what the host writes, read back as the shim reads it."""

import mmap
import os
import signal
import stat
from ctypes import sizeof
from pathlib import Path

import pytest

from devshim.host import structures, wire
from devshim.host.registry import Registry, RegistryFull

MODE = stat.S_IFCHR | 0o660


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(str(tmp_path / "registry"))


class Reader:
    """The registry as a target sees it: its own read-only mapping, without a word from the host."""

    def __init__(self, path: Path) -> None:
        with open(path, "rb") as file:
            self.map = mmap.mmap(file.fileno(), wire.REGISTRY_SIZE, prot=mmap.PROT_READ)
        self.head = structures.Registry.from_buffer_copy(self.map)

    def present(self, at: int) -> bool:
        """present() of registry.c: whether there is room on the disk, and so something to look at."""
        return bool(structures.Registry.from_buffer_copy(self.map).present[at // 4096 // 64] >> at // 4096 % 64 & 1)

    def node(self, path: str) -> structures.Node | None:
        """find_node() of registry.c."""
        name = path.encode()
        hashed = wire.fnv1a(name)
        for step in range(wire.MAX_NODES):
            at = self.head.nodes_at + (hashed + step) % wire.MAX_NODES * sizeof(structures.Node)
            if not self.present(at):
                return None
            node = structures.Node.from_buffer_copy(self.map, at)
            if node.kind == wire.NODE_FREE:
                return None
            text = self.head.text_at + node.path
            if node.kind != wire.NODE_GONE and self.map[text : text + node.length] == name:
                return node
        return None

    def carrier(self, dev: int, inode: int) -> structures.Carrier | None:
        """find_carrier() of registry.c."""
        for step in range(wire.MAX_CARRIERS):
            at = self.head.carriers_at + (inode + step) % wire.MAX_CARRIERS * sizeof(structures.Carrier)
            if not self.present(at):
                return None
            carrier = structures.Carrier.from_buffer_copy(self.map, at)
            if carrier.inode == inode and carrier.dev == dev:
                return carrier
            if carrier.inode == wire.CARRIER_FREE:
                return None
        return None


@pytest.fixture
def reader(registry: Registry, tmp_path: Path) -> Reader:
    return Reader(tmp_path / "registry")


def test_the_file_can_be_read_by_all_and_written_by_its_owner_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        Registry(str(tmp_path / "registry"))
    finally:
        os.umask(before)

    assert stat.S_IMODE(os.stat(tmp_path / "registry").st_mode) == 0o644


def test_its_head_names_the_host_and_the_version(registry: Registry, reader: Reader) -> None:
    assert (reader.head.magic, reader.head.version) == (wire.WIRE_MAGIC, wire.WIRE_VERSION)
    assert reader.head.host_pid == os.getpid()


def test_a_node_is_found_and_another_is_not(registry: Registry, reader: Reader) -> None:
    device = registry.add_device("/dev/x", wire.DEVICE_READ, MODE, os.makedev(512, 3), b"")
    registry.add_node("/dev/x", wire.NODE_DEVICE, device)

    node = reader.node("/dev/x")

    assert node is not None
    assert (node.kind, node.device) == (wire.NODE_DEVICE, device)
    assert reader.node("/dev/xx") is None
    assert reader.node("/dev/") is None


def test_a_removed_node_does_not_hide_those_behind_it(registry: Registry, reader: Reader) -> None:
    names = [f"/dev/n{number}" for number in range(2000)]
    for name in names:
        registry.add_node(name, wire.NODE_TREE)
    for name in names[::2]:
        registry.remove_node(name)

    assert [name for name in names if reader.node(name) is None] == names[::2]
    registry.add_node(names[0], wire.NODE_HIDDEN)
    again = reader.node(names[0])
    assert again is not None
    assert again.kind == wire.NODE_HIDDEN


def test_a_node_that_is_there_changes_its_kind(registry: Registry, reader: Reader) -> None:
    registry.add_node("/dev/x", wire.NODE_TREE)
    registry.add_node("/dev/x", wire.NODE_HIDDEN)
    registry.remove_node("/dev/x")

    assert reader.node("/dev/x") is None


def test_all_changes_are_counted(registry: Registry, tmp_path: Path) -> None:
    before = Reader(tmp_path / "registry").head.changes
    registry.add_node("/dev/x", wire.NODE_TREE)
    registry.remove_node("/dev/x")
    registry.remove_node("/dev/x")

    assert Reader(tmp_path / "registry").head.changes == before + 2


def test_roots_are_the_top_directories_once_each(registry: Registry, tmp_path: Path) -> None:
    for path in ("/dev/x", "/dev/y/z", "/sys/class", "/opt/x"):
        registry.add_node(path, wire.NODE_TREE)

    head = Reader(tmp_path / "registry").head
    at = structures.Registry.roots.offset
    with open(tmp_path / "registry", "rb") as file:
        roots = os.pread(file.fileno(), head.root_length, at)
    assert roots == b"/dev/\0/sys/\0/opt/\0"


def test_carriers_with_the_same_place_are_told_apart(registry: Registry, reader: Reader) -> None:
    for number, inode in enumerate((70000, 70000 + wire.MAX_CARRIERS, 70001), 1):
        registry.add_carrier(8, inode, 0, 1, number, os.O_RDWR)
    registry.add_carrier(9, 70000, 5, 1, 4, os.O_RDONLY)

    registry.remove_carrier(8, 70000)

    assert reader.carrier(8, 70000) is None
    found = [reader.carrier(*key) for key in ((8, 70000 + wire.MAX_CARRIERS), (8, 70001), (9, 70000))]
    assert [carrier.file if carrier else None for carrier in found] == [2, 3, 4]


def test_no_two_open_files_have_the_same_tag(registry: Registry, reader: Reader) -> None:
    tags = [registry.add_carrier(8, inode, 0, 1, 1, 0, tagged=True) for inode in range(100, 150)]

    given = [tag for tag in tags if tag]
    assert len(given) == len(set(given)) > 20
    assert not set(given) & {signal.SIGKILL, signal.SIGSTOP, signal.SIGIO, signal.SIGUSR1, signal.SIGUSR2}
    assert registry.add_carrier(8, 150, 0, 1, 1, 0) == 0

    registry.remove_carrier(8, 103)
    assert registry.add_carrier(8, 151, 0, 1, 1, 0, tagged=True) == tags[3]
    again = reader.carrier(8, 151)
    assert again is not None and again.tag == tags[3]


def test_room_is_used_again(registry: Registry) -> None:
    """Many opens and closes, many more than there is room for at once."""
    for inode in range(2, 3 * wire.MAX_CARRIERS, 7):
        registry.add_carrier(8, inode, 0, 1, 1, 0)
        registry.remove_carrier(8, inode)
    first = registry.add_device("/dev/x", 0, MODE, 0, b"")
    registry.remove_device(first)

    assert registry.add_device("/dev/x", 0, MODE, 0, b"") == first


def test_room_on_the_disk_is_taken_for_what_is_entered_alone(registry: Registry, tmp_path: Path) -> None:
    for inode in range(1000, 1100):
        registry.add_carrier(8, inode, 0, 1, 1, 0)
    for number in range(20):
        registry.add_node(f"/dev/x{number}", wire.NODE_TREE)
    for inode in range(5000, 60000, 500):
        registry.remove_carrier(8, inode)  # looks for what is not there
    registry.remove_node("/dev/not-there")

    assert os.stat(tmp_path / "registry").st_blocks * 512 < 200_000


def test_texts_lie_aligned_and_once(registry: Registry) -> None:
    one, two = registry.text(b"abc"), registry.text(b"defg")

    assert one % 8 == two % 8 == 0
    assert registry.text(b"abc") == one != two


def test_too_much_is_refused_by_name(registry: Registry) -> None:
    with pytest.raises(RegistryFull, match="room for paths and ioctl descriptions"):
        registry.text(b"x" * wire.REGISTRY_SIZE)
    for number in range(1, wire.MAX_DEVICES):
        registry.add_device("/dev/x", 0, MODE, number, b"")
    with pytest.raises(RegistryFull, match="devices in one run"):
        registry.add_device("/dev/x", 0, MODE, 0, b"")
    for number in range(46):
        registry.add_node(f"/top{number:05}/x", wire.NODE_TREE)
    with pytest.raises(RegistryFull, match="top directories"):
        registry.add_node("/one-more-directory-at-the-top/x", wire.NODE_TREE)
