"""Of an ioctl's memory a trace holds what passed, and nothing of the program's own that happened to lie there."""

import ctypes
import sys
from pathlib import Path

from recordings import events, record

from devshim.host.ringmemory import memory_after
from devshim.host.segments import SEGMENT, SEGMENT_WRITE, SEGMENTS
from devshim.trace.event import Event

EVIOCGKEY, EVIOCGNAME = 0x82FF4518, 0x81004506
ASKS = """
import fcntl, os
fd = os.open("/dev/input/event7", os.O_RDWR)
for request, size in ((0x82ff4518, 767), (0x81004506, 256)):
    memory = bytearray(b"\\xaa" * size)
    print(fcntl.ioctl(fd, request, memory), memory.rstrip(b"\\xaa").hex())
"""


def test_what_lies_beyond_the_length_that_a_driver_returns_is_not_recorded(tmp_path: Path) -> None:
    trace = tmp_path / "keys.trace"
    record(trace, sys.executable, "-c", ASKS, devices=["/dev/input/event7=k120"])

    found = {event.request: event for event in events(trace) if event.name == "ioctl"}
    assert [len(found[request].after[0]) for request in (EVIOCGKEY, EVIOCGNAME)] == [96, 22]  # type: ignore[index,arg-type]
    assert b"\xaa" not in trace.read_bytes() and "aaaaaa" not in trace.read_text()


def segments(content: bytes) -> bytes:
    at = SEGMENTS.size + SEGMENT.size
    return SEGMENTS.pack(1, 0) + SEGMENT.pack(at, len(content), SEGMENT_WRITE, 0, len(content), 0) + content


def test_addresses_in_what_nobody_described_are_told_and_left_out() -> None:
    event = Event("ioctl", "/dev/acme0", request=0x80184101)
    address = ctypes.addressof(ctypes.c_int()).to_bytes(8, "little")
    memory_after(event, None, b"", segments(b"answered" + address + bytes(8)), None, 0b010)

    assert event.pointers == (8,)
    assert event.after == [b"answered" + bytes(16)]
