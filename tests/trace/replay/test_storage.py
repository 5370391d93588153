"""A replayed disk: content counts, however it is read and written."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from handmade import call, ioctl, opened, read, write_trace
from harness import Outcome

NODE = "/dev/sdzz"
SIZE = 64 << 10
DISK = bytes(value * 7 % 251 for value in range(SIZE))
BLKGETSIZE64 = "0x80081272"

Run = Callable[..., Outcome]


@pytest.fixture
def replay(tmp_path: Path, devshim_verb: Run) -> Run:
    """Return a function that replays events of a disk to a command, or to a Python program (one word)."""

    def run(events: list[object], *command: str, options: tuple[str, ...] = ()) -> Outcome:
        nodes = [{"node": NODE, "kind": "block", "rdev": "65:4000"}]
        trace = write_trace(tmp_path / "disk.trace", nodes, events)  # type: ignore[arg-type]
        words = command if len(command) > 1 else (sys.executable, "-c", IMPORTS + command[0])
        return devshim_verb("replay", trace, *options, "--", *words)

    return run


IMPORTS = f"""
import errno, os, stat
DISK = bytes(value * 7 % 251 for value in range({SIZE}))
def failing(what, *args):
    try: return what(*args)
    except OSError as problem: return errno.errorcode[problem.errno]
fd = os.open("{NODE}", os.O_RDWR)
"""


def reads(step: int, file: int = 1) -> list[object]:
    """The whole disk, in pieces, up to its end."""
    pieces = [call("read", file, size=step, data=DISK[at : at + step]) for at in range(0, SIZE, step)]
    return [*pieces, call("read", file, size=step)]


@pytest.mark.parametrize("size", ["512", "4096", "65536", "100000"])
def test_dd_copies_the_disk_whatever_its_block_size(replay: Run, tmp_path: Path, size: str) -> None:
    copy = tmp_path / "copy"
    outcome = replay([opened(NODE), *reads(4096)], "dd", f"if={NODE}", f"of={copy}", f"bs={size}", "status=none")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert copy.read_bytes() == DISK


def test_a_disk_is_a_block_device_with_its_numbers(replay: Run) -> None:
    program = (
        f"s = os.stat('{NODE}'); print(stat.S_ISBLK(s.st_mode), os.major(s.st_rdev), os.minor(s.st_rdev), os.fsync(fd))"
    )
    assert replay([opened(NODE)], program).stdout == "True 65 4000 None\n"


@pytest.mark.client("blockdev")
def test_blockdev_tells_the_recorded_size(replay: Run) -> None:
    outcome = replay(
        [opened(NODE), ioctl(BLKGETSIZE64, after=SIZE.to_bytes(8, "little").hex())], "blockdev", "--getsize64", NODE
    )
    assert outcome.stdout == f"{SIZE}\n"


def test_any_part_of_what_was_read_may_be_read_from_anywhere(replay: Run) -> None:
    program = """
print(os.pread(fd, 100, 5000) == DISK[5000:5100], os.lseek(fd, -10, os.SEEK_END), end=" ")
print(os.read(fd, 100) == DISK[-10:], os.read(fd, 5))
os.lseek(fd, 4090, os.SEEK_SET); print(os.read(fd, 12) == DISK[4090:4102], os.lseek(fd, 0, os.SEEK_CUR))
"""
    assert replay([opened(NODE), *reads(4096)], program).stdout == f"True {SIZE - 10} True b''\nTrue 4102\n"


def test_what_was_never_read_is_a_mismatch_that_says_so(replay: Run) -> None:
    events = [opened(NODE), call("pread", offset=0, size=512, data=DISK[:512])]
    outcome = replay(events, "print(failing(os.pread, fd, 512, 512))")
    assert outcome.stdout == "EIO\n"
    assert "nothing is recorded of the 512 bytes at 512" in outcome.stderr
    assert outcome.returncode == 1


def test_what_is_written_is_compared_by_content_and_read_back(replay: Run) -> None:
    changed = b"A" * 100 + b"B" * 100 + DISK[200:512]
    events = [
        opened(NODE), call("pread", offset=0, size=512, data=DISK[:512]), call("pwrite", offset=0, data=b"A" * 100),
        call("pwrite", offset=100, data=b"B" * 100), call("pread", offset=0, size=512, data=changed),
    ]  # fmt: skip
    program = """
print(os.pread(fd, 512, 0) == DISK[:512])
print(os.pwrite(fd, b"A" * 50, 0), os.pwrite(fd, b"A" * 50 + b"B" * 100, 50))
print(os.pread(fd, 300, 0) == b"A" * 100 + b"B" * 100 + DISK[200:300])
"""
    outcome = replay(events, program, options=("--fail-on-unused",))
    assert (outcome.stdout, outcome.returncode) == ("True\n50 150\nTrue\n", 0)
    other = replay(events, 'print(failing(os.pwrite, fd, b"A" * 99 + b"X", 0), failing(os.pwrite, fd, b"A", 5000))')
    assert other.stdout == "EIO EIO\n"
    assert "byte 99 of what is written at 0, at 99, is not what was recorded" in other.stderr
    assert "byte 0 of what is written at 5000, at 5000, was never recorded" in other.stderr


def test_content_that_changes_by_itself_changes_as_it_did(replay: Run) -> None:
    events = [opened(NODE), *[call("pread", offset=0, size=4, data=text) for text in ("one.", "two.")]]
    assert (
        replay(events, "print(os.pread(fd, 4, 0), os.pread(fd, 4, 0), os.pread(fd, 4, 0))").stdout
        == "b'one.' b'two.' b'two.'\n"
    )


def test_a_read_that_failed_fails(replay: Run) -> None:
    events = [
        opened(NODE),
        call("pread", offset=512, size=512, error="EIO"),
        call("pread", offset=1, size=7, error="EINVAL"),
    ]
    assert (
        replay(events, "print(failing(os.pread, fd, 512, 512), failing(os.pread, fd, 7, 1))").stdout == "EIO EINVAL\n"
    )


@pytest.mark.client("blockdev")
def test_several_programs_read_one_disk(replay: Run, tmp_path: Path) -> None:
    size = ioctl(BLKGETSIZE64, after=SIZE.to_bytes(8, "little").hex())
    events = [opened(NODE), size, opened(NODE, 2, process=2), *reads(8192, 2)]
    outcome = replay(
        events, "sh", "-c", f"blockdev --getsize64 {NODE}; cat {NODE} | cksum; head -c 4096 {NODE} | wc -c"
    )
    assert outcome.stdout.startswith(f"{SIZE}\n")
    assert outcome.stdout.splitlines()[1].endswith(f" {SIZE}")


def test_a_read_of_more_than_is_known_uses_what_it_gets(replay: Run) -> None:
    events = [opened(NODE), read(DISK[:512], size=512)]
    outcome = replay(events, "print(os.read(fd, 4096) == DISK[:512])", options=("--fail-on-unused",))
    assert (outcome.stdout, outcome.returncode) == ("True\n", 0)
