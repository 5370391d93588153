"""devshim.real: the system's own calls, past the devices that this very process sees."""

import array
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devshim import Device, plugged, real


class Loud(Device):
    """Answers where the system's own /dev/zero would."""

    def read(self, size: int) -> bytes:
        return b"loud"[:size]

    def write(self, data: bytes) -> int:
        return 1


@pytest.fixture(autouse=True)
def loud() -> Iterator[None]:
    """/dev/zero is a device of ours in this process."""
    with plugged({"/dev/zero": Loud(), "/dev/loud": Loud()}):
        yield


def test_opening_by_real_goes_past_a_plugged_node() -> None:
    ours, theirs = os.open("/dev/zero", os.O_RDWR), real.open("/dev/zero", os.O_RDWR)

    assert (os.read(ours, 4), real.read(theirs, 4)) == (b"loud", bytes(4))
    assert (os.write(ours, b"four"), real.write(theirs, b"four")) == (1, 4)

    os.close(ours)
    real.close(theirs)


def test_in_any_thread_and_nobody_else_is_affected() -> None:
    seen: list[bytes] = []

    def look() -> None:
        fd = real.open("/dev/zero")
        seen.append(real.pread(fd, 2, 0))
        real.close(fd)
        ours = os.open("/dev/zero", os.O_RDONLY)
        seen.append(os.read(ours, 2))
        os.close(ours)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()

    assert seen == [bytes(2), b"lo"]


def test_what_is_plugged_alone_is_not_there_for_real() -> None:
    with pytest.raises(FileNotFoundError):
        real.open("/dev/loud")
    with pytest.raises(FileNotFoundError):
        real.stat("/dev/loud")
    assert "loud" in os.listdir("/dev") and "loud" not in real.listdir("/dev")


def test_ioctls_change_what_they_are_given(tmp_path: Path) -> None:
    near, far = os.pipe()
    os.write(far, b"three"[:3])
    count = array.array("i", [0])

    result = real.ioctl(near, 0x541B, memoryview(count).cast("B"))  # FIONREAD, asm-generic/ioctls.h
    ready = real.poll(near)
    real.close(near)
    real.close(far)

    assert (result, count[0], ready) == (0, 3, 1)
