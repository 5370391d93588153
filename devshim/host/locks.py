"""Advisory locks on computed devices, whose every open has an inode of its own, so that the kernel's would not meet.

flock(2) and open-file-description locks belong to the file; POSIX record locks would belong to the process and
are taken as the file's too, over the whole device (there is nothing to count bytes in).
"""

from __future__ import annotations

import fcntl

from devshim.host.waits import WaitPoint


class Locks:
    """Who holds the lock of one device."""

    def __init__(self, point: WaitPoint) -> None:
        self.point = point
        self._holders: dict[int, int] = {}

    def take(self, file: int, operation: int) -> bool:
        """Take, change or give back a file's lock (LOCK_SH, LOCK_EX, LOCK_UN); False where another is in the way."""
        kind = operation & ~fcntl.LOCK_NB
        if kind == fcntl.LOCK_UN:
            self.leave(file)
            return True
        others = [held for holder, held in self._holders.items() if holder != file]
        if others and (kind == fcntl.LOCK_EX or fcntl.LOCK_EX in others):
            return False
        weaker = self._holders.get(file) == fcntl.LOCK_EX and kind == fcntl.LOCK_SH
        self._holders[file] = kind
        if weaker:
            self.point.fire()
        return True

    def leave(self, file: int) -> None:
        """A file has been closed, or unlocked."""
        if self._holders.pop(file, None) is not None:
            self.point.fire()
