"""What strace shows around devices: files that were read, links that were followed, below /sys and /run/udev."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator

from devshim.model.device import Link
from devshim.trace.convert.nodes import has_place
from devshim.trace.convert.strace_files import Descriptor
from devshim.trace.convert.strace_line import BadLine, Call
from devshim.trace.convert.strace_values import descriptor, items, members, number, path_at, string
from devshim.trace.event import Node, SysFile

AROUND = ("/sys/", "/run/udev/")
#: Where the kernel has links rather than directories; a path through one of them resolves to another.
LINKS = re.compile(
    r"/sys/(?:class/[^/]+/[^/]+|bus/[^/]+/devices/[^/]+|dev/(?:char|block)/[^/]+|block/[^/]+)"
    r"|/sys/.+/(?:device|subsystem|driver|of_node|firmware_node)"
)
MOST_READ = 1 << 20
MOST_FOLLOWED = 40
UNTOLD = "untold"  # the name of a folder whose own was not shown
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
    modes    by path: permission bits, where the usual ones are not theirs; failures: errno of reads; writes: of each
    """

    def __init__(self, nodes: dict[str, Node]) -> None:
        self.nodes = nodes
        self.files: dict[str, bytes] = {}
        self.links: dict[str, str] = {}
        self.folders: set[str] = set()
        self.there: set[str] = set()
        self.listed_folders: set[str] = set()
        self.modes: dict[str, int] = {}
        self.failures: dict[str, str] = {}
        self.writes: dict[str, dict[bytes, str]] = {}
        self._reading: dict[tuple[int, int], Reading] = {}

    # ---- What calls tell

    def opened(
        self, path: str, resolved: str, fd: int | None, error: str | None, bits: int, table: dict[int, Descriptor]
    ) -> None:
        """A path was opened; resolved is where it led, "" where that was not told."""
        if error == "EACCES" and path.startswith("/sys/") and not bits & os.O_DIRECTORY:
            self.modes.setdefault(path, 0o200 if bits & os.O_ACCMODE == os.O_RDONLY else 0o444)
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
        if reading is not None and call.error not in (None, "EINTR", "EAGAIN"):
            self.failures[reading.path] = str(call.error)
        if reading is None or call.result is None or call.result < 0 or not call.arguments[1].startswith('"'):
            return
        if call.name != "read" and len(call.arguments) > 3 and number(call.arguments[3]) != len(reading.data):
            return
        data, _ = string(call.arguments[1])
        reading.data = (reading.data + data[: call.result])[:MOST_READ]
        if len(reading.data) >= len(self.files.get(reading.path, b"")):
            self.files[reading.path] = reading.data

    def written(self, fd: int, call: Call, table: dict[int, Descriptor]) -> None:
        """A file was written: what a driver takes, and what it refuses."""
        reading = self._reading.get((id(table), fd))
        if reading is None or call.result is None or not call.arguments[1].startswith('"'):
            return
        data, whole = string(call.arguments[1])
        if whole and reading.path.startswith("/sys/"):
            self.modes.setdefault(reading.path, 0o644)
            self.writes.setdefault(reading.path, {})[data] = call.error or ""

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
            if "DT_DIR" in entry.get("d_type", "") and name not in ("", ".", "..", "power"):
                self.listed_folders.add(f"{folder}/{name}")

    def followed(self, path: str, resolved: str) -> None:
        """A path led elsewhere: find the link in it, where only one can be it."""
        if path.startswith("/dev/") and resolved.startswith("/dev/"):
            self.links.setdefault(path, posixpath.relpath(resolved, posixpath.dirname(path)))
            return
        if "/../" in path:
            self.climbed(path, resolved)
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

    def climbed(self, path: str, resolved: str) -> None:
        """A path led upwards from where a link leads: names that nobody told stand for those between."""
        start, _, rest = path.partition("/../")
        levels, name = 1, rest
        while name.startswith("../"):
            levels, name = levels + 1, name[3:]
        known = self.canonical(start)
        if known != start or not start.startswith("/sys/") or not resolved.endswith(f"/{name}") or ".." in name:
            return
        target = resolved.removesuffix(f"/{name}") + f"/{UNTOLD}" * levels
        self.links[start] = posixpath.relpath(target, posixpath.dirname(start))
        self.files.setdefault(f"{target}/uevent", b"")  # without a file there is no folder

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
        """A path with the known links in it followed, as far as 40 go, and .. as the kernel takes it: behind them."""
        if not path.startswith("/"):
            return path
        ahead, behind, followed = path.split("/")[::-1], [""], 0
        while ahead:
            name = ahead.pop()
            if name == "..":
                del behind[max(1, len(behind) - 1) :]
            elif name not in ("", "."):
                behind.append(name)
                target = self.links.get("/".join(behind))
                if target is not None and followed < MOST_FOLLOWED:
                    followed += 1
                    behind = [""] if target.startswith("/") else behind[:-1]
                    ahead += target.split("/")[::-1]
        return "/".join(behind) or "/"

    def settle(self) -> None:
        """Give all that was collected to the nodes: each what is its own by its device number, the first the rest."""
        found: dict[str, bytes | Link | SysFile] = {}
        known = {above for path in (*self.files, *self.links) for above in above_of(self.canonical(path))}
        for path in sorted(self.there):
            if path not in self.folders and self.canonical(path) not in known and path not in self.links:
                self.files.setdefault(path, b"")
        for path in self.listed_folders:
            where = self.canonical(path)
            if where.startswith("/sys/devices/") and where not in known:
                self.files.setdefault(f"{where}/uevent", b"")  # each has one, and without a file there is no folder
        for path, data in self.files.items():
            where = self.canonical(path)
            if where.startswith(AROUND) and len(data) >= len(bytes_at(found, where)):
                found[where] = data
        for path in {*self.modes, *self.failures, *self.writes}:
            where = self.canonical(path)
            if where.startswith("/sys/"):
                found[where] = SysFile(
                    bytes_at(found, where),
                    self.modes.get(path, 0o444),
                    self.failures.get(path, ""),
                    self.writes.get(path, {}),
                )
        for path, target in self.links.items():
            parent = self.canonical(posixpath.dirname(path))
            at = f"{parent}/{posixpath.basename(path)}"
            if posixpath.basename(path) in ("", ".", ".."):
                continue
            if at.startswith((*AROUND, "/dev/")) and at not in self.nodes:
                found[at] = Link(target)
        for path in [path for path in found if any(isinstance(found.get(above), Link) for above in above_of(path))]:
            del found[path]
        for path, what in list(found.items()):
            if not has_place(path) or (isinstance(what, Link) and not has_place(str(what))):
                del found[path]
        folder = next((posixpath.dirname(path) for path in sorted(found) if path.startswith("/sys/devices/")), "")
        if not self.nodes and folder:
            self.nodes[folder] = Node(folder, "sysfs")
        for node in self.nodes.values():
            node.surroundings = dict(sorted(found.items()))
            return


def bytes_at(found: dict[str, bytes | Link | SysFile], path: str) -> bytes:
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
