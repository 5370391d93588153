"""Notices when the last descriptor of a file has gone: then the program's end of its carrier hangs up.

The ends have an epoll of their own inside the loop's, so that all closes up to now can be handled before an open is
answered that may depend on them, at a cost that grows with the closes, not with the open files.
"""

from __future__ import annotations

import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.host.files import Opened
    from devshim.host.loop import Loop


AT_ONCE = 256


class Closes:
    """Watches the host's ends of all socket carriers."""

    def __init__(self, loop: Loop) -> None:
        self._epoll = select.epoll()
        self.descriptor = self._epoll.fileno()
        self._files: dict[int, Opened] = {}
        self._shut: set[int] = set()  # ends that were shut down, whose own hang-up is still to be seen
        loop.watch(self.descriptor, select.EPOLLIN, lambda events: self.settle())

    def watch(self, file: Opened) -> None:
        """Call file.plug.closed(file) once its last descriptor has gone.  Raises OSError where it cannot be watched."""
        self._epoll.register(file.end, 0)
        self._files[file.end] = file

    def hung_up(self, file: Opened) -> None:
        """Its end was shut down, which shows as a hang-up for good; but the program's close wakes once more."""
        self._epoll.modify(file.end, select.EPOLLET)
        self._shut.add(file.end)

    def forget(self, file: Opened) -> None:
        """Watch it no more; its end is about to be closed."""
        self._shut.discard(file.end)
        if self._files.pop(file.end, None) is not None:
            self._epoll.unregister(file.end)

    def settle(self) -> None:
        """Handle all closes that have happened."""
        while True:
            ready = [(fd, self._files.get(fd)) for fd, _ in self._epoll.poll(0, AT_ONCE)]
            for fd, file in ready:
                if file is None or self._files.get(fd) is not file:
                    continue  # what came of an earlier one has closed it, and the number may be another's by now
                if fd in self._shut:
                    self._shut.discard(fd)
                else:
                    file.plug.closed(file)
            if len(ready) < AT_ONCE:
                return

    def release(self) -> None:
        """Give back the epoll's descriptor; the files' ends are their own."""
        self._epoll.close()
