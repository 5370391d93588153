"""Which processes descend from a run's program: they, and nobody else, get its devices."""

from __future__ import annotations

import os

MOST_GENERATIONS = 256
STAT_SIZE = 4096  # more than /proc/pid/stat has


def descends(pid: int, roots: set[int]) -> bool:
    """Whether a process is one of roots or comes from one; the waiter is a root, and the reaper of orphans."""
    at, generations = pid, 0
    while at not in roots:
        parent = parent_of(at)
        generations += 1
        if parent == 0 or generations > MOST_GENERATIONS or (parent is None and at == pid):
            return False
        # A parent that died under our eyes has left its children to another: look again from the beginning.
        at = pid if parent is None else parent
    return True


def parent_of(pid: int) -> int | None:
    """A process's parent, or None where there is no such process (proc(5), /proc/pid/stat)."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    try:
        return int(os.read(fd, STAT_SIZE).rpartition(b")")[2].split()[1])
    except ProcessLookupError:
        return None
    finally:
        os.close(fd)
