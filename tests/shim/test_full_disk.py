"""The file system of the run's directory is full: opens fail with ENOSPC, nobody dies, and room made is room used."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import devshim_command, devshim_environment, run

DEVICE = """
from devshim import Device

class Word(Device):
    def read(self, size):
        return b"word\\n"[:size]
"""
FILLS = """
import errno, os, sys

filler = os.open(os.environ["TMPDIR"] + "/filler", os.O_CREAT | os.O_WRONLY)
held, failed = [os.open("/dev/word0", os.O_RDONLY)], None
try:
    while True:
        os.write(filler, bytes(4096))
except OSError as full:
    assert full.errno == errno.ENOSPC
try:
    while len(held) < 3000:
        held.append(os.open("/dev/word0", os.O_RDONLY))
except OSError as problem:
    failed = problem.errno
print(os.listdir("/dev").count("word0"), os.stat("/dev/word0").st_size, os.path.exists("/dev/word1"))
print(errno.errorcode[failed], {os.read(fd, 9) for fd in held})
os.ftruncate(filler, 0)
for _ in range(100):
    held.append(os.open("/dev/word0", os.O_RDONLY))
print({os.read(fd, 9) for fd in held})
"""


def can_mount() -> bool:
    """Whether a file system of our own can be mounted."""
    tried = ["unshare", "--mount", "mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", "/mnt"]
    try:
        return subprocess.run(tried, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


pytestmark = pytest.mark.skipif(not can_mount(), reason="only root can mount a small file system")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory with a short path, and a model in it."""
    with tempfile.TemporaryDirectory(prefix="full-", dir="/tmp") as path:
        Path(path, "word.py").write_text(DEVICE)
        Path(path, "small").mkdir()
        yield Path(path)


def run_in_small(folder: Path, kilobytes: int, *program: str) -> "subprocess.CompletedProcess[str]":
    """A run whose directory has so much room, in a mount namespace of its own."""
    script = f'mount -t tmpfs -o size={kilobytes}k tmpfs {folder}/small && TMPDIR={folder}/small exec "$@"'
    words = [*devshim_command(), "run", "-d", f"/dev/word0={folder}/word.py:Word", "--", *program]
    environment = devshim_environment({"PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C"})
    return run(["unshare", "--mount", "sh", "-c", script, "sh", *words], env=environment)


def test_opens_fail_while_it_is_full_and_what_is_open_goes_on(folder: Path) -> None:
    got = run_in_small(folder, 400, "python3", "-c", FILLS)

    assert got.stdout.splitlines() == ["1 0 False", "ENOSPC {b'word\\n'}", "{b'word\\n'}"], got.stderr
    assert got.stderr.splitlines() == [
        "devshim: the file system of the run's directory is full; make room there, or set TMPDIR to another"
    ]
    assert got.returncode == 0


@pytest.mark.parametrize("kilobytes", [4, 16])
def test_a_run_that_finds_no_room_at_all_says_so(folder: Path, kilobytes: int) -> None:
    got = run_in_small(folder, kilobytes, "cat", "/dev/word0")

    assert (got.stdout, got.returncode) == ("", 125)
    assert got.stderr == (
        f"devshim: {folder}/small, or where the output goes: No space left on device; "
        "make room there, or set TMPDIR to another directory\n"
    )
