"""Advisory locks on computed devices, whose every open has an inode of its own, so that the kernel's would not meet.

flock(2)'s and those of an open file description belong to the file, POSIX record locks to the process.  All are over
the whole device: there is nothing to count bytes in.
"""

from __future__ import annotations

from devshim.host.waits import WaitPoint

LOCK_SH, LOCK_EX, LOCK_UN = 1, 2, 8  # flock(2)


class Owner:
    """Who holds a lock: a process, or a file (then process is -1, as F_GETLK tells it; fcntl(2))."""

    __slots__ = ("file", "process")

    def __init__(self, process: int, file: int | None) -> None:
        self.process = process
        self.file = file

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Owner) and (self.process, self.file) == (other.process, other.file)

    def __hash__(self) -> int:
        return hash((self.process, self.file))


class Locks:
    """Who holds the locks of one kind on one device."""

    def __init__(self, point: WaitPoint) -> None:
        self.point = point
        self._kinds: dict[Owner, int] = {}
        self._files: dict[Owner, set[int]] = {}

    def in_the_way(self, owner: Owner, kind: int) -> Owner | None:
        """Somebody whose lock forbids this one (LOCK_SH, LOCK_EX; LOCK_UN never)."""
        if kind != LOCK_UN:
            for other, held in self._kinds.items():
                if other != owner and LOCK_EX in (kind, held):
                    return other
        return None

    def held(self, owner: Owner) -> int:
        """The lock that somebody holds: LOCK_SH, LOCK_EX, or LOCK_UN for none."""
        return self._kinds.get(owner, LOCK_UN)

    def take(self, owner: Owner, kind: int, file: int) -> bool:
        """Take, change or give back a lock through a file; False where another is in the way."""
        if kind == LOCK_UN:
            self._drop(owner)
            return True
        if self.in_the_way(owner, kind):
            return False
        weaker = self.held(owner) == LOCK_EX and kind == LOCK_SH
        self._kinds[owner] = kind
        self._files.setdefault(owner, set()).add(file)
        if weaker:
            self.point.fire()
        return True

    def closed(self, file: int) -> None:
        """A file has been closed: its locks go, and a process's that were taken through it."""
        for owner in [owner for owner, files in self._files.items() if file in files]:
            self._drop(owner)

    def died(self, process: int) -> None:
        """A process has ended: its own locks go."""
        self._drop(Owner(process, None))

    def _drop(self, owner: Owner) -> None:
        self._files.pop(owner, None)
        if self._kinds.pop(owner, None) is not None:
            self.point.fire()
