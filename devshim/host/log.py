"""What the user sees of the host: messages on stderr, each prefixed, and with -v a line for each call."""

from __future__ import annotations

import os
import sys
import time


class Log:
    """Messages go to stderr and, where there is one, to the log file; call lines where `verbose` is set.

    more: the file holds lines of the same run already.
    """

    def __init__(self, verbose: bool = False, path: str | None = None, more: bool = False) -> None:
        self.verbose = verbose or path is not None
        self._echo = verbose
        self._fd = -1
        if path is not None:
            empty = 0 if more else os.O_TRUNC
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | empty | os.O_APPEND | os.O_CLOEXEC, 0o666)
        self._start = time.monotonic()

    def leave_file(self) -> None:
        """In a fork child, where the file's descriptor is closed with the host's others."""
        self._fd = -1

    def message(self, text: str) -> None:
        """One message; its further lines are indented below the first."""
        first, *rest = text.split("\n")
        self._write("\n".join([f"devshim: {first}", *(f"  {line}" for line in rest)]) + "\n", True)

    def line(self, text: str) -> None:
        """One call, where calls are wanted."""
        if self.verbose:
            self._write(f"devshim: {time.monotonic() - self._start:9.6f} {text}\n", self._echo)

    def _write(self, text: str, echo: bool) -> None:
        data = text.encode(errors="backslashreplace")
        if echo and not try_write(sys.__stderr__.fileno() if sys.__stderr__ else 2, data):
            self._echo = False
        if self._fd >= 0 and not try_write(self._fd, data):
            os.close(self._fd)
            self._fd = -1
            try_write(2, b"devshim: the log file cannot be written any more; it ends here\n")


def try_write(fd: int, data: bytes) -> bool:
    """Write all of it; False where that failed: a closed terminal or a full disk must not stop a run."""
    try:
        while data:
            data = data[os.write(fd, data) :]
    except OSError:
        return False
    return True
