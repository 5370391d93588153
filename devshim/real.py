"""Public: the system's own open, read, write, ioctl, ... past devshim, in whichever process a model lives.

In a host of its own these are plainly the system calls.  Inside the program (--in-process, or a test's own process)
they are what the program's calls would have met without devshim.  All raise OSError; none waits without letting
others run.
"""

from __future__ import annotations

import fcntl
import os
import select
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from devshim.host.aside import Aside

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

__all__ = [
    "close", "dup", "fstat", "ioctl", "listdir", "lseek", "open", "poll", "pread", "pwrite", "read", "readlink", "stat",
    "write",
]  # fmt: skip


def past(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The function, made so that the shim stands aside in its thread meanwhile."""

    @wraps(function)
    def call(*arguments: Parameters.args, **keywords: Parameters.kwargs) -> Result:
        with Aside():
            return function(*arguments, **keywords)

    return call


@past
def open(path: str | bytes, flags: int = os.O_RDONLY, mode: int = 0o666) -> int:
    """open(2): a descriptor of what really is there; not inherited by programs (O_CLOEXEC)."""
    return os.open(path, flags | os.O_CLOEXEC, mode)


@past
def ioctl(fd: int, request: int, argument: int | bytes | bytearray | memoryview = 0) -> int | bytes:
    """ioctl(2): a bytearray or writable memoryview is changed in place, bytes come back changed, an int is a value."""
    if isinstance(argument, (bytearray, memoryview)):
        return int(fcntl.ioctl(fd, request, argument, True))
    changed: int | bytes = fcntl.ioctl(fd, request, argument)
    return changed


@past
def poll(fd: int, events: int = select.POLLIN, timeout: float = 0) -> int:
    """poll(2) for one descriptor: its ready bits, 0 after so many seconds without any."""
    poller = select.poll()
    poller.register(fd, events)
    return sum(bits for _, bits in poller.poll(timeout * 1000))


close = past(os.close)
dup = past(os.dup)
fstat = past(os.fstat)
listdir = past(os.listdir)
lseek = past(os.lseek)
pread = past(os.pread)
pwrite = past(os.pwrite)
read = past(os.read)
readlink = past(os.readlink)
stat = past(os.stat)
write = past(os.write)
