"""The run's private tree: a placeholder for each plugged node, and the directories and links around it.

What libc is asked about a plugged node it is asked about the placeholder, an empty file that holds the node's mode,
owner and times; so these are the kernel's business, and one for all processes of the run.
"""

from __future__ import annotations

import contextlib
import os

from devshim.errors import SpecError
from devshim.host import wire

Entry = tuple[str, int]
DIRECTORY_MODE = 0o755
FILE_MODE = 0o644


def canonical(node: str) -> str:
    """Return a node's path as the registry needs it: absolute, with the links in its directory's path followed.

    The last name stays as it is: a node may be plugged where there is a link.
    """
    directory, name = os.path.split(os.path.normpath(os.path.abspath(node)))
    return os.path.join(os.path.realpath(directory), name)


class Tree:
    """The directory `root`, which is made here and has to be a path without links (os.path.realpath).

    Whoever adds or removes enters the answer into the registry: pairs of a path, as the program knows it, and its
    kind of wire.h: NODE_MERGED for a directory that exists really too, NODE_TREE for what exists only here.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._uses: dict[str, int] = {}  # of files and links: several nodes may share one, such as a driver's parameter
        self._make(root)

    def placeholder(self, node: str) -> str:
        """Return where a path lies in the tree."""
        return self.root + node

    def own_entries(self) -> list[Entry]:
        """Return what hides the run's directory from listings of /dev, where it lies in /dev/shm."""
        run = os.path.dirname(self.root)
        if not run.startswith("/dev/"):
            return []
        return [*self._parents(run), (run, wire.NODE_HIDDEN)]

    def add_device(self, node: str, mode: int, uid: int, gid: int) -> list[Entry]:
        """Make a node's placeholder with these permission bits and this owner; return its directories and itself.

        Only root can give away what it makes; else the placeholder stays ours.  Raises SpecError for a path that
        cannot be a node: not canonical, a directory, or below something that is no directory.
        """
        self.check(node)
        entries = self._directories(node)
        path = self.placeholder(node)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        with contextlib.suppress(PermissionError):
            os.chown(path, uid, gid)
        os.chmod(path, mode)
        return [*entries, (node, wire.NODE_DEVICE)]

    def add_link(self, path: str, to: str) -> list[Entry]:
        """Make a symbolic link with the text `to`, such as ../../ttyUSB0; return its directories and itself.

        Raises SpecError as add_device() does.
        """
        self.check(path)
        entries = self._directories(path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.placeholder(path))
        os.symlink(to, self.placeholder(path))
        self._uses[path] = self._uses.get(path, 0) + 1
        return [*entries, (path, wire.NODE_TREE)]

    def add_file(self, path: str, content: bytes) -> list[Entry]:
        """Make an ordinary file, such as an attribute below /sys; return its directories and itself.

        Raises SpecError as add_device() does.
        """
        self.check(path)
        entries = self._directories(path)
        with open(self.placeholder(path), "wb") as file:
            file.write(content)
        os.chmod(self.placeholder(path), FILE_MODE)
        self._uses[path] = self._uses.get(path, 0) + 1
        return [*entries, (path, wire.NODE_TREE)]

    def remove(self, path: str) -> list[str]:
        """Take a node, link or file away, and the directories that existed for it alone, as udev does.

        What was added several times goes with the last removal.  Returns the paths that are no longer there, for the
        registry to forget.
        """
        uses = self._uses.pop(path, 1) - 1
        if uses:
            self._uses[path] = uses
            return []
        gone = [path]
        os.unlink(self.placeholder(path))
        directory = os.path.dirname(path)
        while directory != "/" and not os.path.isdir(directory):
            try:
                os.rmdir(self.placeholder(directory))
            except OSError:
                break  # something else is still in it
            gone.append(directory)
            directory = os.path.dirname(directory)
        return gone

    def check(self, path: str) -> None:
        """Raise SpecError where nothing can be plugged."""
        if path != canonical(path):
            raise SpecError(f"{path}: cannot be plugged there; use its real path, {canonical(path)}")
        if os.path.isdir(path) and not os.path.islink(path):
            raise SpecError(
                f"{path} is a directory; plug a node in it instead, such as {os.path.join(path, 'ttyUSB0')}"
            )
        if os.path.isdir(self.placeholder(path)) and not os.path.islink(self.placeholder(path)):
            raise SpecError(f"{path} is a directory of this run: other nodes are plugged below it")

    def _directories(self, path: str) -> list[Entry]:
        """Make the directories above a path and return them, the outermost first; "/" itself needs no entry."""
        entries = self._parents(path)
        for directory, _ in entries:
            try:
                self._make(self.placeholder(directory))
            except FileExistsError:
                if not os.path.isdir(self.placeholder(directory)):
                    raise SpecError(f"{path}: {directory} is plugged itself, and no directory") from None
        return entries

    def _parents(self, path: str) -> list[Entry]:
        """Return the directories above a path, the outermost first."""
        entries: list[Entry] = []
        above = path
        while (above := os.path.dirname(above)) != "/":
            if os.path.lexists(above) and not os.path.isdir(above):
                raise SpecError(f"{path}: {above} is not a directory")
            entries.insert(0, (above, wire.NODE_MERGED if os.path.isdir(above) else wire.NODE_TREE))
        return entries

    def _make(self, path: str) -> None:
        os.mkdir(path)
        os.chmod(path, DIRECTORY_MODE)  # whatever the umask: the program may drop to another user
