"""What strace shows around devices: files that were read, links that were followed, below /sys and /run/udev."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator

from devshim.model.device import Link
from devshim.trace.convert.strace_files import Descriptor
from devshim.trace.convert.strace_line import BadLine, Call
from devshim.trace.convert.strace_values import descriptor, items, members, number, path_at, string
from devshim.trace.event import Node

AROUND = ("/sys/", "/run/udev/")
#: Where the kernel has links rather than directories; a path through one of them resolves to another.
LINKS = re.compile(
    r"/sys/(?:class/[^/]+/[^/]+|bus/[^/]+/devices/[^/]+|dev/(?:char|block)/[^/]+|block/[^/]+)"
    r"|/sys/.+/(?:device|subsystem|driver|of_node|firmware_node)"
)
MOST_READ = 1 << 20
FROM_FOLDER = ("newfstatat", "fstatat64", "statx", "faccessat", "faccessat2", "readlinkat")
MODE = re.compile(r"st_mode=(?:S_IF\w+\|)?(0\d+)")
KINDS = {"S_IFCHR": 0o020000, "S_IFBLK": 0o060000, "S_IFDIR": 0o040000, "S_IFLNK": 0o120000, "S_IFREG": 0o100000}
MAKEDEV = re.compile(r"st_rdev=(?:0x[0-9a-f]+ /\* )?makedev\((0x[0-9a-f]+|\d+), (0x[0-9a-f]+|\d+)\)")


class Reading:
    """A file that is being read."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.data = b""


class Surroundings:
    """Collects files and links; settle() gives them to the nodes.

    files    by path: what they hold
    links    by path: where to
    """

    def __init__(self, nodes: dict[str, Node]) -> None:
        self.nodes = nodes
        self.files: dict[str, bytes] = {}
        self.links: dict[str, str] = {}
        self.folders: set[str] = set()
        self.there: set[str] = set()
        self._reading: dict[tuple[int, int], Reading] = {}

    # ---- What calls tell

    def opened(
        self, path: str, resolved: str, fd: int | None, error: str | None, bits: int, table: dict[int, Descriptor]
    ) -> None:
        """A path was opened; resolved is where it led, "" where that was not told."""
        if error is not None or fd is None or fd < 0:
            return
        where = resolved or path
        if bits & os.O_DIRECTORY:
            self.folders.update((path, where))
        self._reading.pop((id(table), fd), None)
        if resolved and path != resolved:
            self.followed(path, resolved)
        if where.startswith(AROUND) and not bits & (os.O_DIRECTORY | os.O_PATH):
            self._reading[id(table), fd] = Reading(where)

    def read(self, fd: int, call: Call, table: dict[int, Descriptor]) -> None:
        """A file was read on."""
        reading = self._reading.get((id(table), fd))
        if reading is None or call.result is None or call.result < 0 or not call.arguments[1].startswith('"'):
            return
        if call.name != "read" and len(call.arguments) > 3 and number(call.arguments[3]) != len(reading.data):
            return
        data, _ = string(call.arguments[1])
        reading.data = (reading.data + data[: call.result])[:MOST_READ]
        if len(reading.data) >= len(self.files.get(reading.path, b"")):
            self.files[reading.path] = reading.data

    def closed(self, fd: int, table: dict[int, Descriptor]) -> None:
        """A descriptor was closed."""
        self._reading.pop((id(table), fd), None)

    def named(self, call: Call, table: dict[int, Descriptor]) -> Iterator[tuple[str, int, tuple[int, int]]]:
        """stat, readlink, access, getdents; yields what stat says of device nodes: path, mode, device number."""
        if call.result is None or call.result < 0:
            return
        if call.name.startswith("getdents"):
            self.listed(call)
            return
        folder = call.arguments[0] if call.name in FROM_FOLDER else ""
        if call.name in ("fstat", "fstat64"):
            path = descriptor(call.arguments[0])[1]
        else:
            path = path_at(folder, call.arguments[1 if folder else 0])
        if not path:
            path = descriptor(folder)[1] if folder and not folder.startswith(("AT_FDCWD", "-100")) else ""
        if call.name.startswith("readlink"):
            data, _ = string(call.arguments[2 if folder else 1])
            if path.startswith(AROUND) or path.startswith("/dev/"):
                self.links[path] = os.fsdecode(data[: call.result])
            return
        shown = " ".join(call.arguments)
        kind = status_kind(shown)
        if kind == 0o040000:
            self.folders.add(path)
        elif kind in (0o020000, 0o060000):
            found = MAKEDEV.search(shown)
            mode = MODE.search(shown)
            if found and path:
                rdev = (int(found[1], 0), int(found[2], 0))
                yield self.device(path, ""), kind | (int(mode[1], 8) & 0o7777 if mode else 0o666), rdev
        elif kind in (0, 0o100000) and path.startswith(AROUND) and call.name not in ("fstat", "fstat64"):
            self.there.add(path)

    def listed(self, call: Call) -> None:
        """The entries of a folder: files that nobody reads are there all the same."""
        folder = descriptor(call.arguments[0])[1]
        if not folder.startswith(AROUND) and f"{folder}/" not in AROUND:
            return
        self.folders.add(folder)
        for item in items(call.arguments[1]) if call.arguments[1].startswith("[") else ():
            try:
                entry = members(item)
                name = os.fsdecode(string(entry.get("d_name", '""'))[0])
            except BadLine:
                continue
            if "DT_REG" in entry.get("d_type", "") and name:
                self.files.setdefault(f"{folder}/{name}", b"")

    def followed(self, path: str, resolved: str) -> None:
        """A path led elsewhere: find the link in it, where only one can be it."""
        if path.startswith("/dev/") and resolved.startswith("/dev/"):
            self.links.setdefault(path, posixpath.relpath(resolved, posixpath.dirname(path)))
            return
        through = self.canonical(path)
        if through == resolved or not path.startswith("/sys/"):
            return
        parts = through.split("/")
        for end in range(len(parts), 2, -1):
            prefix, rest = "/".join(parts[:end]), "/".join(parts[end:])
            if LINKS.fullmatch(prefix) and resolved.endswith(f"/{rest}" if rest else ""):
                target = resolved[: len(resolved) - len(rest) - 1] if rest else resolved
                if target != prefix and prefix not in self.links:
                    self.links[prefix] = posixpath.relpath(target, posixpath.dirname(prefix))
                    return

    # ---- What follows from it

    def is_folder(self, path: str) -> bool:
        """Whether a path is a directory, as far as is known."""
        return path in self.folders

    def leads_to(self, path: str, resolved: str) -> bool:
        """Whether a path is a link to another."""
        return self.canonical(path) == resolved

    def device(self, path: str, resolved: str) -> str:
        """The node that a path means: what its link leads to."""
        if resolved.startswith("/dev/"):
            return resolved
        through = self.canonical(path)
        return through if through.startswith("/dev/") else path

    def canonical(self, path: str) -> str:
        """A path with the known links in it followed, as far as 40 go."""
        for _ in range(40):
            parts = path.split("/")
            for end in range(2, len(parts) + 1):
                prefix = "/".join(parts[:end])
                if prefix in self.links:
                    target = posixpath.join(posixpath.dirname(prefix), self.links[prefix])
                    path = posixpath.normpath("/".join([target, *parts[end:]]))
                    break
            else:
                return posixpath.normpath(path) if path.startswith("/") else path
        return path

    def settle(self) -> None:
        """Give all that was collected to the nodes: each what is its own by its device number, the first the rest."""
        if not self.nodes:
            return
        first = next(iter(self.nodes.values()))
        found: dict[str, bytes | Link] = {}
        known = {above for path in (*self.files, *self.links) for above in above_of(self.canonical(path))}
        for path in sorted(self.there):
            if path not in self.folders and self.canonical(path) not in known and path not in self.links:
                self.files.setdefault(path, b"")
        for path, data in self.files.items():
            where = self.canonical(path)
            if where.startswith(AROUND) and len(data) >= len(bytes_at(found, where)):
                found[where] = data
        for path, target in self.links.items():
            parent = self.canonical(posixpath.dirname(path))
            at = f"{parent}/{posixpath.basename(path)}"
            if posixpath.basename(path) in ("", ".", ".."):
                continue
            if at.startswith((*AROUND, "/dev/")) and at not in self.nodes:
                found[at] = Link(target)
        for path in [path for path in found if any(isinstance(found.get(above), Link) for above in above_of(path))]:
            del found[path]
        first.surroundings = dict(sorted(found.items()))


def bytes_at(found: dict[str, bytes | Link], path: str) -> bytes:
    """What is known of a file so far."""
    held = found.get(path, b"")
    return held if isinstance(held, bytes) and not isinstance(held, str) else b""


def above_of(path: str) -> Iterator[str]:
    """The directories above a path."""
    while path := posixpath.dirname(path.rstrip("/")).rstrip("/"):
        yield path


def status_kind(shown: str) -> int:
    """The file type in what strace shows of struct stat; 0 where it shows none."""
    for name, kind in KINDS.items():
        if name in shown:
            return kind
    return 0
