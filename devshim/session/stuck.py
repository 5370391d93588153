"""What the processes of a program wait for, as /proc tells (proc(5)): the system call, and the device behind it."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence

from devshim import real

Identity = tuple[int, int]

#: System calls in which programs wait, by number; with whether the first argument is a descriptor.
WAITS = {
    "x86_64": {
        0: ("read", True), 1: ("write", True), 7: ("poll", False), 16: ("ioctl", True), 23: ("select", False),
        34: ("pause", False), 35: ("sleep", False), 45: ("recvfrom", True), 47: ("recvmsg", True),
        61: ("wait", False), 128: ("sigtimedwait", False), 130: ("sigsuspend", False), 202: ("futex", False),
        230: ("sleep", False), 232: ("epoll_wait", True), 247: ("wait", False), 270: ("select", False),
        271: ("poll", False), 281: ("epoll_wait", True),
    },
    "aarch64": {
        22: ("epoll_wait", True), 29: ("ioctl", True), 63: ("read", True), 64: ("write", True),
        72: ("select", False), 73: ("poll", False), 95: ("wait", False), 98: ("futex", False),
        101: ("sleep", False), 115: ("sleep", False), 133: ("sigsuspend", False),
        137: ("sigtimedwait", False), 207: ("recvfrom", True), 212: ("recvmsg", True), 260: ("wait", False),
    },
}  # fmt: skip


Unfinished = Callable[[int], Sequence[str]]
"""From a process id to its calls on devices that wait for an answer, in words."""


def describe(group: int, nodes: Mapping[Identity, str], unfinished: Unfinished) -> list[str]:
    """A line for each process of a group.  nodes: of the open carriers, by st_dev and st_ino."""
    return [line for pid in members(group) if (line := describe_process(pid, nodes, unfinished(pid)))]


def members(group: int) -> Iterator[int]:
    """The processes of a group that have not ended."""
    for name in sorted(os.listdir("/proc")):
        if name.isdigit():
            fields = stat_of(int(name))
            if fields and int(fields[2]) == group and fields[0] not in ("Z", "X"):
                yield int(name)


def stat_of(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name: state, parent, group, session, ...; empty where it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def describe_process(pid: int, nodes: Mapping[Identity, str], unfinished: Sequence[str] = ()) -> str:
    """What one process waits for, and which devices it has open; "" where it is gone."""
    try:
        with open(f"/proc/{pid}/comm") as file:
            name = file.read().rstrip("\n")
        opened = open_nodes(pid, nodes)
        doing = f"waits in {' and '.join(unfinished)}" if unfinished else system_call(pid, opened)
    except (FileNotFoundError, ProcessLookupError):
        return ""
    has = ", ".join(sorted(set(opened.values())))
    return f"{name} ({pid}) {doing}" + (f"; it has {has} open" if has and has not in doing else "")


def system_call(pid: int, opened: Mapping[int, str]) -> str:
    """The system call that a process is in."""
    try:
        with open(f"/proc/{pid}/syscall") as file:
            fields = file.read().split()
    except PermissionError:
        return "is there (the kernel does not say what it waits for)"
    if not fields or not fields[0].lstrip("-").isdigit() or int(fields[0]) < 0:
        return "runs"
    name, has_fd = WAITS.get(platform.machine(), {}).get(int(fields[0]), (f"system call {fields[0]}", False))
    if not has_fd:
        return "waits for its child" if name == "wait" else f"waits in {name}"
    fd = int(fields[1], 16) & 0xFFFFFFFF
    if fd not in opened:
        return f"waits in {name}" + ("" if name == "epoll_wait" else f" of descriptor {fd}")
    return f"waits in {'read' if name.startswith('recv') else name} of {opened[fd]}"


def open_nodes(pid: int, nodes: Mapping[Identity, str]) -> dict[int, str]:
    """The nodes that a process has open, by descriptor."""
    found = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            status = real.stat(f"/proc/{pid}/fd/{name}")  # the carrier, not the device that the shim shows
        except OSError:
            continue  # closed meanwhile
        node = nodes.get((status.st_dev, status.st_ino))
        if node is not None:
            found[int(name)] = node
    return found
