"""Devices that answer ioctls as memory: how the host carries a replayed node (on a pty: rawtty.py).

What such a device knows of requests may grow while it is in use; then the shim is told to look again (AGAIN).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from devshim.host import wire
from devshim.host._channel import answers_move
from devshim.host.answering import Answering, standing
from devshim.host.files import Opened, OpenFile
from devshim.host.memory import call_unknown, plan_of
from devshim.host.plugs import DevicePlug
from devshim.host.segments import FLAT_AT, SEGMENT, SEGMENT_WRITE, SEGMENTS, parse
from devshim.host.table import compile_table
from devshim.model.description import Descriptions
from devshim.model.device import REAL, WAIT, Device, File
from devshim.model.ioctl import find_handler
from devshim.model.raw import AGAIN, RawAnswer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.host.asker import Asker
    from devshim.host.host import Host
    from devshim.model.raw import Cell

#: Answers that are given again without asking, of one file.
MOST_STEADY = 64

NAMES = {wire.OP_READ: "read", wire.OP_WRITE: "write", wire.OP_IOCTL: "ioctl", wire.OP_POLL: "poll"}


class RawIoctls(Answering):
    """Hands ioctls over as memory, and gives answers again as long as they are steady; then the shim may, too."""

    def __init__(self, host: Host, plug: DevicePlug, file: File, number: int, *more: Any) -> None:
        self._steady: Cell | None = None
        self._given: dict[tuple[int, Any], Any] = {}
        super().__init__(host, plug, file, number, *more)
        self.counts = True

    def ioctl(self, request: int, argument: int, data: bytes) -> Any:
        """Answer one ioctl."""
        if self._steady is not None:
            if self._steady.good:
                given = self._given.get((request, data or argument))
                if given is not None:
                    return given
            else:
                self._steady = None
                self._given.clear()
        answers_move()
        try:
            memory = memory_of(data) if data else None
            answer = self.file.raw_ioctl(request, argument, memory)
        except (Exception, SystemExit) as exception:
            return self.error(f"ioctl {request:#010x}", exception)
        if type(answer) is RawAnswer:
            return self._give(answer, request, argument, data)
        if answer is WAIT:
            return self.wait_elsewhere()
        if answer is REAL:
            return (0, 0, wire.ANSWER_REAL, 0, None, wire.NO_PLACE)
        if answer is AGAIN:
            self.plug.describe_again()  # type: ignore[attr-defined]
            return (-1, 0, wire.ANSWER_AGAIN, 0, None, wire.NO_PLACE)
        return self._elsewhere(answer.file, request, argument, data)

    def _give(self, answer: RawAnswer, request: int, argument: int, data: bytes) -> Any:
        result, new_file, steady = answer.result, answer.new_file, answer.steady
        out = filled(data, answer.after) if data and answer.after is not None else None
        if new_file is not None:
            token = self.host.promise(self.plug, new_file)
            where = wire.NO_PLACE if answer.place is None else answer.place
            self.arm()
            return (result, 0, wire.ANSWER_FILE, token, out, where)
        given: Any = (result, 0, 0, 0, out, wire.NO_PLACE) if result and out is not None else out or result
        flags, token = self.changes()
        if flags:
            return (result, 0, flags, token, out, wire.NO_PLACE)
        if steady is not None and steady.good:
            if self.host.stands:
                given = standing(given)
            if self._steady is not steady or len(self._given) >= MOST_STEADY:
                self._steady = steady
                self._given.clear()
            self._given[request, data or argument] = given
        return given

    def _elsewhere(self, file: File, request: int, argument: int, data: bytes) -> Any:
        """Let another file's handlers answer, as if it were open here."""
        handler = find_handler(type(file).ioctls, request)
        try:
            if handler is None:
                outcome = call_unknown(file, request, argument, data)
            else:
                outcome = (handler.plan or plan_of(handler)).call(file, request, argument, data)
        except (Exception, SystemExit) as exception:
            return self.error(handler.label if handler is not None else f"ioctl {request:#010x}", exception)
        result, out, new_file, place = outcome
        if result is WAIT:
            return self.wait_elsewhere()
        if result is REAL:
            return (0, 0, wire.ANSWER_REAL, 0, None, wire.NO_PLACE)
        if new_file is not None:
            return (result, 0, wire.ANSWER_FILE, self.host.promise(self.plug, new_file), out, place)
        flags, token = self.changes()
        return (result, 0, flags, token, out, wire.NO_PLACE)

    def waits(self, op: int) -> int:
        """A call is about to wait in the kernel, or has ceased to."""
        try:
            return self.file.waiting(NAMES.get(op & 0xFF, "call"), op >> 8) or 0
        except (Exception, SystemExit) as exception:
            self.error("waiting()", exception)
        return 0


class OpenRaw(RawIoctls, OpenFile):
    """One open of a computed device that answers ioctls as memory."""


class OneTable(DevicePlug):
    """A device at its node, with one table for all its files, which may grow."""

    def __init__(self, host: Host, node: str, device: Device, rdev: int) -> None:
        super().__init__(host, node, device, rdev)
        self._index = -1

    def table(self) -> bytes:
        """What is known of requests, for the shim."""
        return compile_table(self.device.descriptions())  # type: ignore[attr-defined]

    def entry(self, file: type[File]) -> int:
        """The registry's index; all files of this device have the same."""
        if self._index < 0:
            self._index = enter(self, self.table())
            self._entries[type(self.device)] = self._index
        return self._index

    def describe_again(self) -> None:
        """More is known than before."""
        self.host.registry.set_ioctls(self._index, self.table())


class RawPlug(OneTable):
    """A computed device at its node."""

    flags = DevicePlug.flags | wire.DEVICE_ASKS

    def open(self, flags: int, pid: int, asker: Asker | None = None) -> Any:
        """Open the device, which may tell programs apart."""
        self.device.opener = pid  # type: ignore[attr-defined]
        return super().open(flags, pid, asker)

    def make(self, file: File, number: int, nonblock: bool, asker: Asker | None) -> Opened:
        """Files of our own kind."""
        if is_raw(file):
            return OpenRaw(self.host, self, file, number, nonblock, asker)
        return super().make(file, number, nonblock, asker)


def enter(plug: DevicePlug, table: bytes) -> int:
    """Enter a device into the registry, and where calls are recorded tell the recorder of it; returns its index."""
    host, device = plug.host, plug.device
    host.registry.head.flags |= wire.REGISTRY_ASKS
    flags = plug.flags | (wire.DEVICE_SEEK if device.seekable else 0)
    if host.observers is not None and flags & wire.DEVICE_TTY:
        flags |= wire.DEVICE_REPORT
    recorded = host.recorded if plug.node.startswith("/dev/") else None
    recorded = recorded if recorded is not None and recorded.with_models else None
    if recorded is not None:
        flags |= wire.DEVICE_RECORD
    index = host.registry.add_device(plug.node, flags, device.mode, plug.rdev, table)
    if recorded is not None:
        described = type("Described", (File,), {})
        described.ioctls = Descriptions(device.descriptions())  # type: ignore[attr-defined]
        recorded.add_model(index, plug.node, described, device, plug.rdev, flags)
    return index


def is_raw(file: File) -> bool:
    """Whether a file answers ioctls as memory."""
    return hasattr(file, "raw_ioctl")


# ---- Memory ---------------------------------------------------------------------------------------------

FLAT = SEGMENTS.pack(1, 0)


def memory_of(data: bytes) -> list[bytes | None]:
    """The segments of an argument.  Raises ValueError for what the shim cannot have sent."""
    if is_flat(data):
        return [data[FLAT_AT:]]
    return [None if one.null else data[one.at : one.at + one.length] for one in parse(data)]


def is_flat(data: bytes) -> bool:
    """Whether an argument is one run of bytes, as most are."""
    return data.startswith(flat_head(len(data) - FLAT_AT))


@lru_cache(maxsize=256)
def flat_head(length: int, flags: int = 0, to: int = 0) -> bytes:
    """What stands before one run of so many bytes; flags, to: whether they go back, and how many of them."""
    return FLAT + SEGMENT.pack(FLAT_AT, max(length, 0), flags, 0, to, 0)


def filled(data: bytes, after: Sequence[bytes | None]) -> bytes | None:
    """The room of an argument with new bytes in its segments, as far as they fit; None where nothing goes back."""
    if after and is_flat(data):
        size = len(data) - FLAT_AT
        given = (after[0] or b"")[:size]
        if not given:
            return None
        return b"".join((flat_head(size, SEGMENT_WRITE, len(given)), given, data[FLAT_AT + len(given) :]))
    room, any_goes = bytearray(data), False
    for index, (segment, new) in enumerate(zip(parse(data), after, strict=False)):
        if not new or segment.null:
            continue
        length = min(len(new), segment.length)
        room[segment.at : segment.at + length] = new[:length]
        write = (segment.at, segment.length, SEGMENT_WRITE, 0, length, 0)
        SEGMENT.pack_into(room, SEGMENTS.size + index * SEGMENT.size, *write)
        any_goes = any_goes or length > 0
    return bytes(room) if any_goes else None
