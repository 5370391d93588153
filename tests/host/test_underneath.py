"""What a computed device leaves to the real thing: REAL from its calls, a descriptor or REAL from its open."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Outcome

from devshim import embedding

Run = Callable[..., Outcome]

INSIDE = pytest.param(
    ["--in-process"],
    id="inside",
    marks=pytest.mark.skipif(embedding.shared_library() is None, reason="this Python has no shared libpython"),
)
BOTH_HOSTS = pytest.mark.parametrize("host", [pytest.param([], id="beside"), INSIDE])


IMPORTS = """
import socket, sys
from ctypes import c_int
from devshim import REAL, Device, File, ioctl, real
"""


@pytest.fixture
def box(devshim_run: Run, tmp_path: Path) -> Run:
    """Run a program with a device of the class Box in this code: box(code, node, options, *words)."""

    def run(code: str, node: str, options: list[str], *words: str | Path) -> Outcome:
        file = tmp_path / "box.py"
        file.write_text(
            "import os, socket, sys\nfrom ctypes import c_int\nfrom devshim import REAL, Device, File, ioctl, real\n"
            + code
        )
        return devshim_run(*words, devices=[f"{node}={file}:Box"], options=options)

    return run


LOOKS = """
class Box(Device):
    def read(self, size):
        print("read", size, file=sys.stderr)
        return REAL

    def write(self, data):
        print("write", data, file=sys.stderr)
        return REAL
"""


@BOTH_HOSTS
def test_a_model_looks_at_calls_and_leaves_them_to_the_node_s_own_hardware(box: Run, host: list[str]) -> None:
    script = "import os; fd = os.open('/dev/zero', os.O_RDWR); print(os.read(fd, 3), os.write(fd, b'four'))"

    got = box(LOOKS, "/dev/zero", host, sys.executable, "-c", script)

    assert (got.stdout, got.returncode) == ("b'\\x00\\x00\\x00' 4\n", 0), got.stderr
    assert got.stderr == "read 3\nwrite b'four'\n"


@BOTH_HOSTS
def test_a_real_node_that_is_not_there_fails_as_it_would_without_us(box: Run, host: list[str]) -> None:
    script = "import os; os.read(os.open('/dev/nothing-real', os.O_RDWR), 3)"

    got = box(LOOKS, "/dev/nothing-real", host, sys.executable, "-c", script)

    assert "No such file or directory" in got.stderr and got.returncode == 1


HOLDS = """
class Line(File):
    def __init__(self, device, fd):
        self.device, self.real = device, fd

    def read(self, size):
        return REAL

    def write(self, data):
        return REAL

    @ioctl(0x541B, c_int, access="r")
    def waiting(self):
        return REAL

class Box(Device):
    def open(self, flags):
        self.far, near = socket.socketpair()
        self.after(0.05, self.far.send, b"late")
        return Line(self, near.detach())
"""


@BOTH_HOSTS
def test_a_read_waits_for_a_real_descriptor_and_ioctls_reach_it(box: Run, host: list[str]) -> None:
    script = (
        "import array, fcntl, os, select; fd = os.open('/dev/box0', os.O_RDWR); count = array.array('i', [9]);"
        "print(os.read(fd, 2)); fcntl.ioctl(fd, 0x541B, count); print(count[0], os.read(fd, 9), os.write(fd, b'abc'))"
    )

    got = box(HOLDS, "/dev/box0", host, sys.executable, "-c", script)

    assert (got.stdout, got.returncode) == ("b'la'\n2 b'te' 3\n", 0), got.stderr


@BOTH_HOSTS
@pytest.mark.parametrize("returned", ["real.open('/dev/zero', flags)", "REAL"])
def test_open_may_hand_over_a_real_descriptor(box: Run, host: list[str], returned: str) -> None:
    code = f"class Box(Device):\n    def open(self, flags):\n        return {returned}\n"
    node = "/dev/zero" if returned == "REAL" else "/dev/box0"

    got = box(code, node, host, "sh", "-c", f"head -c 2 {node} | od -An -tx1")

    assert (got.stdout, got.returncode) == (" 00 00\n", 0), got.stderr


@BOTH_HOSTS
def test_a_file_without_anything_real_says_so_to_the_program(box: Run, host: list[str], tmp_path: Path) -> None:
    (tmp_path / "files.py").write_text(
        "from devshim import File, REAL, opening\n\nclass Plain(File):\n    def read(self, size): return REAL\n\n"
        "@opening('/data/*')\ndef plain(path, flags, mode): return Plain()\n"
    )

    got = box(LOOKS, "/dev/box0", [*host, "--model", str(tmp_path / "files.py")], "cat", "/data/x")

    assert "No such device or address" in got.stderr and got.returncode == 1
