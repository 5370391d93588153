"""The run's private tree: a placeholder for each plugged node, and the directories and links around it."""

from __future__ import annotations

import os

from devshim.host import wire


class Tree:
    def __init__(self, root: str) -> None:
        self.root = root
        os.makedirs(root, 0o755)

    def placeholder(self, node: str) -> str:
        return self.root + node

    def add_device(self, node: str, mode: int, uid: int, gid: int) -> list[tuple[str, int]]:
        path = self.placeholder(node)
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, mode))
        os.chmod(path, mode)
        return [(node, wire.NODE_DEVICE)]

    def remove(self, node: str) -> None:
        os.unlink(self.placeholder(node))
