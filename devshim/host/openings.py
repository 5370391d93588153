"""Openings: paths that a model file answers itself; the shim asks about those that match a pattern."""

from __future__ import annotations

import errno
import os
import struct
from fnmatch import translate
from re import Pattern
from re import compile as compile_pattern
from typing import TYPE_CHECKING, Any

from devshim.host import wire
from devshim.host.files import Answer, failed
from devshim.host.plugs import DevicePlug
from devshim.model.device import REAL, Device, File
from devshim.model.opening import Opening

if TYPE_CHECKING:
    from collections.abc import Iterable

    from devshim.host.host import Host

NOTE = struct.Struct("=II")
"""struct opening_note: flags, mode."""
GO_ON: Answer = (0, 0, wire.ANSWER_REAL, 0, None, wire.NO_PLACE)


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

    def add(self, openings: Iterable[Opening]) -> None:
        """Ask these from now on, after those that are there."""
        self._plugs += [OpeningPlug(self.host, opening) for opening in openings]
        self.host.registry.declare([plug.node for plug in self._plugs], [])

    def answer(self, note: bytes) -> Answer:
        """A path is about to be opened: what the first opening says that does not leave it to the others."""
        flags, mode = NOTE.unpack_from(note)
        name = note[NOTE.size :]
        for plug in self._plugs:
            if plug.compiled.match(name):
                answer = self._ask(plug, os.fsdecode(name), flags, mode)
                if answer is not GO_ON:
                    return answer
        return GO_ON

    def _ask(self, plug: OpeningPlug, path: str, flags: int, mode: int) -> Answer:
        try:
            opened = plug.opening.function(path, flags, mode)
            if opened is REAL:
                return GO_ON
            ticket = self._promise(plug, opened, flags)
        except (Exception, SystemExit) as problem:
            error = problem.errno or errno.EIO if isinstance(problem, OSError) else errno.EIO
            if not isinstance(problem, OSError):
                self.host.failed(plug.device, f"opening {path}", problem, "the program gets EIO")
            return failed(error)
        self.host.used = True
        return (0, 0, wire.ANSWER_FILE, ticket, None, wire.NO_PLACE)

    def _promise(self, plug: OpeningPlug, opened: Any, flags: int) -> int:
        """The ticket for what a function returned."""
        if isinstance(opened, File):
            self.host.closes.settle()
            opened.flags = flags
            if not hasattr(opened, "device"):
                opened.device = plug.device  # type: ignore[attr-defined]
            return self.host.promise(plug, opened)
        if isinstance(opened, int) and not isinstance(opened, bool):
            os.fstat(opened)
            return self.host.promise_descriptor(opened)
        hint = "; is a return missing?" if opened is None else ""
        raise TypeError(f"it returned {opened!r}: it must return REAL, a File or a descriptor, or raise OSError{hint}")
