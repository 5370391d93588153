"""What each step of a script must answer: a model of descriptors and of devices.py, made from the manual pages.

It shares no code with devshim.  Numbers of descriptors are predicted too: the lowest free one (open(2)).
"""

from __future__ import annotations

import errno
import os
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

POLLIN, POLLOUT, POLLNVAL = 1, 4, 0x20
CELL_SIZE = 300_000
QUEUE_ROOM = 3
MOST = 4 << 20
"""Bytes that one call carries at most; read(2) and write(2) may do less than they were asked for."""
NODES = ("cell0", "cell1", "queue0", "queue1", "records0", "ttyS90", "zero", "null", "not-there")
READING = {os.O_RDONLY, os.O_RDWR}
WRITING = {os.O_WRONLY, os.O_RDWR}
EDGE = 8
LOCK_SH, LOCK_EX, LOCK_NB, LOCK_UN = 1, 2, 4, 8


class Step(NamedTuple):
    """One line of a script: programs/operations.c says what the words mean."""

    actor: int
    name: str
    words: tuple[int, ...] = ()

    def __str__(self) -> str:
        return " ".join([str(self.actor), self.name, *map(str, self.words)])


class Expected(NamedTuple):
    """An answer: result, errno, checksum; `slack` are bits that the result of a poll may have besides."""

    result: int
    error: int = 0
    crc: int = 0
    slack: int = 0


class Waits(Exception):
    """The call waits in the kernel."""


class Fails(Exception):
    """The call fails with this errno."""


def pattern(size: int, seed: int = 0) -> bytes:
    """What programs/operations.c fills its buffers with."""
    seed %= 251
    return (bytes(range(251)) * (size // 251 + 2))[seed : seed + size]


@dataclass(eq=False)
class Description:
    """An open file description."""

    node: str
    access: int
    nonblock: bool
    position: int = 0
    unread: deque[int] = field(default_factory=deque)
    sent: int = 0
    stale: int = 0
    """Poll bits that may be shown though they are not true: this description has made no call since they were."""
    asked: bool = False
    """A read was told to wait or try again: whatever happens next on the device, it is asked to look once more."""


class Process:
    """Descriptors and variables."""

    def __init__(self, table: dict[int, tuple[Description | None, bool]], variables: list[int]) -> None:
        self.table = table
        self.variables = variables

    def lowest(self, least: int = 0) -> int:
        """The lowest free number."""
        while least in self.table:
            least += 1
        return least


class World:
    """Actors, processes, devices."""

    def __init__(self) -> None:
        table: dict[int, tuple[Description | None, bool]] = dict.fromkeys((0, 1, 2, 200, 201), (None, False))
        self.processes = {0: Process(table, [-1] * 16)}
        self.actors = {0: 0}
        self.blocked: dict[int, Step] = {}
        self.cells = {name: bytearray(pattern(CELL_SIZE)) for name in ("cell0", "cell1")}
        self.queues: dict[str, deque[bytes]] = {"queue0": deque(), "queue1": deque()}
        self.locks: dict[str, dict[Description, int]] = {}
        self.passing: Description | None = None

    # ---- Steps

    def apply(self, step: Step) -> Expected | None:
        """Do a step; None where it waits."""
        if step.name == "join":
            return self.attempt(self.blocked.pop(step.actor))
        if step.name == "signal":
            return self.interrupt(step.actor, step.words[0])
        if step.name == "kill":
            self.die(self.actors[step.actor])
            return Expected(0)
        return self.attempt(step)

    def attempt(self, step: Step) -> Expected | None:
        """Make a call, perhaps again."""
        try:
            return getattr(self, "do_" + step.name)(step.actor, self.processes[self.actors[step.actor]], *step.words)  # type: ignore[no-any-return]
        except Fails as failure:
            return Expected(-1, failure.args[0])
        except Waits:
            self.blocked[step.actor] = step
            return None

    def interrupt(self, actor: int, restarts: int) -> Expected | None:
        """A signal to an actor that waits (signal(7): what restarts and what never does)."""
        if restarts and self.blocked[actor].name != "poll":
            return None
        del self.blocked[actor]
        return Expected(-1, errno.EINTR)

    def due(self) -> list[int]:
        """Actors that wait no more."""
        return [actor for actor, step in self.blocked.items() if self.would_end(step)]

    def would_end(self, step: Step) -> bool:
        """Whether a call that waited would not any more."""
        description = self.description_of(step)
        if step.name == "poll":
            return bool(self.ready(description) & step.words[1])
        if step.name == "flock":
            return not self.in_the_way(description, step.words[1])
        if step.name == "write":
            return bool(self.ready(description) & POLLOUT)
        return bool(self.ready(description) & POLLIN)

    def description_of(self, step: Step) -> Description:
        """The open file that a call is on; it exists."""
        process = self.processes[self.actors[step.actor]]
        found = process.table[process.variables[step.words[0]]][0]
        assert found is not None
        return found

    def die(self, number: int) -> None:
        """A process ends."""
        for actor in [actor for actor, process in self.actors.items() if process == number]:
            del self.actors[actor]
            self.blocked.pop(actor, None)
        for node in self.queues:  # the dead may have taken tokens of others: all are asked to look
            self.woken(node, because_of_death=True)
            for description in self.open_ones():
                if description is not None and description.node == node:
                    description.stale |= POLLOUT
        table = self.processes.pop(number).table
        for description, _ in table.values():
            self.released(description)

    # ---- Descriptors

    def at(self, process: Process, variable: int) -> Description:
        """What a variable's descriptor is open on."""
        entry = process.table.get(process.variables[variable])
        if entry is None or entry[0] is None:
            raise Fails(errno.EBADF)
        return entry[0]

    def put(self, process: Process, variable: int, description: Description, cloexec: bool, least: int = 0) -> Expected:
        """A new descriptor."""
        number = process.lowest(least)
        process.table[number] = description, cloexec
        process.variables[variable] = number
        return Expected(number)

    def released(self, description: Description | None) -> None:
        """A descriptor went away; with the last one its locks do."""
        if description is None or description in self.open_ones():
            return
        self.locks.get(description.node, {}).pop(description, None)

    def open_ones(self) -> set[Description | None]:
        """All open files."""
        found = {entry[0] for process in self.processes.values() for entry in process.table.values()}
        return found | {self.passing}

    def do_open(self, actor: int, process: Process, variable: int, node: int, flags: int) -> Expected:
        """open(2)."""
        name = NODES[node]
        if name == "not-there":
            raise Fails(errno.ENOENT)
        if flags & os.O_CREAT and flags & os.O_EXCL:
            raise Fails(errno.EEXIST)
        if flags & os.O_DIRECTORY:
            raise Fails(errno.ENOTDIR)
        description = Description(name, flags & os.O_ACCMODE, bool(flags & os.O_NONBLOCK))
        description.stale = self.ready(description)
        return self.put(process, variable, description, bool(flags & os.O_CLOEXEC))

    def do_close(self, actor: int, process: Process, variable: int) -> Expected:
        """close(2)."""
        description = self.at(process, variable)
        del process.table[process.variables[variable]]
        self.released(description)
        return Expected(0)

    def do_dup(self, actor: int, process: Process, variable: int, new: int, how: int, number: int) -> Expected:
        """dup(2), fcntl(2)."""
        old = process.variables[variable]
        if how == 2 and old == number:
            raise Fails(errno.EINVAL)
        description = self.at(process, variable)
        if how in (1, 2):
            if old != number:
                before = process.table.pop(number, (None, False))[0]
                process.table[number] = description, how == 2
                self.released(before)
            process.variables[new] = number
            return Expected(number)
        return self.put(process, new, description, how == 4, number if how in (3, 4) else 0)

    def do_flags(self, actor: int, process: Process, variable: int, how: int, value: int) -> Expected:
        """fcntl(2): F_GETFL, F_SETFL, F_SETFD, F_GETFD; ioctl_tty(2): FIONBIO."""
        description, number = self.at(process, variable), process.variables[variable]
        if how == 0:
            return Expected(description.access | (os.O_NONBLOCK if description.nonblock else 0))
        if how == 2:
            process.table[number] = description, bool(value)
        elif how == 3:
            return Expected(int(process.table[number][1]))
        else:
            description.nonblock = bool(value)
        return Expected(0)

    def do_send(self, actor: int, process: Process, variable: int) -> Expected:
        """sendmsg(2) with SCM_RIGHTS."""
        self.passing = self.at(process, variable)
        return Expected(1)

    def do_receive(self, actor: int, process: Process, variable: int, cloexec: int) -> Expected:
        """recvmsg(2) with it."""
        description, self.passing = self.passing, None
        assert description is not None
        return self.put(process, variable, description, bool(cloexec))

    def do_fork(self, actor: int, process: Process, how: int, new: int) -> Expected:
        """fork(2), vfork(2) and posix_spawn(3) with an exec, pthread_create(3)."""
        self.actors[new] = self.actors[actor] if how == 3 else new
        if how != 3:
            table = {number: entry for number, entry in process.table.items() if how == 0 or not entry[1]}
            self.processes[new] = Process(table, list(process.variables))
        return Expected(0)

    def do_exec(self, actor: int, process: Process) -> Expected:
        """execve(2)."""
        for number, (description, cloexec) in list(process.table.items()):
            if cloexec:
                del process.table[number]
                self.released(description)
        return Expected(0)

    def do_stat(self, actor: int, process: Process, variable: int, node: int) -> Expected:
        """fstat(2) says what stat(2) of the node says."""
        return Expected(int(self.at(process, variable).node == NODES[node]))

    def do_seek(self, actor: int, process: Process, variable: int, offset: int, whence: int) -> Expected:
        """lseek(2)."""
        description = self.at(process, variable)
        if description.node in ("zero", "null"):
            return Expected(0)
        if description.node not in self.cells:
            raise Fails(errno.ESPIPE)
        if whence > 2:
            raise Fails(errno.EINVAL)
        position = offset + (0, description.position, CELL_SIZE)[whence]
        if not 0 <= position <= 1 << 40:
            raise Fails(errno.EINVAL)
        description.position = position
        return Expected(position)

    def in_the_way(self, description: Description, operation: int) -> bool:
        """Whether another's lock forbids this one."""
        held = self.locks.get(description.node, {})
        return any(other is not description and LOCK_EX in (kind, operation & 3) for other, kind in held.items())

    def do_flock(self, actor: int, process: Process, variable: int, operation: int) -> Expected:
        """flock(2): changing a lock gives the old one back first."""
        description = self.at(process, variable)
        held = self.locks.setdefault(description.node, {})
        if operation & LOCK_UN:
            held.pop(description, None)
            return Expected(0)
        kind = operation & 3
        if held.get(description) == kind:
            return Expected(0)
        held.pop(description, None)
        if self.in_the_way(description, operation):
            raise Fails(errno.EWOULDBLOCK) if operation & LOCK_NB else Waits
        held[description] = kind
        return Expected(0)

    # ---- Readiness

    def ready(self, description: Description) -> int:
        """The ready bits."""
        if description.node in self.queues:
            lying = len(self.queues[description.node])
            return (POLLIN if lying else 0) | (POLLOUT if lying < QUEUE_ROOM else 0)
        if description.node == "records0":
            return (POLLIN if description.unread else 0) | POLLOUT
        return POLLOUT if description.node == "ttyS90" else POLLIN | POLLOUT

    def changed(self, asking: Description) -> None:
        """A queue may have changed: who did it knows; the others may be shown what was, or be asked to look."""
        self.woken(asking.node)
        asking.stale = self.ready(asking)

    def woken(self, node: str, because_of_death: bool = False) -> None:
        """All who have a queue open may be shown what is, and what was; who still waits has asked once more.

        After a death the host does not know whether its token was seen by the living: it will send another.
        """
        waiting = [self.description_of(step) for step in self.blocked.values() if step.name == "read"]
        for description in self.open_ones():
            if description is not None and description.node == node:
                description.stale |= self.ready(description) | (POLLIN if description.asked else 0)
                description.asked = description.asked and (because_of_death or description in waiting)

    def do_poll(self, actor: int, process: Process, variable: int, events: int, how: int, wait: int) -> Expected:
        """poll(2), select(2), epoll(7)."""
        if process.variables[variable] < 0 and how < 2:
            return Expected(0)
        entry = process.table.get(process.variables[variable])
        if entry is None or entry[0] is None:
            if how < 2:
                return Expected(POLLNVAL)
            raise Fails(errno.EBADF)
        description = entry[0]
        if how == 3 and description.node in ("zero", "null"):
            raise Fails(errno.EPERM)
        bits = self.ready(description) & events
        if not bits and wait:
            raise Waits
        return Expected(bits, slack=description.stale & events)
