"""The run's private tree: a placeholder for each plugged node, and the directories and links around it.

What libc is asked about a plugged node it is asked about the placeholder, an empty file that holds the node's mode,
owner and times; so these are the kernel's business, and one for all processes of the run.
"""

from __future__ import annotations

import os

from devshim.errors import SpecError
from devshim.host import wire
from devshim.model.device import Shared
from devshim.rundirectory import AROUND, unlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

Entry = tuple[str, int]
DIRECTORY_MODE = 0o755
FILE_MODE = 0o644
SYSFS_MODE = 0o444
NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC


def canonical(node: str) -> str:
    """Return a node's path as the registry needs it: absolute, with the links in its directory's path followed.

    The last name stays as it is: a node may be plugged where there is a link.
    """
    directory, name = os.path.split(os.path.normpath(os.path.abspath(node)))
    return os.path.join(os.path.realpath(directory), name)


def give_away(fd: int, uid: int, gid: int) -> None:
    """Change an open file's owner, where that is allowed."""
    try:
        os.fchown(fd, uid, gid)
    except PermissionError:
        return


class Tree:
    """The directory `root`, which is made here and has to be a path without links (os.path.realpath).

    Whoever adds or removes enters the answer into the registry: pairs of a path, as the program knows it, and its
    kind of wire.h: NODE_MERGED for a directory that exists really too, NODE_TREE for what exists only here.  What lies
    in a directory that exists only here needs no entry of its own, but for devices.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._uses: dict[str, int] = {}  # of files and links: several nodes may share one, such as a driver's parameter
        self._kinds: dict[str, int] = {}  # of the directories that were made here
        self._canonical: set[str] = set()  # real directories that were looked at
        self._umask = 0o777
        self._masked: set[str] = set()
        self._passed: set[str] = set()
        self._make(root)

    def placeholder(self, node: str) -> str:
        """Return where a path lies in the tree."""
        return self.root + node

    def own_entries(self) -> list[Entry]:
        """Return what hides the run's directory from listings of /dev, where it lies in /dev/shm."""
        run = os.path.dirname(self.root)
        if not run.startswith("/dev/"):
            return []
        around = os.path.dirname(run)  # what a listing shows is that (target.py)
        hidden = around if os.path.basename(around).startswith(AROUND) else run
        return [*self._parents(hidden), (hidden, wire.NODE_HIDDEN)]

    def mask(self, directory: str, passed: Collection[str] = ()) -> list[Entry]:
        """Let nothing that really is in a directory be seen, but for these names; before anything is added there."""
        self._masked.add(directory)
        self._passed.update(os.path.join(directory, name) for name in passed)
        return [(os.path.join(directory, name), wire.NODE_PASSED) for name in passed] + [(directory, wire.NODE_MASKED)]

    def is_seen(self, path: str) -> bool:
        """Whether what really is at a path can be seen."""
        while self._masked and path != "/":
            if path in self._passed:
                return True
            path = os.path.dirname(path)
            if path in self._masked:
                return False
        return True

    # ---- Adding

    def add_directory(self, path: str) -> list[Entry]:
        """Make a directory, so that inotify has something to look at; return it with those above it."""
        return self._directories(os.path.join(path, "."))

    def add_device(self, node: str, mode: int, uid: int, gid: int) -> list[Entry]:
        """Make a node's placeholder with these permission bits and this owner; return its directories and itself.

        Only root can give away what it makes; else the placeholder stays ours.  Raises SpecError for a path that
        cannot be a node: not canonical, a directory, or below something that is no directory.
        """
        entries = self._room(node)
        fd = self._open_new(node, 0o600)
        give_away(fd, uid, gid)
        os.fchmod(fd, mode)
        os.close(fd)
        return [*entries, (node, wire.NODE_DEVICE)]

    def add_attribute(self, path: str, mode: int, content: bytes | None, size: int = 4096) -> list[Entry]:
        """Make the placeholder of an attribute; return its directories and itself.

        content: what it always shows; None where it computes, and then stat says that it has so many bytes.
        Raises SpecError as add_device() does.
        """
        entries = self._room(path)
        fd = self._open_new(path, mode)
        if content is None:
            os.ftruncate(fd, size)
        elif content:
            os.write(fd, content)
        self._finish(fd, mode)
        self._uses[path] = self._uses.get(path, 0) + 1
        return [*entries, (path, wire.NODE_DEVICE)]

    def add_link(self, path: str, to: str) -> list[Entry]:
        """Make a symbolic link with the text `to`, such as ../../ttyUSB0; return what is to be entered.

        Raises SpecError as add_device() does.
        """
        entries = self._room(path)
        try:
            os.symlink(to, self.placeholder(path))
        except FileExistsError:
            os.unlink(self.placeholder(path))
            os.symlink(to, self.placeholder(path))
        return self._used(path, entries)

    def add_file(self, path: str, content: bytes) -> list[Entry]:
        """Make an ordinary file, such as a record of udev's database; return what is to be entered.

        Raises SpecError as add_device() does.
        """
        if isinstance(content, Shared) and path in self._uses:
            return self._used(path, [])
        entries = self._room(path)
        mode = SYSFS_MODE if path.startswith("/sys/") else FILE_MODE
        fd = self._open_new(path, mode)
        os.write(fd, content)
        self._finish(fd, mode)
        return self._used(path, entries)

    def _open_new(self, path: str, mode: int) -> int:
        place = self.placeholder(path)
        try:
            return os.open(place, NEW, mode)
        except FileExistsError:
            os.unlink(place)
            return os.open(place, NEW, mode)

    def _finish(self, fd: int, mode: int) -> None:
        """Whatever the umask: the program may drop to another user."""
        if mode & self._umask:
            os.fchmod(fd, mode)
        os.close(fd)

    def look_at_umask(self) -> None:
        """Find out which modes need help (proc(5)); before much is added."""
        with open("/proc/self/status", "rb") as status:
            self._umask = next((int(line[6:], 8) for line in status if line.startswith(b"Umask:")), 0o777)

    def is_directory(self, path: str) -> bool:
        """Whether a path is a directory that was made here."""
        return path in self._kinds

    def is_new(self, path: str) -> bool:
        """Whether a file or link was added just now, for the first time."""
        return self._uses.get(path) == 1

    def _used(self, path: str, entries: list[Entry]) -> list[Entry]:
        self._uses[path] = self._uses.get(path, 0) + 1
        if self._kinds[path.rpartition("/")[0]] != wire.NODE_TREE:
            entries.append((path, wire.NODE_TREE))
        return entries

    # ---- Removing

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
        unlink(self.placeholder(path))  # a program of the run may have removed it
        directory = os.path.dirname(path)
        while self._kinds.get(directory) == wire.NODE_TREE:
            try:
                os.rmdir(self.placeholder(directory))
            except OSError:
                break  # something else is still in it
            del self._kinds[directory]
            gone.append(directory)
            directory = os.path.dirname(directory)
        return gone

    # ---- What may be where

    def check(self, path: str) -> None:
        """Raise SpecError where nothing can be plugged."""
        directory = path.rpartition("/")[0]
        if directory not in self._canonical or path.endswith(("/", "/.", "/..")):
            if path != canonical(path):
                raise SpecError(f"{path}: cannot be plugged there; use its real path, {canonical(path)}")
            self._canonical.add(directory)
        if os.path.isdir(path) and not os.path.islink(path) and self.is_seen(path):
            raise SpecError(
                f"{path} is a directory; plug a node in it instead, such as {os.path.join(path, 'ttyUSB0')}"
            )
        if os.path.isdir(self.placeholder(path)) and not os.path.islink(self.placeholder(path)):
            raise SpecError(f"{path} is a directory of this run: other nodes are plugged below it")

    def _room(self, path: str) -> list[Entry]:
        """Make room for a name: its directories are there, and no directory of ours has it."""
        directory = path.rpartition("/")[0]
        kind = self._kinds.get(directory)
        if kind == wire.NODE_TREE:  # in a directory that is ours alone nothing else can be
            if path in self._kinds:
                raise SpecError(f"{path} is a directory of this run: other nodes are plugged below it")
            return []
        if kind is None and self._is_ours(path):
            return self._directories(path)
        self.check(path)
        return [] if kind is not None else self._directories(path)

    def _is_ours(self, path: str) -> bool:
        """Whether the directories that are yet to be made above a path lie below one that is ours alone."""
        if "/." in path or "//" in path or path.endswith("/"):
            return False  # check() has a closer look
        directory = above = path.rpartition("/")[0]
        while (above := above.rpartition("/")[0]) and above not in self._kinds:
            if above in self._uses:  # a file or a link
                return False
        return self._kinds.get(above) == wire.NODE_TREE and directory not in self._uses

    def _directories(self, path: str) -> list[Entry]:
        """Make the directories above a path that are not there; return those to be entered, the outermost first."""
        inside = False
        needed: list[Entry] = []
        for directory, kind in self._parents(path):
            if directory not in self._kinds:
                try:
                    self._make(self.placeholder(directory))
                except FileExistsError:
                    if not os.path.isdir(self.placeholder(directory)):
                        raise SpecError(f"{path}: {directory} is plugged itself, and no directory") from None
                self._kinds[directory] = kind
                if not inside:
                    needed.append((directory, kind))
            inside = inside or kind == wire.NODE_TREE
        return needed

    def _parents(self, path: str) -> list[Entry]:
        """Return the directories above a path, the outermost first."""
        entries: list[Entry] = []
        ancestors = []
        above = path
        while (above := os.path.dirname(above)) != "/":
            ancestors.append(above)
        inside = False  # what is above exists only here, so nothing real is below
        for above in reversed(ancestors):
            kind = self._kinds.get(above)
            if kind is None and inside:
                kind = wire.NODE_MASKED if above in self._masked else wire.NODE_TREE
            elif kind is None:
                seen = self.is_seen(above)
                if seen and os.path.lexists(above) and not os.path.isdir(above):
                    raise SpecError(f"{path}: {above} is not a directory")
                kind = wire.NODE_MERGED if seen and os.path.isdir(above) else wire.NODE_TREE
                kind = wire.NODE_MASKED if above in self._masked else kind
            inside = kind == wire.NODE_TREE
            entries.append((above, kind))
        return entries

    def _make(self, path: str) -> None:
        os.mkdir(path, DIRECTORY_MODE)
        if DIRECTORY_MODE & self._umask:  # the program may drop to another user
            os.chmod(path, DIRECTORY_MODE)
