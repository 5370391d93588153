"""Which paths are devices in somebody else's recording, and of what kind, where it does not say."""

from __future__ import annotations

import re

from devshim.known.names import is_terminal
from devshim.trace.event import Node
from devshim.trace.format import checks

#: Never recorded unless named: they are everybody's.
ORDINARY = re.compile(
    r"/dev/(null|zero|full|u?random|tty|ptmx|console|log|stdin|stdout|stderr|pts/.*|fd/.*|shm/.*|shm|mqueue/.*|hugepages/.*)"
)
BLOCK = re.compile(
    r"/dev/([shv]d[a-z]+\d*|nvme\d+n\d+(p\d+)?|loop\d+(p\d+)?|sr\d+|mmcblk\d+\w*|dm-\d+|mapper/.+|[zr]am\d+|zram\d+|md\d+"
    r"|mtdblock\d+|nbd\d+(p\d+)?|vd[a-z]\d*|fd\d+|pmem\d+)"
)
#: Of Documentation/admin-guide/devices.txt: those of terminals alone.
TTY_MAJORS = {4, 5, *range(136, 144), 166, 188, 204, 216, 229}

S_IFMT, S_IFCHR, S_IFBLK = 0o170000, 0o020000, 0o060000


def has_place(path: str) -> bool:
    """Whether a trace can name a path or a program: not with a control character in it."""
    try:
        checks.text(path)
    except ValueError:
        return False
    return True


class Nodes:
    """The nodes of a recording, as much as is known of each.

    wanted  paths that are recorded though they are everybody's
    """

    def __init__(self, nodes: dict[str, Node], wanted: tuple[str, ...] = ()) -> None:
        self.nodes = nodes
        self.wanted = frozenset(wanted)
        self._status: dict[str, tuple[int, tuple[int, int]]] = {}

    def is_device(self, path: str) -> bool:
        """Whether calls on a path belong into the trace."""
        if path in self.wanted:
            return True
        if not path.startswith("/dev/") or "/../" in path or "/./" in path or "//" in path or path.endswith("/"):
            return False
        return has_place(path) and not ORDINARY.fullmatch(path)

    def status(self, path: str, mode: int, rdev: tuple[int, int]) -> None:
        """What stat() said of a path."""
        if mode & S_IFMT in (S_IFCHR, S_IFBLK):
            self._status[path] = (mode, rdev)
            if path in self.nodes:
                self.settle(self.nodes[path])

    def node(self, path: str) -> Node:
        """The node at a path, made when it is first met.  Raises ValueError for a path that a trace cannot name."""
        found = self.nodes.get(path)
        if found is None:
            found = self.nodes[path] = Node(checks.path(path))
            self.settle(found)
        return found

    def seen(self) -> None:
        """Nodes that were looked at, though never opened, are there, too."""
        for path in sorted(self._status):
            if self.is_device(path):
                self.node(path)

    def settle(self, node: Node) -> None:
        """Fill in what is known of a node."""
        if node.path in self._status:
            mode, node.rdev = self._status[node.path]
            node.mode = mode & 0o7777
            node.kind = "block" if mode & S_IFMT == S_IFBLK else "char"
        elif BLOCK.fullmatch(node.path):
            node.kind = "block"
        if node.kind == "char" and (is_terminal(node.path) or node.rdev[0] in TTY_MAJORS):
            node.kind = "tty"
