"""inotify on directories that hold real entries and plugged ones: both are told, under one watch."""

import os
import pty
import subprocess
import sys
from textwrap import dedent

import pytest
from harness import run_devshim

HAND = """
from devshim import Device


class Toy(Device):
    def setup(self):
        Hand.held = self


class Hand(Device):
    held = None

    def write(self, data):
        self.held.unplug() if data == b"0" else self.held.plug()
"""

INOTIFY = """
    import ctypes, os, struct
    libc = ctypes.CDLL(None, use_errno=True)
    NAMES = {0x100: "create", 0x200: "delete", 0x4: "attrib", 0x8000: "ignored"}
    NAMES |= {0x8: "close_write", 0x10: "close_nowrite", 0x20: "open"}

    def hand(text):
        with open("/dev/hand", "w") as file:
            file.write(text)

    def watch(path, mask=0x300):
        return libc.inotify_add_watch(fd, path.encode(), mask)

    def events():
        data, found = os.read(fd, 4096), []
        while data:
            wd, mask, cookie, length = struct.unpack_from("iIII", data)
            found.append((wd, NAMES.get(mask & 0xffff, hex(mask)), data[16 : 16 + length].rstrip(b"\\0").decode()))
            data = data[16 + length :]
        return found

    fd = libc.inotify_init1(os.O_NONBLOCK)
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Return run(text, node): the lines that a program printed that watches, with a toy at the node."""
    models = tmp_path_factory.mktemp("models") / "hand.py"
    models.write_text(HAND)

    def run(text, node="/dev/toy", *options):
        devices = [f"{node}={models}:Toy", f"/dev/hand={models}:Hand"]
        program = dedent(INOTIFY) + dedent(text)
        outcome = run_devshim(sys.executable, "-c", program, devices=devices, options=options)
        assert outcome.returncode == 0, outcome.stderr
        return outcome.stdout.splitlines()

    return run


def test_a_directory_with_both_has_one_watch_for_both(python, tmp_path):
    """A directory of the test's own stands for /dev, so that real entries can be made in it."""
    lines = python(
        f"""
        print(watch({str(tmp_path)!r}))
        hand("0"); hand("1")
        open({str(tmp_path / "real")!r}, "w").close()
        print(events())
        """,
        str(tmp_path / "toy"),
    )

    assert lines == ["1", "[(1, 'delete', 'toy'), (1, 'create', 'toy'), (1, 'create', 'real')]"]


def test_dev_tells_of_what_is_plugged(python):
    lines = python(
        """
        print(watch("/dev"))
        hand("0"); print([event for event in events() if event[2] == "toy"])
        hand("1"); print([event for event in events() if event[2] == "toy"], os.path.exists("/dev/toy"))
        """
    )

    assert lines == ["1", "[(1, 'delete', 'toy')]", "[(1, 'create', 'toy')] True"]


def test_where_real_devices_are_hidden_only_what_is_plugged_is_told(python):
    lines = python('print(watch("/dev")); hand("0"); hand("1"); print(events())', "/dev/toy", "--hide-real")

    assert lines == ["1", "[(1, 'delete', 'toy'), (1, 'create', 'toy')]"]


def test_a_watch_that_is_taken_away_tells_no_more(python):
    lines = python(
        """
        wd = watch("/dev")
        print(libc.inotify_rm_watch(fd, wd), {event[1] for event in events()})
        hand("0")
        try:
            print(events())
        except BlockingIOError:
            print("nothing")
        """
    )

    assert lines == ["0 {'ignored'}", "nothing"]


def test_a_read_that_waits_already_hears_of_what_is_watched_meanwhile(python, tmp_path):
    lines = python(
        f"""
        import threading
        os.set_blocking(fd, True)
        heard = []
        reader = threading.Thread(target=lambda: heard.extend(events()))
        reader.start()
        while open(f"/proc/self/task/{{reader.native_id}}/syscall").read().split()[1:2] != [hex(fd)]:
            continue  # it is not in its read yet
        print(watch({str(tmp_path)!r}))
        hand("0")
        reader.join()
        print(heard)
        """,
        str(tmp_path / "toy"),
    )

    assert lines == ["1", "[(1, 'delete', 'toy')]"]


def test_a_number_that_is_used_again_is_not_taken_for_the_old_one(python, tmp_path):
    """What lies in the file would be an event of the watch in the tree."""
    (tmp_path / "file").write_bytes(b"\x02\0\0\0" + b"\0\1\0\0" + bytes(8))
    lines = python(
        f"""
        watch("/dev"); os.close(fd)
        again = os.open({str(tmp_path / "file")!r}, os.O_RDONLY)
        print(again == fd, os.read(again, 100)[:4])
        os.close(again)
        fd2 = libc.inotify_init1(os.O_NONBLOCK)
        first, second = (libc.inotify_add_watch(fd2, path, 0x300) for path in (b"/tmp", {str(tmp_path)!r}.encode()))
        open({str(tmp_path / "new")!r}, "w").close()
        print(fd2 == fd, [event for event in events() if event[2] == "new"])
        """
    )

    assert lines == ["True b'\\x02\\x00\\x00\\x00'", "True [(2, 'create', 'new')]"]


OPENS = """
    import select
    folder, name = os.path.split(NODE)
    wd = watch(folder, 0x38), watch(NODE, 0x38)

    def told(count):
        told = []
        while len(told) < count and select.select([fd], [], [], 30)[0]:
            told += [(wd.index(one), *rest) for one, *rest in events() if rest[1] in ("", name)]
        return [(where, what) for where, what, _ in told]

    for mode in os.O_RDWR, os.O_RDONLY:
        file = os.open(NODE, mode | os.O_NOCTTY)
        print(told(2))
        copy = os.dup(file)
        os.close(file)
        os.close(copy)
        print(told(2))
"""


def test_opens_and_closes_of_a_node_are_told_as_those_of_a_kernel_s_own(python):
    """What is compared with is a terminal of the test's own, which nobody else opens."""
    master, slave = pty.openpty()
    text = f"NODE = {os.ttyname(slave)!r}\n" + dedent(INOTIFY) + dedent(OPENS)
    own = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=60)
    os.close(master)
    os.close(slave)

    lines = python("NODE = '/dev/toy'\n" + dedent(OPENS))

    assert lines == own.stdout.splitlines()
    assert lines[1] == "[(0, 'close_write'), (1, 'close_write')]"


def test_opens_and_closes_of_a_serial_port_are_told():
    """Its last close, that is: a pseudo-terminal tells of no other."""
    text = "NODE = '/dev/ttyS7'\n" + dedent(INOTIFY) + dedent(OPENS)

    outcome = run_devshim(sys.executable, "-c", text, devices=["/dev/ttyS7=gps"])

    assert outcome.stdout.splitlines()[:2] == [
        "[(0, 'open'), (1, 'open')]",
        "[(0, 'close_write'), (1, 'close_write')]",
    ], outcome.stderr
