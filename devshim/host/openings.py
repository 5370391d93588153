"""Openings: paths that a model file answers itself; the shim asks about those that match a pattern."""

from __future__ import annotations

import errno
import os
import struct
from fnmatch import translate
from re import Pattern
from re import compile as compile_pattern
from typing import TYPE_CHECKING, Any, NamedTuple

from devshim.host import wire
from devshim.host.answering import Answer, failed
from devshim.host.plugs import DevicePlug
from devshim.model.device import REAL, Device, File
from devshim.model.opening import Opening

if TYPE_CHECKING:
    from collections.abc import Iterable

    from devshim.host.host import Host

NOTE = struct.Struct("=II")
"""struct opening_note: flags, mode."""
GO_ON: Answer = (0, 0, wire.ANSWER_REAL, 0, None, wire.NO_PLACE)


class OpenedPath(NamedTuple):
    """What came of opening a path: an errno, or a descriptor for the program and its file, if it has one."""

    error: int
    descriptor: int = -1
    number: int = 0
    entry: int = 0


class OpeningPlug(DevicePlug):
    """Stands where others have a device at a node: for the files that one opening returned."""

    has_node = False

    def __init__(self, host: Host, opening: Opening) -> None:
        # Failures are told with the class's name.
        device: Device = type(getattr(opening.function, "__name__", "opening"), (Device,), {})()
        super().__init__(host, opening.pattern, device, 0)
        self.opening = opening
        bytewise = translate(os.fsencode(opening.pattern).decode("latin-1"))  # as the shim compares
        self.compiled: Pattern[bytes] = compile_pattern(bytewise.encode("latin-1"))
        self.attach()


class Openings:
    """All openings of a run, in the order of their declaration."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._plugs: list[OpeningPlug] = []
        self._withdrawn: list[OpeningPlug] = []  # whose files are not all closed yet

    def add(self, openings: Iterable[Opening]) -> None:
        """Ask these from now on, after those that are there."""
        self._plugs += [OpeningPlug(self.host, opening) for opening in openings]
        self.host.registry.declare([plug.node for plug in self._plugs])

    def withdraw(self, openings: Iterable[Opening]) -> None:
        """Ask these no more; their open files hang up, as those of a device that is unplugged."""
        withdrawn = list(openings)
        gone = [plug for plug in self._plugs if any(plug.opening is opening for opening in withdrawn)]
        self._plugs = [plug for plug in self._plugs if plug not in gone]
        self.host.registry.declare([plug.node for plug in self._plugs])
        for plug in gone:
            plug.detach()
            plug.forget()
        self._withdrawn = [plug for plug in (*self._withdrawn, *gone) if plug.files]

    def withdraw_all(self) -> None:
        """Ask about nothing any more."""
        self.withdraw([plug.opening for plug in self._plugs])

    @property
    def plugs(self) -> list[OpeningPlug]:
        """All that have files, or may get some."""
        return [*self._plugs, *self._withdrawn]

    def answer(self, note: bytes) -> Answer:
        """A path is about to be opened, as the channel tells it: its descriptor is to be fetched by ticket."""
        flags, mode = NOTE.unpack_from(note)
        opened = self.ask(note[NOTE.size :], flags, mode, None)
        if opened is None:
            return GO_ON
        if opened.error:
            return failed(opened.error)
        return (0, 0, wire.ANSWER_FILE, self.host.promise_descriptor(opened.descriptor), None, wire.NO_PLACE)

    def ask(self, name: bytes, flags: int, mode: int, caller: tuple[int, int] | None) -> OpenedPath | None:
        """What the first opening says that does not leave a path to the others; None: it is opened as ever.

        caller: process id and thread id; None: who asks over the channel.
        """
        for plug in self._plugs:
            if plug.compiled.match(name):
                opened = self._ask_one(plug, os.fsdecode(name), flags, mode, caller)
                if opened is not None:
                    return opened
        return None

    def _ask_one(
        self, plug: OpeningPlug, path: str, flags: int, mode: int, caller: tuple[int, int] | None
    ) -> OpenedPath | None:
        try:
            said = plug.opening.function(path, flags, mode)
            if said is REAL:
                return None
            opened = self._carry(plug, said, flags)
            self.host.used = True
        except (Exception, SystemExit) as problem:
            opened = OpenedPath(problem.errno or errno.EIO if isinstance(problem, OSError) else errno.EIO)
            if not isinstance(problem, OSError):
                self.host.failed(plug.device, f"opening {path}", problem, "the program gets EIO")
        observers = self.host.observers
        if observers is not None:
            who = observers.caller() if caller is None else observers.callers.of_process(*caller)
            file = self.host.observed(opened.number) if opened.number else None
            observers.opened_at(path, plug, flags, file, opened.error, who)
        return opened

    def _carry(self, plug: OpeningPlug, said: Any, flags: int) -> OpenedPath:
        """Give what a function returned a descriptor.  Raises TypeError for what cannot have one."""
        if isinstance(said, File):
            self.host.closes.settle()
            said.flags = flags
            if not hasattr(said, "device"):
                said.device = plug.device  # type: ignore[attr-defined]
            return OpenedPath(0, *plug.carry(said, flags))
        if isinstance(said, int) and not isinstance(said, bool):
            os.fstat(said)
            return OpenedPath(0, said)
        hint = "; is a return missing?" if said is None else ""
        raise TypeError(f"it returned {said!r}: it must return REAL, a File or a descriptor, or raise OSError{hint}")
