"""A run without a host: registry and tree as the host makes them, for tests of what paths lead to."""

import os
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

from harness import ROOT, Outcome, run

from devshim.host import wire
from devshim.host.registry import Registry
from devshim.host.tree import Entry, Tree

LIBRARY = ROOT / "devshim/shim/libdevshim.so"


class Plugged:
    """Nodes plugged in a directory of their own; nobody answers calls, and the path family asks nobody."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.registry = Registry(str(folder / "registry"))
        self.tree = Tree(str(folder / "tree"))
        self.minor = 0
        self.registry.publish()

    def device(self, node: str, mode: int = stat.S_IFCHR | 0o660) -> str:
        """Plug a device at a node, with major 512 and the next minor; return the node."""
        self.minor += 1
        if os.path.lexists(node):
            self.registry.head.flags |= wire.REGISTRY_SHADOWS
        index = self.registry.add_device(node, 0, mode, os.makedev(512, self.minor), b"")
        self._enter(self.tree.add_device(node, stat.S_IMODE(mode), os.getuid(), os.getgid()), index)
        placeholder = os.stat(self.tree.placeholder(node))
        self.registry.add_carrier(placeholder.st_dev, placeholder.st_ino, 0, index, 0, os.O_PATH)
        return node

    def link(self, path: str, to: str) -> str:
        """Plug a symbolic link; return its path."""
        self._enter(self.tree.add_link(path, to))
        return path

    def hide(self, path: str) -> None:
        """Let something real not be there."""
        self.registry.head.flags |= wire.REGISTRY_SHADOWS
        self._enter([(os.path.dirname(path), wire.NODE_MERGED), (path, wire.NODE_HIDDEN)])

    def _enter(self, entries: list[Entry], index: int = 0) -> None:
        for path, kind in entries:
            self.registry.add_node(path, kind, index if kind == wire.NODE_DEVICE else 0)

    def run(self, *command: str | Path, cwd: str | Path | None = None) -> Outcome:
        """Run a program with the shim in it and return its outcome, whatever its exit code."""
        environment = {**os.environ, "LD_PRELOAD": str(LIBRARY), "DEVSHIM_RUN": str(self.folder), "LC_ALL": "C"}
        return run([str(word) for word in command], env=environment, cwd=cwd)

    def output(self, *command: str | Path, cwd: str | Path | None = None) -> str:
        """Run a program that has to succeed and return what it printed."""
        outcome = self.run(*command, cwd=cwd)
        assert outcome.returncode == 0, f"{outcome.args}: {outcome.returncode}\n{outcome.stdout}{outcome.stderr}"
        return outcome.stdout


def unshimmed(command: Sequence[str]) -> str:
    """Return what a program prints without the shim."""
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout
