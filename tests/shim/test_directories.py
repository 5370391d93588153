"""Listings show plugged entries beside the real ones, once each and with their type, however they are read."""

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from plugged import LIBRARY, Plugged, unshimmed

pytestmark = pytest.mark.skipif(not LIBRARY.exists(), reason="the shim is not built: make build")

NODES = {"ttyDS0": stat.S_IFCHR | 0o660, "sdDS": stat.S_IFBLK | 0o600}
REAL, HIDDEN = "/dev/full", "/dev/zero"
WAYS = ("readdir", "readdir64", "readdir_r", "fdopendir", "seekdir", "rewinddir", "scandir", "getdents64")


@pytest.fixture
def plugged(tmp_path: Path) -> Plugged:
    """/dev with two new nodes, one in the place of a real one, one taken away, and a directory of links."""
    folder = tmp_path / "run"
    folder.mkdir()
    run = Plugged(folder)
    for name, mode in NODES.items():
        run.device(f"/dev/{name}", mode)
    run.device(REAL)
    run.hide(HIDDEN)
    run.link("/dev/serial-ds/by-id/gps", "../../ttyDS0")
    return run


@pytest.fixture
def list_(program: Callable[..., Path]) -> Path:
    return program("list")


def entries(text: str) -> dict[str, tuple[int, int]]:
    """Return type and inode by name; a name that comes twice is a failure."""
    found: dict[str, tuple[int, int]] = {}
    for line in text.splitlines():
        kind, inode, name = line.split(" ", 2)
        assert name not in found, f"{name} is listed twice"
        found[name] = (int(kind), int(inode))
    return found


@pytest.mark.parametrize("way", WAYS)
def test_a_listing_holds_real_and_plugged_entries_once_each(plugged: Plugged, list_: Path, way: str) -> None:
    found = entries(plugged.output(list_, way, "/dev"))

    real = entries(unshimmed([str(list_), "readdir", "/dev"]))
    assert found.keys() == (real.keys() | NODES.keys() | {"serial-ds"}) - {"zero"}
    for name, (kind, _) in found.items():
        if name not in NODES and name not in ("full", "serial-ds"):
            assert kind == real[name][0]
    assert found["ttyDS0"][0] == found["full"][0] == stat.S_IFCHR >> 12
    assert found["sdDS"][0] == stat.S_IFBLK >> 12
    assert found["serial-ds"][0] == stat.S_IFDIR >> 12


@pytest.mark.parametrize("way", WAYS)
def test_a_directory_that_is_only_plugged_lists_what_is_in_it(plugged: Plugged, list_: Path, way: str) -> None:
    plugged.device("/dev/serial-ds/by-id/port")

    found = entries(plugged.output(list_, way, "/dev/serial-ds/by-id"))

    assert {name: kind for name, (kind, _) in found.items()} == {".": 4, "..": 4, "gps": 10, "port": 2}


def test_inode_numbers_are_those_of_stat(plugged: Plugged) -> None:
    script = """
import os
for e in os.scandir("/dev"):
    if not os.path.ismount(e.path):
        assert e.inode() == os.lstat(e.path).st_ino, e.name
        assert e.is_dir(follow_symlinks=False) == os.path.isdir(e.path) or e.is_symlink(), e.name
print("all")
"""
    assert plugged.output(sys.executable, "-c", script) == "all\n"


@pytest.mark.parametrize("way", ["nftw", "nftw-chdir", "ftw"])
def test_a_walk_meets_what_is_plugged(plugged: Plugged, list_: Path, way: str) -> None:
    found = entries(plugged.output(list_, way, "/dev/serial-ds"))
    assert found.keys() == {"/dev/serial-ds", "/dev/serial-ds/by-id", "/dev/serial-ds/by-id/gps"}

    lines = plugged.output(list_, way, "/dev").splitlines()
    found = {line.split(" ", 2)[2]: line.split(" ", 2)[1] for line in lines}
    assert found["/dev/ttyDS0"] == str(os.makedev(512, 1))
    assert found["/dev/full"] == str(os.makedev(512, 3))
    assert "/dev/null" in found
    assert "/dev/zero" not in found


@pytest.mark.parametrize("way", ["nftw", "nftw-chdir", "ftw", "glob", *WAYS])
def test_an_ordinary_directory_is_listed_as_ever(plugged: Plugged, list_: Path, tmp_path: Path, way: str) -> None:
    (tmp_path / "some" / "where").mkdir(parents=True)
    (tmp_path / "some" / "file").touch()
    (tmp_path / "some" / "link").symlink_to("where")

    command = [str(list_), way, str(tmp_path / "some")]

    assert sorted(plugged.output(*command).splitlines()) == sorted(unshimmed(command).splitlines())


@pytest.mark.parametrize("way", ["nftw", "nftw-chdir", "ftw"])
def test_own_walk_visits_as_libc_does(plugged: Plugged, list_: Path, tmp_path: Path, way: str) -> None:
    for name in "some/a/b/c", "some/a/d", "some/e":
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "some" / "a" / "file").touch()
    (tmp_path / "some" / "a" / "link").symlink_to("file")
    (tmp_path / "some" / "a" / "dangling").symlink_to("nothing")
    command = [str(list_), way, str(tmp_path / "some")]
    expected = unshimmed(command)
    plugged.device(str(tmp_path / "some" / "deep" / "node"))  # so that the shim walks itself

    own = [line for line in plugged.output(*command).splitlines() if "deep" not in line]

    assert sorted(own) == sorted(expected.splitlines())


def test_globs_find_what_is_plugged(plugged: Plugged, list_: Path) -> None:
    found = plugged.output(list_, "glob", "/dev").splitlines()
    assert {"0 0 ttyDS0", "0 0 serial-ds", "0 0 null"} <= set(found)
    assert "0 0 zero" not in found

    shells = [["bash"], ["dash"], ["perl", "-e", 'print join(" ", </dev/ttyD* /dev/serial-ds/*/*>), "\\n"']]
    for shell in shells:
        command = shell if len(shell) > 1 else [*shell, "-c", "echo /dev/ttyD* /dev/serial-ds/*/*"]
        assert plugged.output(*command) == "/dev/ttyDS0 /dev/serial-ds/by-id/gps\n"


def test_programs_see_the_same_in_dev(plugged: Plugged) -> None:
    by_find = set(plugged.output("find", "/dev", "-maxdepth", "1").split())
    by_ls = {"/dev", *(f"/dev/{name}" for name in plugged.output("ls", "-A", "/dev").split())}
    by_python = {"/dev", *plugged.output(sys.executable, "-c", LISTED_BY_PYTHON).split()}

    assert by_find == by_ls == by_python
    assert {"/dev/ttyDS0", "/dev/sdDS", "/dev/full", "/dev/serial-ds", "/dev/null"} <= by_find
    assert "/dev/zero" not in by_find


LISTED_BY_PYTHON = "import os; print(*(os.path.join('/dev', n) for n in os.listdir('/dev')))"


def test_find_names_types_and_numbers(plugged: Plugged) -> None:
    passing = ("-path", "/dev/pts", "-prune", "-o", "-path", "/dev/shm", "-prune", "-o")  # what comes and goes there
    output = plugged.output("find", "/dev", *passing, "-name", "*DS*", "-type", "c", "-printf", "%p %y %m\n")
    assert output == "/dev/ttyDS0 c 660\n"

    assert plugged.output("find", "/dev/serial-ds", "-type", "l", "-printf", "%p %l\n") == (
        "/dev/serial-ds/by-id/gps ../../ttyDS0\n"
    )


def test_a_directory_reached_over_a_link_is_listed_whole(plugged: Plugged, tmp_path: Path) -> None:
    (tmp_path / "dev").symlink_to("/dev")
    (tmp_path / "ids").symlink_to("/dev/serial-ds/by-id")

    assert "ttyDS0" in plugged.output("ls", tmp_path / "dev/").split()
    assert plugged.output("ls", f"{tmp_path}/ids/") == "gps\n"


def test_relative_and_inherited_directories_are_listed_whole(plugged: Plugged) -> None:
    script = "cd /dev; ls | grep DS; cd serial-ds; ls; cd by-id; ls; cd /; ls dev | grep DS; ls dev/serial-ds"

    assert plugged.output("sh", "-c", script).split() == [
        *("sdDS", "ttyDS0", "by-id", "gps"),
        *("sdDS", "ttyDS0", "by-id"),
    ]


def test_a_thousand_nodes_are_listed_by_small_steps(plugged: Plugged, list_: Path) -> None:
    names = {f"ttyMany{number}" for number in range(1000)}
    for name in names:
        plugged.device(f"/dev/{name}")

    for way in "readdir", "getdents64":
        found = entries(plugged.output(list_, way, "/dev"))
        assert names <= found.keys()


def test_streams_in_many_threads_do_not_disturb_each_other(plugged: Plugged) -> None:
    script = """
import os, threading
expected = {p: sorted(os.listdir(p)) for p in ("/dev", "/dev/serial-ds", "/etc")}
def work(path):
    for _ in range(30):
        assert sorted(os.listdir(path)) == expected[path]
threads = [threading.Thread(target=work, args=(p,)) for p in expected for _ in range(3)]
[t.start() for t in threads]; [t.join() for t in threads]
print("done")
"""
    outcome = plugged.run(sys.executable, "-c", script)

    assert (outcome.stdout, outcome.stderr) == ("done\n", "")


def test_nodes_beside_real_files_are_listed(plugged: Plugged, list_: Path, tmp_path: Path) -> None:
    folder = tmp_path / "real"
    folder.mkdir()
    names = {f"file{number}" for number in range(20)}
    for name in names:
        (folder / name).touch()
    plugged.device(str(folder / "node"))
    plugged.device(str(folder / "file3"))

    for way in WAYS:
        found = entries(plugged.output(list_, way, str(folder)))
        assert found.keys() == names | {".", "..", "node"}, way
        assert found["node"][0] == found["file3"][0] == stat.S_IFCHR >> 12
