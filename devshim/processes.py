"""Looks up in /proc who is whose child; see proc(5)."""

from __future__ import annotations

import os


def children() -> list[int]:
    """Process ids of our children; by a look at all processes where the kernel has no list (CONFIG_PROC_CHILDREN)."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb") as listed:
            return [int(pid) for pid in listed.read().split()]
    except FileNotFoundError:
        everyone = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        return [pid for pid in everyone if parent_of(pid) == os.getpid()]


def descends(pid: int) -> bool:
    """Tell whether a process is a child, grandchild and so on of ours; one that has gone is not."""
    while pid > 1:
        pid = parent_of(pid)
        if pid == os.getpid():
            return True
    return False


def parent_of(pid: int) -> int:
    """A process's parent; 0 where there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as state:
            return int(state.read().rpartition(b")")[2].split()[1])  # its name may hold blanks and brackets
    except (FileNotFoundError, ProcessLookupError):
        return 0


def name_of(pid: int) -> str:
    """A process's name as ps shows it."""
    try:
        with open(f"/proc/{pid}/comm", errors="replace") as name:
            return name.read().strip()
    except (FileNotFoundError, ProcessLookupError):
        return "ended"
