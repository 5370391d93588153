"""What is known of a disk's content: bytes by offset, in a file that needs no more room than what was written to it."""

from __future__ import annotations

import os
import tempfile
from bisect import bisect_left, bisect_right


class Image:
    """A sparse copy of a disk, and which of its bytes are known."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="devshim-")  # noqa: SIM115
        self._starts: list[int] = []  # of the runs of known bytes: apart from each other, in order
        self._ends: list[int] = []

    def put(self, offset: int, data: bytes) -> None:
        """Know these bytes from now on."""
        if not data:
            return
        os.pwrite(self._file.fileno(), data, offset)
        start, end = offset, offset + len(data)
        first = bisect_left(self._ends, start)
        last = bisect_right(self._starts, end)
        if first < last:
            start, end = min(start, self._starts[first]), max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]

    def put_unknown(self, offset: int, data: bytes) -> None:
        """Know these bytes where nothing is known yet."""
        at, end = offset, offset + len(data)
        while at < end:
            known = self.known(at)
            if known:
                at += known
                continue
            index = bisect_right(self._starts, at)
            until = min(end, self._starts[index]) if index < len(self._starts) else end
            self.put(at, data[at - offset : until - offset])
            at = until

    def known(self, offset: int) -> int:
        """How many bytes are known from an offset on."""
        index = bisect_right(self._starts, offset) - 1
        return max(self._ends[index] - offset, 0) if index >= 0 else 0

    def get(self, offset: int, size: int) -> bytes:
        """Known bytes; at most size."""
        return os.pread(self._file.fileno(), min(size, self.known(offset)), offset)

    def close(self) -> None:
        """Give the room back."""
        self._file.close()
