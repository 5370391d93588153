"""The memory of a process that answers itself: what cannot be written to fails the call, nothing beside is touched."""

import ctypes
import errno
import mmap
import os
from collections.abc import Iterator

import pytest
from host.own_devices import attached, opened

from devshim import Device

PAGE = mmap.PAGESIZE
NONE, READ = 0, mmap.PROT_READ


class Full(Device):
    """Has as many bytes as are asked for, and keeps what it was given last."""

    given = b""

    def read(self, size: int) -> bytes:
        return b"x" * size

    def write(self, data: bytes) -> None:
        self.given = data


@pytest.fixture
def libc() -> Iterator[ctypes.CDLL]:
    with attached(own0=Full()):
        yield ctypes.CDLL(None, use_errno=True)


def read(libc: ctypes.CDLL, at: int, size: int, protection: int) -> tuple[int, int, bytes]:
    """read(2) to a place in two pages of dots before one that is protected: result, errno, and the two pages."""
    memory = mmap.mmap(-1, 3 * PAGE)
    memory.write(b"." * 3 * PAGE)
    room = ctypes.c_char.from_buffer(memory)
    start = ctypes.addressof(room)
    third = ctypes.c_void_p(start + 2 * PAGE)
    assert libc.mprotect(third, ctypes.c_size_t(PAGE), protection) == 0
    with opened() as fd:
        result = libc.read(fd, ctypes.c_void_p(start + at), ctypes.c_size_t(size))
    error = ctypes.get_errno() if result < 0 else 0
    assert libc.mprotect(third, ctypes.c_size_t(PAGE), mmap.PROT_READ | mmap.PROT_WRITE) == 0
    del room
    return result, error, memory[: 2 * PAGE]


@pytest.mark.parametrize("size", [1, 3, 7, 8, 9, 16, 4095, 4096, 5000])
@pytest.mark.parametrize("where", ["inside a page", "across two", "up to the end"])
def test_a_read_fills_its_buffer_and_nothing_else(libc: ctypes.CDLL, size: int, where: str) -> None:
    at = {"inside a page": 100, "across two": PAGE - (size + 1) // 2, "up to the end": 2 * PAGE - size}[where]

    result, _, memory = read(libc, at, size, NONE)

    assert result == size
    assert memory == b"." * at + b"x" * size + b"." * (2 * PAGE - at - size)


@pytest.mark.parametrize("protection", [NONE, READ])
@pytest.mark.parametrize("size", [1, 3, 7, 8, 9, 16, 4095, 4096])
def test_a_read_into_memory_that_cannot_be_written_fails_with_efault(
    libc: ctypes.CDLL, size: int, protection: int
) -> None:
    for at in {2 * PAGE, 2 * PAGE + 1 - size}:
        result, error, memory = read(libc, at, size, protection)

        assert (result, os.strerror(error)) == (-1, os.strerror(errno.EFAULT))
        assert memory[: 2 * PAGE - size] == b"." * (2 * PAGE - size)


@pytest.mark.parametrize("size", [0, 1, 7, 4097, 40000])
def test_calls_of_the_interpreter_itself_pass_whole_buffers(size: int) -> None:
    device, sent, room = Full(), os.urandom(size), bytearray(b"." * (size + 1))

    with attached(own0=device), opened() as fd:
        got = os.read(fd, size)
        assert os.write(fd, sent) == size
        with open(fd, "rb", buffering=0, closefd=False) as file:
            assert file.readinto(memoryview(room)[:size]) == size

    assert got == b"x" * size
    assert device.given == sent
    assert room == b"x" * size + b"."
