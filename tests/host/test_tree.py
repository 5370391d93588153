"""The run's tree: what it enters into the registry, and what it refuses."""

import os
import stat
from pathlib import Path

import pytest

from devshim.errors import SpecError
from devshim.host import wire
from devshim.host.tree import Tree, canonical


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(str(tmp_path / "tree"))


def add(tree: Tree, node: str, mode: int = 0o660) -> list[tuple[str, int]]:
    return tree.add_device(node, mode, os.getuid(), os.getgid())


def test_a_device_comes_with_its_directories(tree: Tree) -> None:
    assert add(tree, "/dev/bus-ds/001") == [
        ("/dev", wire.NODE_MERGED),
        ("/dev/bus-ds", wire.NODE_TREE),
        ("/dev/bus-ds/001", wire.NODE_DEVICE),
    ]


def test_a_placeholder_has_the_nodes_mode_whatever_the_umask(tree: Tree) -> None:
    before = os.umask(0o077)
    try:
        add(tree, "/dev/bus-ds/001", 0o606)
    finally:
        os.umask(before)

    assert stat.S_IMODE(os.stat(tree.placeholder("/dev/bus-ds/001")).st_mode) == 0o606
    assert stat.S_IMODE(os.stat(tree.placeholder("/dev/bus-ds")).st_mode) == 0o755


def test_a_link_keeps_its_text(tree: Tree) -> None:
    entries = tree.add_link("/dev/serial-ds/by-id/gps", "../../ttyDS0")

    assert entries == [("/dev", wire.NODE_MERGED), ("/dev/serial-ds", wire.NODE_TREE)]
    assert os.readlink(tree.placeholder("/dev/serial-ds/by-id/gps")) == "../../ttyDS0"


def test_in_a_real_directory_a_link_is_entered_itself(tree: Tree) -> None:
    entries = tree.add_link("/dev/gps-ds", "ttyDS0")

    assert entries == [("/dev", wire.NODE_MERGED), ("/dev/gps-ds", wire.NODE_TREE)]


def test_what_is_really_in_a_masked_directory_is_not_there_for_the_tree(tree: Tree) -> None:
    assert tree.mask("/proc", ["self"]) == [("/proc/self", wire.NODE_PASSED), ("/proc", wire.NODE_MASKED)]

    assert not tree.is_seen("/proc/1")
    assert tree.is_seen("/proc/self/fd")
    assert tree.is_seen("/sys/class")
    assert tree.add_file("/proc/bus/ds", b"") == [("/proc", wire.NODE_MASKED), ("/proc/bus", wire.NODE_TREE)]


def test_removing_takes_empty_directories_along(tree: Tree) -> None:
    add(tree, "/dev/bus-ds/001/002")
    add(tree, "/dev/bus-ds/003")

    assert tree.remove("/dev/bus-ds/001/002") == ["/dev/bus-ds/001/002", "/dev/bus-ds/001"]
    assert tree.remove("/dev/bus-ds/003") == ["/dev/bus-ds/003", "/dev/bus-ds"]
    assert os.path.isdir(tree.placeholder("/dev"))


def test_a_device_can_be_added_again(tree: Tree) -> None:
    add(tree, "/dev/ttyDS0")
    tree.remove("/dev/ttyDS0")

    assert add(tree, "/dev/ttyDS0", 0o600)[-1] == ("/dev/ttyDS0", wire.NODE_DEVICE)


def test_what_is_shared_by_several_nodes_goes_with_the_last(tree: Tree) -> None:
    for _ in range(2):
        tree.add_file("/sys/module/ds/parameters/size", b"1\n")
        tree.add_link("/sys/bus/ds/first", "../one")

    assert tree.remove("/sys/module/ds/parameters/size") == []
    assert tree.remove("/sys/bus/ds/first") == []
    assert os.path.exists(tree.placeholder("/sys/module/ds/parameters/size"))
    assert tree.remove("/sys/module/ds/parameters/size")[0] == "/sys/module/ds/parameters/size"
    assert tree.remove("/sys/bus/ds/first")[0] == "/sys/bus/ds/first"
    assert not os.path.lexists(tree.placeholder("/sys/bus/ds"))


def test_a_node_is_named_by_its_real_path(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    assert canonical(str(tmp_path / "link" / "." / "node")) == str(tmp_path / "real" / "node")


def test_what_cannot_be_a_node_is_refused_in_one_line(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    add(tree, "/dev/bus-ds/001")

    for node, reason in [
        ("/dev", "is a directory"),
        ("/dev/bus-ds", "is a directory of this run"),
        ("/dev/bus-ds/001/x", "is plugged itself"),
        ("/dev/../dev/x", "use its real path, /dev/x"),
        (str(tmp_path / "file" / "x"), "is not a directory"),
    ]:
        with pytest.raises(SpecError, match=reason):
            add(tree, node)
