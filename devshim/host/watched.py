"""Nodes that somebody watches with inotify(7): their placeholders are opened and closed as they are."""

from __future__ import annotations

import os

from devshim.host._channel import raised

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.host.host import Host
    from devshim.host.plugs import DevicePlug


class Watched:
    """What is kept for IN_OPEN and IN_CLOSE from the first watch on.

    A watch lies on a node's placeholder and on its directory in the tree.  For each open of the node there is one of
    the placeholder here, whose events the kernel tells to all who watch, in any process.
    """

    def __init__(self, host: Host) -> None:
        self._tree = host.tree
        self._held: dict[int, list[int]] = {}
        for plug in host.plugs():
            for file in plug.files:
                self.hold(plug, file.number, file.file.flags)

    def hold(self, plug: DevicePlug, number: int, flags: int) -> None:
        """A node has been opened, as a file with this number."""
        try:
            fd = os.open(self._tree.placeholder(plug.node), flags & os.O_ACCMODE | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return  # out of descriptors, or just unplugged: nobody is told of this one
        self._held.setdefault(number, []).append(raised(fd))

    def drop(self, number: int) -> None:
        """The file's last descriptor has gone."""
        for fd in self._held.pop(number, ()):
            os.close(fd)
