"""Calls on open files of all kinds: what a model said becomes an answer; errors, ioctls and locks.

_ask.c calls read, write, ioctl, ... of an open file with the lock held, and takes bytes (data), an int (the
result), or an Answer.  Nothing here blocks: "nothing yet" is an answer, and the program waits in its own process.
"""

from __future__ import annotations

import errno

from devshim.host import wire
from devshim.host._channel import Quick, answers_move
from devshim.host.locks import LOCK_EX, LOCK_SH, LOCK_UN, Owner
from devshim.model.device import REAL, WAIT, Device, File

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.host.general import Outcome, Plan
    from devshim.host.host import Host
    from devshim.host.plugs import DevicePlug
    from devshim.model.ioctl import Handler

#: result, errno, flags, token, data, place of a new descriptor
Answer = tuple[int, int, int, int, "Any", int]


def failed(error: int) -> Answer:
    """The call fails with this errno."""
    return (-1, error, 0, 0, None, wire.NO_PLACE)


def found_for(handlers: dict[int, Handler], request: int) -> Handler | None:
    """The handler that answers a request of several."""
    from devshim.model.ioctl import find_handler

    return find_handler(handlers, request)


def planned(handler: Handler) -> Plan:
    """How a handler is called."""
    from devshim.host.memory import plan_of

    return plan_of(handler)


def standing(answer: Any) -> Any:
    """An answer to an ioctl that stands until something moves (_standing.c), where it is nothing but an answer."""
    plain: Answer = (0, 0, 0, 0, None, wire.NO_PLACE)
    result, error, flags, token, data, place = answer if isinstance(answer, tuple) else plain
    if isinstance(answer, int):
        result = answer
    elif isinstance(answer, bytes):
        data = answer
    if error or flags:
        return answer
    return (result, 0, wire.ANSWER_STANDS, token, data, place)


def is_own(file: File, handler: Handler) -> bool:
    """Whether it is the handler that answers, and no method in its place, of a derived class or on the object."""
    return getattr(type(file), handler.name, None) is handler and handler.name not in getattr(file, "__dict__", ())


class Answering(Quick):
    """What is the same for all files: errors, ioctls, locks, reports."""

    def __init__(self, host: Host, plug: DevicePlug, file: File, number: int) -> None:
        self.host = host
        self.plug = plug
        self.file = file
        self.number = number
        self.counts = type(self).ioctl is Answering.ioctl
        self._handlers = type(file).ioctls

    @property
    def device(self) -> Device:
        """The device that this file is open on."""
        return self.plug.device

    def error(self, call: str, exception: BaseException) -> Answer:
        """A method of the model raised: OSError is the driver's own errno, anything else a bug in the model."""
        if isinstance(exception, OSError) and exception.errno:
            return failed(exception.errno)
        self.host.failed(self.device, call, exception, "the program gets EIO")
        return failed(errno.EIO)

    def wrong_type(self, call: str, returned: Any, wanted: str) -> Answer:
        """A method of the model returned something that is no answer."""
        hint = "; is a return missing?" if returned is None else ""
        error = TypeError(f"{type(self.file).__name__}.{call} returned {returned!r}: it must return {wanted}{hint}")
        return self.error(call, error)

    def ioctl(self, request: int, argument: int, data: bytes) -> Any:
        """Answer one ioctl."""
        handler = self.handler_of(request)
        stands = handler is not None and handler.query and is_own(self.file, handler)
        if not stands:
            answers_move()
        try:
            if handler is None:
                outcome = self.unknown(request, argument, data)
            else:
                plan = handler.plan or planned(handler)
                outcome = plan.call(self.file, request, argument, data)
                if plan.way is not None:
                    self.learn(request, plan.way)
        except (Exception, SystemExit) as exception:
            return self.ioctl_failed(request, exception)
        answer = self.settle(outcome, request, argument, data)
        return standing(answer) if stands and self.host.stands else answer

    def handler_of(self, request: int) -> Handler | None:
        """Who answers a request, if anybody does."""
        return self._handlers.get(request) or (found_for(self._handlers, request) if self._handlers else None)

    def unknown(self, request: int, argument: int, data: bytes) -> Outcome:
        """Let the file's ioctl() answer, where its class has one of its own."""
        if getattr(self.file.ioctl, "__func__", None) is File.ioctl:
            self.file.ioctl(request, argument)
        from devshim.host.memory import call_unknown

        return call_unknown(self.file, request, argument, data)

    def ioctl_failed(self, request: int, exception: BaseException) -> Answer:
        """The method that answers a request raised."""
        handler = self.handler_of(request)
        if handler is None and isinstance(exception, OSError) and exception.errno == errno.ENOTTY:
            self.host.unknown_ioctl(self.plug, request)
        return self.error(handler.label if handler is not None else f"ioctl {request:#010x}", exception)

    def settle(self, outcome: Outcome, request: int, argument: int, data: bytes) -> Any:
        """Make an answer of what came of an ioctl."""
        result, out, new_file, place = outcome
        if result is WAIT:
            return self.wait_elsewhere()
        if result is REAL:
            return self.really_ioctl(request, argument, data)
        if new_file is not None:
            try:
                token = self.host.promise(self.plug, new_file)
            except OSError as problem:  # the host has no descriptor left
                return failed(problem.errno or errno.EIO)
            self.arm()
            return (result, 0, wire.ANSWER_FILE, token, out, place)
        flags, token = self.changes()
        if flags or (result and out is not None):
            return (result, 0, flags, token, out, place)
        return result if out is None else out

    def really_ioctl(self, request: int, argument: int, data: bytes) -> Answer:
        """The model leaves an ioctl to what is real: the carrier, if nothing else is."""
        return (0, 0, wire.ANSWER_REAL, 0, None, wire.NO_PLACE)

    def wait_elsewhere(self) -> Answer:
        """Nothing yet, and the carrier cannot tell when: the program fetches a socket to wait on."""
        return (-1, 0, wire.ANSWER_WAIT | wire.ANSWER_TICKET, self.plug.waits.ticket(), None, wire.NO_PLACE)

    def changes(self) -> tuple[int, int]:
        """Flags and token by which an answer tells of changed readiness."""
        return 0, 0

    def arm(self) -> None:
        """Show that there is something to read where the answer itself cannot tell of it."""

    def lock(self, operation: int, process: int) -> Any:
        """flock(2), and the record locks of fcntl(2), which are independent of it."""
        kind = operation & (LOCK_SH | LOCK_EX | LOCK_UN)
        if kind not in (LOCK_SH, LOCK_EX, LOCK_UN):
            return failed(errno.EINVAL)
        record = operation & (wire.LOCK_OF_PROCESS | wire.LOCK_OF_FILE)
        locks = self.plug.records if record else self.plug.locks
        owner = Owner(process, None) if operation & wire.LOCK_OF_PROCESS else Owner(-1, self.number)
        if locks.in_the_way(owner, kind):
            self.host.settle_ends()
        if operation & wire.LOCK_TEST:
            other = locks.in_the_way(owner, kind)
            return other.process << 8 | locks.held(other) if other else 0
        if not record and locks.held(owner) not in (kind, LOCK_UN):
            locks.take(owner, LOCK_UN, self.number)  # flock(2): to change a lock gives it back first
        if locks.take(owner, kind, self.number):
            return 0
        return (-1, 0, wire.ANSWER_WAIT | wire.ANSWER_TICKET, locks.point.ticket(), None, wire.NO_PLACE)

    def report(self, op: int, result: int, data: bytes) -> int:
        """A native call is over; of interest only where calls are logged (logged.py)."""
        return 0


class GoneFile:
    """Answers for a file whose device was unplugged: ENODEV, whatever the call."""

    def _answer(self, *arguments: Any) -> Any:
        return failed(errno.ENODEV)

    read = write = ioctl = seek = poll = lock = report = waits = _answer
