"""--check compares a trace with the real devices while the program runs on them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from handmade import call, ioctl, opened, read, write_trace, wrote
from harness import Outcome, devshim_command, devshim_environment
from recordings import record, terminal

Run = Callable[..., Outcome]
ZERO = "/dev/zero"
pytestmark = pytest.mark.skipif(not os.access(ZERO, os.W_OK), reason="needs /dev/zero")

READS = "import os, sys; fd = os.open('/dev/zero', os.O_RDWR); os.read(fd, 3); "


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Return a disk of the kernel's, and the file that it shows."""
    if not shutil.which("losetup"):
        pytest.skip("no losetup")
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(value % 251 for value in range(1 << 16)))
    made = subprocess.run(["losetup", "-f", "--show", disk], capture_output=True, text=True, timeout=60, check=False)
    if made.returncode:
        pytest.skip(f"no loop device: {made.stderr.strip()}")
    node = made.stdout.strip()
    yield node, disk
    subprocess.run(["losetup", "-d", node], timeout=60, check=False)


def test_the_first_difference_is_told_while_the_program_runs(tmp_path: Path) -> None:
    trace = write_trace(tmp_path / "zero.trace", ZERO, [opened(ZERO), read("one")])
    words = [
        *devshim_command(),
        "replay",
        str(trace),
        "--check",
        "--",
        sys.executable,
        "-c",
        READS + "sys.stdin.read()",
    ]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=devshim_environment(None)
    ) as running:
        assert running.stderr is not None
        assert "not true any more: byte 0 is" in running.stderr.readline()
        assert running.poll() is None
        running.communicate(timeout=60)
        assert running.returncode == 1


def test_random_numbers_of_the_kernel_differ_and_loosely_do_not(devshim_verb: Run, tmp_path: Path) -> None:
    events = [opened("/dev/urandom"), ioctl("0x80045200", after="ffffff7f"), read("four")]
    trace = write_trace(tmp_path / "random.trace", "/dev/urandom", events)
    program = "import fcntl, os; fd = os.open('/dev/urandom', os.O_RDWR); fcntl.ioctl(fd, 0x80045200, b'1234')"
    words = ("--", sys.executable, "-c", program + "; os.read(fd, 4)")
    outcome = devshim_verb("replay", trace, "--check", *words)
    assert outcome.stderr.count("not true any more") == 2 and outcome.returncode == 1
    assert "random.trace is still true" in devshim_verb("replay", trace, "--check", "--loose", *words).stderr


def test_a_terminal_that_answers_as_recorded_is_still_true(devshim_verb: Run, tmp_path: Path) -> None:
    with terminal() as port:
        program = f"""
import os
fd = os.open("{port.path}", os.O_RDWR | os.O_NOCTTY); os.write(fd, b"AT"); data = b""
while len(data) < 4: data += os.read(fd, 9)
"""
        for answer, code in (("<AT>", 0), ("<AX>", 1)):
            events = [opened(port.path), wrote("AT"), read(answer)]
            trace = write_trace(tmp_path / "port.trace", port.path, events, kind="tty")
            outcome = devshim_verb("replay", trace, "--check", "--", sys.executable, "-c", program)
            assert (outcome.returncode, "still true" in outcome.stderr) == (code, code == 0)


def test_a_disk_is_compared_by_its_content(devshim_verb: Run, tmp_path: Path, loop: tuple[str, Path]) -> None:
    node, disk = loop
    trace = tmp_path / "disk.trace"
    program = (
        f"import os; fd = os.open('{node}', os.O_RDONLY); print(len(os.read(fd, 8192)), len(os.pread(fd, 512, 4096)))"
    )
    assert record(trace, sys.executable, "-c", program, devices=[node]).stdout == "8192 512\n"
    other = program.replace("os.read(fd, 8192)", "os.read(fd, 4096) + os.read(fd, 1024)")
    assert "still true" in devshim_verb("replay", trace, "--check", "--", sys.executable, "-c", other).stderr
    with disk.open("r+b") as file:
        file.seek(4100)
        file.write(b"\xff")
    changed = devshim_verb("replay", trace, "--check", "--", sys.executable, "-c", other)
    assert "not true any more: byte 4 is 0xff" in changed.stderr and changed.returncode == 1


def test_a_disk_known_by_hand_differs_where_it_does(devshim_verb: Run, tmp_path: Path) -> None:
    nodes = [{"node": ZERO, "kind": "block", "rdev": "1:5"}]
    known = [opened(ZERO), call("pread", size=512, offset=1024, data=bytes(500) + b"differently!")]
    trace = write_trace(tmp_path / "disk.trace", nodes, known)
    program = "import os; fd = os.open('/dev/zero', os.O_RDONLY); os.pread(fd, {}, 1024)"
    good = devshim_verb("replay", trace, "--check", "--", sys.executable, "-c", program.format(500))
    assert (good.stderr, good.returncode) == (f"devshim: {trace} is still true\n", 0)
    bad = devshim_verb("replay", trace, "--check", "--", sys.executable, "-c", program.format(512))
    assert "byte 500 is 0x00" in bad.stderr and bad.returncode == 1


def test_what_the_program_did_not_come_to_is_told(devshim_verb: Run, tmp_path: Path) -> None:
    trace = write_trace(tmp_path / "zeros.trace", "/dev/zero", [opened("/dev/zero"), read("\0\0"), read("\0\0")])
    words = (sys.executable, "-c", "import os; os.read(os.open('/dev/zero', os.O_RDWR), 2)")

    outcome = devshim_verb("replay", trace, "--check", "--", *words)
    assert "zeros.trace is still true, as far as the program went" in outcome.stderr
    assert "zeros.trace:4: one event of the trace was not used" in outcome.stderr and outcome.returncode == 0

    assert devshim_verb("replay", trace, "--check", "--fail-on-unused", "--", *words).returncode == 1
