"""The host of one run: its devices, files, messages, and what failed.

Everything here is called with the lock held: from the channel's thread (calls), from the loop's (opens, timers,
serial data), or from a test's own.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import stat
import threading
import traceback
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from devshim.deny import Rule
from devshim.errors import SpecError
from devshim.host import wire
from devshim.host._channel import Channel, Lock
from devshim.host.bootstrap import Bootstrap
from devshim.host.closes import Closes
from devshim.host.files import Answering, GoneFile
from devshim.host.log import Log
from devshim.host.logged import LoggedFile
from devshim.host.loop import Loop
from devshim.host.plugs import DevicePlug, plug_class
from devshim.host.registry import Registry
from devshim.host.tree import Tree, canonical
from devshim.host.unmodelled import Unmodelled
from devshim.host.waits import WaitPoints
from devshim.host.watchdog import Watchdog
from devshim.model.device import Device, File, Link
from devshim.model.ioctl import Request

OURS = tuple(os.path.join(os.path.dirname(os.path.dirname(__file__)), part, "") for part in ("host", "model"))
FIRST_OWN_MAJOR = 512  # 240-254 and 384-511 are taken by real kernels' dynamic numbers


class Host:
    """Serves the devices of one run in the directory `run`.

    root: the process from which targets must descend; None lets in whoever knows the directory.  descriptions: names
    for ioctls that no model answers, by number.
    """

    def __init__(
        self,
        run: str,
        root: int | None,
        log: Log,
        guard: Guard | None = None,
        descriptions: Mapping[int, Request] | None = None,
    ) -> None:
        self.lock = Lock()
        self.log = log
        self.verbose = log.verbose
        self.guard = guard
        self.failures: list[str] = []
        self._failed_so: dict[tuple[str, str], int] = {}
        self.used = False
        self.unmodelled = Unmodelled(descriptions)
        self.registry = Registry(os.path.join(run, "registry"))
        self.tree = Tree(os.path.join(run, "tree"))
        for path, kind in self.tree.own_entries():
            self.registry.add_node(path, kind)
        self.loop = Loop(self.lock, self.callback_failed)
        self.closes = Closes(self.loop)
        self.waits = WaitPoints()
        self.files: list[Answering | LoggedFile | GoneFile | None] = [None]
        self.numbers: list[int] = []
        self.promised: dict[int, int] = {}
        self._promises = itertools.count(1 << 63)
        self._plugs: dict[str, DevicePlug] = {}
        self._majors: dict[type[Device], int] = {}
        self._minors: dict[int, set[int]] = {}
        self.bootstrap = Bootstrap(self, os.path.join(run, "socket"), root)
        self.channel = Channel(self.bootstrap.bell, self.lock, self.files, self.noted)
        self._thread: threading.Thread | None = None
        self._watchdog = Watchdog(self.lock.turn, self.message)
        if guard is not None:
            self.registry.head.flags |= wire.REGISTRY_GUARD

    # ---- Life

    def start(self) -> None:
        """Begin to answer: calls in a thread of their own; the caller then runs self.loop.run()."""
        self.registry.publish()
        self.bootstrap.start()
        self._thread = threading.Thread(target=self.channel.serve, name="devshim-calls", daemon=True)
        self._thread.start()
        self._watchdog.start()

    def stop(self) -> None:
        """Answer no more; targets find their devices unplugged."""
        self.channel.stop()
        if self._thread is not None:
            self._thread.join()
            self._watchdog.stop()
        with self.lock:
            self.closes.settle()
            self.bootstrap.close()

    # ---- Devices

    def plug(self, node: str, device: Device) -> DevicePlug:
        """Attach a device to a node.  Raises SpecError where there is one already."""
        node = canonical(node)
        if node in self._plugs and self._plugs[node].plugged:
            raise SpecError(f"{node}: two devices at one node ({type(self._plugs[node].device).__name__} is there)")
        plug = plug_class(device)(self, node, device, self._number(node, device))
        self._plugs[node] = plug
        self._show(plug)
        plug.attach()
        return plug

    def _show(self, plug: DevicePlug) -> None:
        if os.path.lexists(plug.node):
            self.registry.head.flags |= wire.REGISTRY_SHADOWS
        device = plug.device
        self.tree.check(plug.node)
        around = device.surroundings(plug.node, os.major(plug.rdev), os.minor(plug.rdev))
        for path, content in around.items():
            if isinstance(content, Link):
                entries = self.tree.add_link(path, content)
            else:
                entries = self.tree.add_file(path, content)
            for entry in entries:
                self.registry.add_node(*entry)
        plug.surroundings = list(around)
        # Before the placeholder is there: a program that looks for the node again and again would open that instead.
        self.registry.add_node(plug.node, wire.NODE_DEVICE, plug.entry(type(device)))
        for path, kind in self.tree.add_device(plug.node, stat.S_IMODE(device.mode), os.getuid(), os.getgid()):
            index = plug.entry(type(device)) if kind == wire.NODE_DEVICE else 0
            self.registry.add_node(path, kind, index)
        status = os.stat(self.tree.placeholder(plug.node))
        self.registry.add_carrier(status.st_dev, status.st_ino, 0, plug.entry(type(device)), 0, os.O_PATH)

    def unplug(self, plug: DevicePlug) -> None:
        """Take a device away while it may be in use."""
        if not plug.plugged:
            return
        status = os.stat(self.tree.placeholder(plug.node))
        self.registry.remove_carrier(status.st_dev, status.st_ino)
        for shown in (*reversed(plug.surroundings), plug.node):
            for path in self.tree.remove(shown):
                self.registry.remove_node(path)
        if os.path.lexists(plug.node):  # something real is there: gone is gone all the same
            self.registry.add_node(plug.node, wire.NODE_HIDDEN)
        plug.detach()
        self.retry_opens(plug)
        self.log.line(f"{plug.node} unplugged")

    def replug(self, plug: DevicePlug) -> None:
        """Bring an unplugged device back."""
        if plug.plugged:
            return
        self._show(plug)
        plug.attach()
        self.log.line(f"{plug.node} plugged again")

    def plug_at(self, path: str) -> DevicePlug | None:
        """The plugged device at a node."""
        plug = self._plugs.get(path)
        return plug if plug is not None and plug.plugged else None

    def _number(self, node: str, device: Device) -> int:
        """st_rdev: the class's own numbers, or a major that no real kernel uses."""
        major, minor = device.numbers(node)
        if major is None:
            major = self._majors.setdefault(type(device), FIRST_OWN_MAJOR + len(self._majors))
        taken = self._minors.setdefault(major, set())
        if minor is None:
            trailing = re.search(r"(\d+)$", node)
            minor = int(trailing[1]) if trailing else 0
            while minor in taken:
                minor += 1
        taken.add(minor)
        return os.makedev(major, minor)

    # ---- Files

    def free_number(self) -> int:
        """A file number that no open file has; used again late, so that a stale one does not hit at once."""
        if len(self.numbers) > 1024:
            return self.numbers.pop(0)
        self.files.append(None)
        return len(self.files) - 1

    def add_file(self, file: Answering) -> None:
        """Let calls with the file's number come to it."""
        self.files[file.number] = LoggedFile(self, file) if self.verbose else file

    def promise(self, plug: DevicePlug, file: File) -> int:
        """Carry a file that an ioctl made; returns the ticket with which the program fetches its descriptor."""
        fd, _, _ = plug.carry(file, file.flags)
        ticket = next(self._promises)
        self.promised[ticket] = fd
        return ticket

    def retry_opens(self, plug: DevicePlug) -> None:
        """Opens that wait may succeed now."""
        self.bootstrap.retry(plug)

    def settle_ends(self) -> None:
        """Notice all closes and deaths that have happened."""
        self.closes.settle()
        self.bootstrap.settle()

    def process_died(self, pid: int) -> None:
        """A process died: it may have taken tokens that were meant for others, and its locks are free."""
        for plug in self._plugs.values():
            plug.records.died(pid)
            for file in plug.files:
                file.refresh()

    # ---- What the user hears

    def message(self, text: str) -> None:
        """One line on stderr."""
        self.log.message(text)

    def failed(self, device: Device, call: str, exception: BaseException, outcome: str = "") -> None:
        """A model raised what is no OSError: a failure of the run; its traceback is shown the first time.

        outcome: what the program gets of it, if anything.
        """
        trace = model_traceback(exception)
        where = f"{type(device).__name__} at {device.node}" if device.node else type(device).__name__
        self.failures.append(f"{where}: {call}: {type(exception).__name__}: {exception}")
        times = self._failed_so.get((where, trace), 0)
        self._failed_so[where, trace] = times + 1
        if not times:
            self.log.message(f"{where} failed in {call}{outcome and '; ' + outcome}\n{trace}")

    def failed_again(self) -> list[str]:
        """One message for each failure that came more than once."""
        return [
            f"{where} failed so {times} times in all: {trace.splitlines()[-1]}"
            for (where, trace), times in self._failed_so.items()
            if times > 1
        ]

    def callback_failed(self, callback: Callable[..., object], exception: BaseException) -> None:
        """Something of the host's own or a model's raised in the loop."""
        self.failures.append(f"{type(exception).__name__}: {exception}")
        self.log.message("a callback failed\n" + "".join(traceback.format_exception(exception)).rstrip())

    def unknown_ioctl(self, plug: DevicePlug, request: int) -> None:
        """An ioctl that the model has no handler for."""
        self.unmodelled.ioctl(plug.node, request)

    def noted(self, process: int, path: bytes, error: int) -> Any:
        """A real node that the program opened (0), missed (errno), or is about to open (-1: may it?)."""
        name = os.fsdecode(path)
        if error != 0xFFFFFFFF:
            self.unmodelled.node(name, error)
            return 0
        refusal = self.guard.refusal(name) if self.guard is not None else None
        if refusal is None:
            return 0
        error, rule = refusal
        self.failures.append(f"{name}: refused")
        self.message(f"{name}: refused with {errno.errorcode[error]} ({rule}); to model it: -d {name}=MODEL")
        return (-1, error, 0, 0, None, wire.NO_PLACE)

    def log_open(self, plug: DevicePlug, flags: int) -> None:
        """An open was answered."""
        self.used = True
        self.log.line(f'open("{plug.node}", {open_flags(flags)})')


class Guard:
    """--deny and --only-plugged: which real nodes are refused, and how."""

    def __init__(self, deny: list[Rule], only_plugged: bool) -> None:
        self.deny = deny
        self.only_plugged = only_plugged

    def refusal(self, path: str) -> tuple[int, str] | None:
        """The errno with which opening a path fails, and the rule that says so; None where it may be opened."""
        for pattern, error in self.deny:
            if fnmatchcase(path, pattern):
                return error, f"--deny {pattern}"
        return (errno.ENOENT, "--only-plugged") if self.only_plugged else None


def model_traceback(exception: BaseException) -> str:
    """The traceback of what a model raised, from the model's first line on; of what we raise about it, the words."""
    frames = exception.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(OURS):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(exception), exception, frames)).rstrip()


def open_flags(flags: int) -> str:
    """Open flags as strace prints them."""
    names = [("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE")[flags & os.O_ACCMODE]]
    for name in ("O_CREAT", "O_EXCL", "O_NOCTTY", "O_TRUNC", "O_APPEND", "O_NONBLOCK", "O_CLOEXEC"):
        if flags & getattr(os, name):
            names.append(name)
    return "|".join(names)
