"""Files that outlive their device for as long as they have something to give, and then hang up with an error.

So do those of USB devices: poll tells of an error once nothing is left to be reaped, and libusb takes nothing else for
a device that has gone.
"""

from __future__ import annotations

import errno
import fcntl
import os

from devshim.host.answering import GoneFile, failed
from devshim.host.files import OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FIONREAD = 0x541B


class LingeringFile(OpenFile):
    """An open file of a class with gone_error.

    A socket shows an error where its other end was closed with something unread in it.  That is so while this one is
    full, as it is when there is nothing to be had: the program's side has sent the blocks that fill it.
    """

    _lingers = False

    def hang_up(self) -> None:
        """The device was unplugged: hang up at once, or let the program have what is there first."""
        if not int.from_bytes(fcntl.ioctl(self.end, FIONREAD, bytes(4)), "little"):
            if not self._lingers:
                self._lingers = True
                self.host.lose_file(self.number, Lingering(self))
                self.file.device_gone()
                self.wake()
            return
        super().hang_up()
        if self in self.plug.files:
            os.dup2(self._last_pipe, self.end, inheritable=False)


class Lingering(GoneFile):
    """Answers for such a file: the requests that it still has an answer to, and ENODEV for all else."""

    def __init__(self, opened: LingeringFile) -> None:
        self._opened = opened

    def ioctl(self, request: int, argument: int, data: bytes) -> Any:
        """Let the file answer what it still may."""
        if request not in self._opened.file.after_gone:
            return failed(errno.ENODEV)
        return self._opened.ioctl(request, argument, data)

    def poll(self) -> Any:
        """The program's side has filled the carrier, for nothing was left: that is the end of it."""
        answer = self._opened.poll()
        self._opened.hang_up()
        return answer
