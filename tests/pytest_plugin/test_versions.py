"""The plugin in other Pythons than this one, and with other releases of pytest.

Pythons are those on PATH and of pyenv; releases those that `make clients` has put into .cache/packages.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness import ROOT, devshim_environment

OLDEST, NEWEST = 11, 19  # of Python 3: what pyproject.toml asks for, and what may come

RELEASES = ("7.4.4", "8.3.5")
"""Of pytest, beside the newest; the Makefile has them, too."""

PARTS = ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "py")

SUITE = r"""
import os, subprocess, sys
from ctypes import c_uint32

import pytest
from devshim import IOR, Device, File, ioctl

class Box(Device):
    def read(self, size):
        return b"box"[:size]

    @ioctl(IOR("B", 1, c_uint32))
    def seven(self):
        return c_uint32(7)

class Text(File):
    text = b"text"

    def read(self, size):
        got, self.text = self.text[:size], self.text[size:]
        return got

def test_own_calls(devshim):
    import fcntl
    devshim.plug("/dev/box0", Box())
    with open("/dev/box0", "rb", buffering=0) as box:
        assert box.read(3) == b"box"
        assert fcntl.ioctl(box, 0x80044201, bytes(4))[:1] == b"\x07"
    assert "box0" in os.listdir("/dev")

def test_programs(devshim):
    devshim.plug("/dev/box0", Box())
    assert devshim.run("head", "-c3", "/dev/box0").stdout == "box"
    code = "print(open('/dev/box0', 'rb', buffering=0).read(3))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "b'box'\n"

def test_fork_children(devshim):
    devshim.plug("/dev/box0", Box())
    child = os.fork()
    if child == 0:
        os._exit(0 if os.read(os.open("/dev/box0", os.O_RDONLY), 3) == b"box" else 1)
    assert os.waitpid(child, 0)[1] == 0

def test_openings(devshim):
    devshim.opening("/data/*", lambda path, flags, mode: Text())
    assert open("/data/x").read() == "text"
    assert devshim.run("cat", "/data/y").stdout == "text"

def test_a_device_of_the_catalogue(devshim):
    devshim.plug("/dev/ttyUSB0", "gps,period=0.05")
    assert devshim.run("head", "-n", "1", "/dev/ttyUSB0").stdout.startswith("$GPRMC")

def test_a_failure_shows_the_calls(devshim):
    devshim.plug("/dev/box0", Box())
    devshim.run("sh", "-c", "head -c3 /dev/box0; exit 3")
"""


def pythons() -> list[str]:
    """Every supported Python."""
    names = [f"python3.{minor}" for minor in range(OLDEST, NEWEST + 1)]
    found = [shutil.which(name) or "" for name in names]
    found += [str(path) for name in names for path in Path("~/.pyenv/versions").expanduser().glob(f"*/bin/{name}")]
    return sorted({os.path.realpath(path) for path in found if path and "/shims/" not in path})


def version(python: str) -> str:
    """3.12, of .../python3.12."""
    name = re.search(r"python(3\.\d+)$", python)
    return name[1] if name else "?"


def others() -> list[str]:
    """One Python of each version but this one."""
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return list({version(python): python for python in pythons() if version(python) not in (own, "?")}.values())


@pytest.fixture
def own_pytest(tmp_path: Path) -> Path:
    """A folder with this Python's pytest and nothing else: it is plain Python, and runs in any."""
    folder = tmp_path / "pytest"
    folder.mkdir()
    for name in PARTS:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue
        origin = Path(spec.origin)
        origin = origin.parent if origin.name == "__init__.py" else origin
        for part in (origin, *origin.parent.glob(f"{name}-*.dist-info")):  # some ask for their own version
            (folder / part.name).symlink_to(part)
    return folder


def check(python: str, pytest_folder: Path, folder: Path) -> None:
    """Run the suite: all pass but the one that is to fail, whose calls are shown."""
    (folder / "test_small.py").write_text(SUITE)
    environment = {
        **devshim_environment(),
        "PYTHONPATH": f"{pytest_folder}:{ROOT}",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    command = [python, "-m", "pytest", "-p", "devshim.pytest_plugin", "-p", "no:cacheprovider", "test_small.py"]

    ran = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=folder, env=environment)

    assert "1 failed, 5 passed" in ran.stdout, ran.stdout + ran.stderr
    assert 'read(/dev/box0, "box", 3) = 3' in ran.stdout


@pytest.mark.parametrize("python", others(), ids=version)
def test_the_plugin_works_in_another_python(python: str, own_pytest: Path, tmp_path: Path) -> None:
    check(python, own_pytest, tmp_path)


@pytest.mark.parametrize("release", RELEASES)
def test_the_plugin_works_with_another_release_of_pytest(release: str, tmp_path: Path) -> None:
    folder = ROOT / ".cache/packages" / f"pytest-{release}"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: make clients")
    check(sys.executable, folder, tmp_path)
