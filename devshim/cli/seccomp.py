"""Tries out what the engine `seccomp` needs of the kernel: a filter with a listener, a look into another process."""

from __future__ import annotations

import ctypes
import errno
import os
import platform

NUMBERS = {"x86_64": (317, 438), "aarch64": (277, 438)}
"""seccomp(2) and pidfd_getfd(2); asm/unistd.h of each machine."""

PR_SET_NO_NEW_PRIVS = 38
SET_MODE_FILTER, NEW_LISTENER, WAIT_KILLABLE = 1, 1 << 3, 1 << 5
ALLOW = 0x7FFF0000
"""linux/seccomp.h"""


class Line(ctypes.Structure):
    """struct sock_filter of linux/filter.h."""

    _fields_ = (("code", ctypes.c_uint16), ("true", ctypes.c_uint8), ("false", ctypes.c_uint8), ("k", ctypes.c_uint32))


class Program(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""

    _fields_ = (("count", ctypes.c_uint16), ("lines", ctypes.POINTER(Line)))


def problem() -> str | None:
    """Why the engine `seccomp` cannot work here; None where it does."""
    numbers = NUMBERS.get(platform.machine())
    if numbers is None:
        return "it is made for x86-64 and AArch64"
    told, tell = os.pipe()
    asked, go = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(tell, b"%d" % install(numbers[0]))
        os.close(go)
        os.read(asked, 1)
        os._exit(0)
    os.close(asked)
    os.close(tell)
    try:
        found = int(os.read(told, 16) or b"-%d" % errno.ENOSYS)
        error = -found if found < 0 else refused_look(numbers[1], child, found)
        return in_words(error) if error else None
    finally:
        os.close(told)
        os.close(go)
        os.waitpid(child, 0)


def caution() -> str:
    """What does not work although problem() is None: where Yama lets only ancestors look into a process; else ""."""
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope") as file:
            scope = int(file.read())
    except (OSError, ValueError):
        return ""
    if scope == 0 or os.geteuid() == 0:
        return ""
    return f"kernel.yama.ptrace_scope is {scope}: in processes that a supervised program starts, nothing is caught"


def install(number: int) -> int:
    """In a child: put a filter that lets everything pass on it; the listener, or minus the errno."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    line = Line(0x06, 0, 0, ALLOW)
    listener = libc.syscall(
        number, SET_MODE_FILTER, NEW_LISTENER | WAIT_KILLABLE, ctypes.byref(Program(1, ctypes.pointer(line)))
    )
    return int(listener) if listener >= 0 else -ctypes.get_errno()


def refused_look(number: int, child: int, descriptor: int) -> int:
    """Take a descriptor out of a child, as the supervisor does; 0 or the errno."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(child)
    taken = libc.syscall(number, pidfd, descriptor, 0)
    error = ctypes.get_errno() if taken < 0 else 0
    os.close(pidfd)
    if taken >= 0:
        os.close(taken)
    return error


def in_words(error: int) -> str:
    """What an errno means here."""
    if error == errno.EBUSY:
        return "this process's calls are supervised already, by a container's runtime or another devshim"
    if error == errno.EINVAL:
        return f"it needs Linux 5.19 or later; this is {platform.release()}"
    if error in (errno.EPERM, errno.EACCES, errno.ENOSYS):
        return "a container's or sandbox's seccomp filter forbids it"
    return os.strerror(error)
