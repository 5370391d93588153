"""Notices when the last descriptor of a file has gone: then the program's end of its carrier hangs up.

The ends have an epoll of their own inside the loop's, so that all closes up to now can be handled before an open is
answered that may depend on them, at a cost that grows with the closes, not with the open files.
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devshim.host.files import Opened
    from devshim.host.loop import Loop


class Closes:
    """Watches the host's ends of all socket carriers."""

    def __init__(self, loop: Loop) -> None:
        self._epoll = select.epoll()
        self._files: dict[int, Opened] = {}
        loop.watch(self._epoll.fileno(), select.EPOLLIN, lambda events: self.settle())

    def watch(self, file: Opened) -> None:
        """Call file.plug.closed(file) once its last descriptor has gone."""
        self._files[file.end] = file
        self._epoll.register(file.end, 0)

    def forget(self, file: Opened) -> None:
        """Watch it no more; its end is about to be closed."""
        if self._files.pop(file.end, None) is not None:
            self._epoll.unregister(file.end)

    def settle(self) -> None:
        """Handle all closes that have happened."""
        while ready := self._epoll.poll(0, 256):
            for fd, _ in ready:
                file = self._files.get(fd)
                if file is not None:
                    file.plug.closed(file)
