"""The writer: whole lines, whatever the disk does; figures that read well; what the format has no place for."""

import errno
import json
import os
import resource
import signal

import pytest

from devshim.trace.event import Event, Header, Node, SysFile
from devshim.trace.format.reader import Trace
from devshim.trace.format.writer import Writer

OPEN = Event("open", "/dev/x", 1, flags=os.O_RDWR)


def test_times_have_six_decimals_and_never_an_exponent(tmp_path):
    writer = Writer(str(tmp_path / "a.trace"), Header())
    writer.event(Event("open", "/dev/x", 1, flags=2, time=0.00001, took=1e-7))
    writer.event(Event("poll", "/dev/x", 1, asked=1, timeout=0.00002, time=1234.5, took=2))
    writer.end()

    lines = (tmp_path / "a.trace").read_text().splitlines()

    assert lines[1].endswith('"time": 0.000010, "took": 0.000000}')
    assert '"timeout": 0.00002, ' in lines[2]
    assert lines[2].endswith('"time": 1234.500000, "took": 2.000000}')


def test_what_the_format_has_no_place_for_is_refused_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "a.trace"
    writer = Writer(str(path), Header())
    for event in (Event("dance"), Event("close", "", 1, time=float("nan")), Event("close", "", 1, took=-1.0)):
        with pytest.raises(ValueError, match=r"no call|seconds"):
            writer.event(event)
    with pytest.raises(ValueError, match="JSON"):
        writer.put({"end": float("inf")})
    writer.event(OPEN)
    writer.end()

    assert [event.name for event in Trace(path)] == ["open"]


def test_events_are_numbered_and_the_end_counts_them(tmp_path):
    path = tmp_path / "a.trace"
    writer = Writer(str(path), Header(by="me"))
    event = Event("close", "/dev/x", 1)
    writer.event(OPEN)
    writer.event(event)
    writer.node(Node("/dev/x", "tty", (4, 64)))
    writer.ioctl({"request": "0x00005401", "name": "TCGETS"})
    writer.program("cat", 2, 1)
    writer.end("killed", lost=3, notes=["ring full"])

    assert event.number == 2
    assert json.loads(path.read_text().splitlines()[-1]) == {
        "end": "killed",
        "events": 2,
        "lost": 3,
        "notes": ["ring full"],
    }
    trace = Trace(path)
    assert len(list(trace)) == 2
    assert trace.header.nodes["/dev/x"].rdev == (4, 64)
    assert trace.header.ioctls[0x5401]["name"] == "TCGETS"
    assert trace.programs == {2: ("cat", 1)}


def fill(writer: Writer) -> None:
    """Write until that fails."""
    for number in range(2000):
        writer.event(Event("write", "/dev/x", 1, data=os.urandom(50), result=50))
        if number % 7 == 0:
            writer.flush()


@pytest.mark.parametrize("name", ["a.trace", "a.trace.zst"])
def test_a_full_disk_leaves_a_sound_trace(tmp_path, name):
    """The limit of a file's size stands for the disk; the write that meets it is cut short, the next one fails."""
    path = tmp_path / name
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    writer = Writer(str(path), Header())
    writer.event(OPEN)
    writer.flush()
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096 + 13, before[1]))
    try:
        with pytest.raises(OSError, match="large") as caught:
            fill(writer)
        writer.event(OPEN)
        writer.end()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)

    assert caught.value.errno == errno.EFBIG
    trace = Trace(path)
    found = list(trace)
    assert len(found) > 10
    assert {event.name for event in found[1:]} == {"write"}
    if name.endswith("trace"):
        assert path.read_bytes().endswith(b"\n")


def test_what_was_flushed_can_be_read_while_the_writer_goes_on(tmp_path):
    for name in ("a.trace", "a.trace.zst"):
        path = str(tmp_path / name)
        writer = Writer(path, Header())
        writer.event(OPEN)
        for count in range(1, 4):
            writer.event(Event("close", "/dev/x", 1))
            writer.flush()
            assert len(list(Trace(path))) == 1 + count
        writer.end()


def test_files_of_sys_keep_their_mode_their_failure_and_what_was_written(tmp_path):
    around = {
        "/sys/a/plain": b"1\n",
        "/sys/a/broken": SysFile(failure="EIO", mode=0o644),
        "/sys/a/export": SysFile(mode=0o200),
        "/sys/a/scale": SysFile(b"2\n", 0o644, "", {b"3\0": "EINVAL", b"4": ""}),
        "/sys/a/nothing": SysFile(),
    }
    writer = Writer(str(tmp_path / "a.trace"), Header(nodes={"/sys/a": Node("/sys/a", "sysfs", surroundings=around)}))
    writer.end()

    assert Trace(tmp_path / "a.trace").header.nodes["/sys/a"].surroundings == around
