"""The run's socket: targets come here for their channel, to open devices, and for descriptors promised to them.

One request, one answer, one connection.  Who comes must know the run's directory, whose name cannot be guessed, and
must descend from the run's program (docs: ARCHITECTURE.md, access).
"""

from __future__ import annotations

import errno
import os
import select
import struct

from devshim.host import wire
from devshim.host._channel import accept, answer, listen, memory_file, raised
from devshim.model.device import WAIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from devshim.host.host import Host
    from devshim.host.plugs import DevicePlug

REQUEST_SIZE = wire.HELLO_REQUEST.size
MOST = REQUEST_SIZE + wire.HELLO_PATH
MOST_GENERATIONS = 256
SO_PEERGROUPS = 59
PATIENCE = 0.02  # seconds, where the host has no descriptor left
MOST_PATIENCE = 50  # times that it waits for one before it refuses who waits


class Caller:
    """Whoever is at the other end of a connection."""

    __slots__ = ("fd", "gid", "pid", "uid")

    def __init__(self, fd: int, pid: int, uid: int, gid: int) -> None:
        self.fd = fd
        self.pid = pid
        self.uid = uid
        self.gid = gid

    def groups(self) -> list[int]:
        """The supplementary groups."""
        import socket

        with socket.socket(fileno=os.dup(self.fd)) as connection:
            try:
                raw = connection.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, 4 * 1024)
            except OSError:
                return []
        return list(struct.unpack(f"{len(raw) // 4}I", raw))

    def gone(self) -> bool:
        """Whether the other end was closed: its process was interrupted, or died."""
        import socket

        with socket.socket(fileno=os.dup(self.fd)) as connection:
            try:
                return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
            except BlockingIOError:
                return False
            except ConnectionResetError:
                return True


class Request:
    """What somebody asks for: struct hello_request of shim/wire.h."""

    def __init__(self, message: bytes) -> None:
        self.magic, self.version, self.what, _, self.flags, self.mode, self.ticket, self.length, self.thread = (
            wire.HELLO_REQUEST.unpack_from(message)
        )


def hello(error: int = 0, flags: int = 0) -> bytes:
    """An answer that hands over no file."""
    return wire.HELLO_ANSWER.pack(wire.WIRE_MAGIC, error, flags, 0, 0, 0)


class Process:
    """One process of the run; each image that it executes takes a channel of its own."""

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid = pid
        self.pidfd = pidfd
        self.channels: list[int] = []


class Bootstrap:
    """Answers on the run's socket; root is the process from which all targets must descend (None: any)."""

    def __init__(self, host: Host, path: str, root: int | None) -> None:
        self.host = host
        self.root = root
        self.hear: Callable[[], object] = lambda: None  # takes in what the waiter has to say
        self._trusted: dict[int, Process] = {}  # by process id; until a process dies its id is its own
        self._waiting: dict[DevicePlug, list[tuple[Caller, int, int]]] = {}
        self._alone: Callable[[], object] | None = None
        self._spare = spare()
        self._waits_for_descriptor = 0
        self.bell = memory_file("devshim-bell", wire.BELL_SIZE)
        self.listener = listen(os.fsencode(path))  # -1 once it is closed

    def start(self) -> None:
        """Begin to answer."""
        if self.listener < 0:
            return
        self.host.loop.watch(self.listener, select.EPOLLIN, self._accept)

    def _accept(self, events: int) -> None:
        while True:
            try:
                accepted = accept(self.listener, MOST)
            except OSError as problem:
                self._lack_descriptor(problem)
                return
            if accepted is None:
                return
            self._waits_for_descriptor = 0
            caller = Caller(*accepted[:4])
            if accepted[4]:
                self._answer(caller, accepted[4])
            else:  # it has connected, and not asked yet
                self._await(caller)

    def _await(self, caller: Caller) -> None:
        self.host.loop.watch(caller.fd, select.EPOLLIN, lambda events: self._read(caller))

    def _lack_descriptor(self, problem: OSError) -> None:
        """Nobody can be let in: wait for a descriptor, but not for ever, or all might wait for each other."""
        self._waits_for_descriptor += 1
        if self._waits_for_descriptor < MOST_PATIENCE or self._spare < 0:
            self.host.loop.unwatch(self.listener)
            self.host.loop.after_real(PATIENCE, self.start)
            return
        self._waits_for_descriptor = 0
        self.host.lacks(problem)
        os.close(self._spare)
        self._spare = -1
        try:
            while (accepted := accept(self.listener, MOST)) is not None:
                caller = Caller(*accepted[:4])
                self._refuse(caller, errno.EMFILE)
                os.close(caller.fd)
            self._spare = spare()
        except OSError:
            return  # a model took the spare one meanwhile: then they wait on

    def _read(self, caller: Caller) -> None:
        self.host.loop.unwatch(caller.fd)
        try:
            message = os.read(caller.fd, MOST)
        except ConnectionResetError:
            message = b""
        self._answer(caller, message)

    def _answer(self, caller: Caller, message: bytes) -> None:
        """Answer a request, and close the connection unless the answer is to come later."""
        keep = False
        try:
            keep = len(message) >= REQUEST_SIZE and self._handle(caller, message)
        except OSError as problem:  # no descriptor, memory or process number left
            self._refuse(caller, problem.errno or errno.EIO)
        finally:
            if not keep:
                os.close(caller.fd)

    def _handle(self, caller: Caller, message: bytes) -> bool:
        """Answer; True where the connection is kept because the answer has to wait."""
        request = Request(message)
        if request.magic != wire.WIRE_MAGIC or request.version != wire.WIRE_VERSION:
            return self._refuse(caller, errno.EPROTO)
        if caller.pid not in self._trusted and not self._trust(caller.pid):
            if parent_of(caller.pid) is not None:  # else it was killed while it asked
                text = f"process {caller.pid} asked for a device of this run but does not belong to it; refused"
                self.host.message(text)
            return self._refuse(caller, errno.EACCES)
        if request.what == wire.HELLO_OPEN:
            path = os.fsdecode(message[REQUEST_SIZE : REQUEST_SIZE + request.length])
            plug = self.host.plug_at(path)
            if plug is None:
                return self._refuse(caller, errno.ENODEV)
            if caller.uid and not plug.may_open(request.flags, caller.uid, caller.gid, caller.groups):
                return self._refuse(caller, errno.EACCES)
            return self._open(caller, request.flags, plug, request.thread or caller.pid)
        if request.what == wire.HELLO_OPENING:
            return self._open_path(caller, request, message[REQUEST_SIZE : REQUEST_SIZE + request.length])
        if request.what == wire.HELLO_CHANNEL:
            return self._join(caller, request.flags)
        if request.what == wire.HELLO_TICKET:
            return self._redeem(caller, request.ticket)
        if request.what == wire.HELLO_MONITOR:
            return self._hand_over(caller, self.host.picture.uevents.monitor())
        if request.what == wire.HELLO_PICTURE:
            self.host.picture.settle()
            return self._hand_over(caller, os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        return self._refuse(caller, errno.EINVAL)

    # ---- The three requests

    def _join(self, caller: Caller, flags: int) -> bool:
        pid = caller.pid
        if flags & wire.HELLO_FOR_PARENT:  # the channel lives as long as the memory that it is mapped into
            pid = parent_of(pid) or pid
            if pid not in self._trusted and not self._trust(pid):
                return self._refuse(caller, errno.EACCES)
        memfd = memory_file("devshim-channel", wire.CHANNEL_SIZE)
        try:
            channel = self.host.channel.add(memfd)
            self._trusted[pid].channels.append(channel)
            self.host.callers.joined(channel, pid)
            answer(caller.fd, hello(), memfd, self.bell)
        finally:
            os.close(memfd)
        return False

    def _redeem(self, caller: Caller, ticket: int) -> bool:
        promised = self.host.promised.pop(ticket, None)
        return self._hand_over(caller, promised if promised is not None else self.host.waits.descriptor(ticket))

    def _hand_over(self, caller: Caller, fd: int) -> bool:
        try:
            answer(caller.fd, hello(), fd)
        finally:
            os.close(fd)
        return False

    def _open(self, caller: Caller, flags: int, plug: DevicePlug, thread: int) -> bool:
        self.host.closes.settle()
        who = caller.pid, thread
        try:
            opened = plug.open(flags, caller.pid)
        except OSError as problem:
            self.host.opened(plug, flags, 0, problem.errno or errno.EIO, who)
            return self._refuse(caller, problem.errno or errno.EIO)
        except (Exception, SystemExit) as exception:
            self.host.failed(plug.device, "open", exception, "the program gets EIO")
            self.host.opened(plug, flags, 0, errno.EIO, who)
            return self._refuse(caller, errno.EIO)
        if opened is WAIT:
            if flags & os.O_NONBLOCK:
                self.host.opened(plug, flags, 0, errno.EAGAIN, who)
                return self._refuse(caller, errno.EAGAIN)
            self._waiting.setdefault(plug, []).append((caller, flags, thread))
            answer(caller.fd, hello(flags=wire.ANSWER_WAIT))
            return True
        fd, number, index = opened
        self.host.opened(plug, flags, number, 0, who)
        try:
            answer(caller.fd, wire.HELLO_ANSWER.pack(wire.WIRE_MAGIC, 0, 0, number, index, plug.flags), fd)
        finally:
            os.close(fd)
        return False

    def _open_path(self, caller: Caller, request: Request, path: bytes) -> bool:
        who = caller.pid, request.thread or caller.pid
        openings = self.host.openings
        opened = openings.ask(path, request.flags, request.mode, who) if openings is not None else None
        if opened is None:
            answer(caller.fd, hello(errno.EAGAIN, wire.ANSWER_REAL))
            return False
        if opened.error:
            return self._refuse(caller, opened.error)
        return self._hand_over(caller, opened.descriptor)

    def retry(self, plug: DevicePlug) -> None:
        """Ask the model again about opens that wait."""
        for caller, flags, thread in self._waiting.pop(plug, []):
            keep = False
            try:
                if not caller.gone():
                    keep = (
                        self._open(caller, flags, plug, thread) if plug.plugged else self._refuse(caller, errno.ENODEV)
                    )
            finally:
                if not keep:
                    os.close(caller.fd)

    def _refuse(self, caller: Caller, error: int) -> bool:
        answer(caller.fd, hello(error))
        return False

    # ---- Who may ask

    def expect(self, pid: int) -> None:
        """Take the run's program in before it asks: its children are known by it, also where the waiter has died."""
        if pid not in self._trusted:
            self._take_in(pid)

    def _trust(self, pid: int) -> bool:
        """Take a process in, until it dies, if it comes from the run's program."""
        if self.root is None or descends(pid, {self.root, *self._trusted}):
            return self._take_in(pid)
        self.hear()  # of a program that was started just before the waiter died
        return descends(pid, set(self._trusted)) and self._take_in(pid)

    def _take_in(self, pid: int) -> bool:
        try:
            process = Process(pid, raised(os.pidfd_open(pid)))
        except ProcessLookupError:
            return False
        self._trusted[pid] = process
        self.host.loop.watch(process.pidfd, select.EPOLLIN, lambda events: self._died(process))
        return True

    def _died(self, process: Process) -> None:
        self.host.loop.unwatch(process.pidfd)
        os.close(process.pidfd)
        del self._trusted[process.pid]
        self._look_whether_alone()
        for index in process.channels:
            self.host.channel.remove(index)
        self.host.callers.died(process.pid)
        self.host.process_died(process.pid)

    def settle(self) -> None:
        """Handle all deaths that have happened."""
        poller = select.poll()
        ends = {process.pidfd: process for process in self._trusted.values()}
        for pidfd in ends:
            poller.register(pidfd, select.POLLIN)
        for pidfd, _ in poller.poll(0):
            self._died(ends[pidfd])

    def when_alone(self, callback: Callable[[], object]) -> None:
        """Call back once no process that used the run is left."""
        self._alone = callback
        self._look_whether_alone()

    def _look_whether_alone(self) -> None:
        if self._alone is not None and not self._trusted:
            self._alone()

    def close(self) -> None:
        """Answer no more."""
        if self.listener >= 0:
            self.host.loop.unwatch(self.listener)
            os.close(self.listener)
            self.listener = -1

    def release(self) -> None:
        """Give back all descriptors; the loop has ended."""
        self.close()
        for waiting in self._waiting.values():
            for caller, *_ in waiting:
                os.close(caller.fd)
        for process in self._trusted.values():
            os.close(process.pidfd)
        self._waiting.clear()
        self._trusted.clear()
        os.close(self.bell)
        if self._spare >= 0:
            os.close(self._spare)


def spare() -> int:
    """A descriptor to give up where there is no other left, so that one caller at a time can be told so."""
    return raised(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))


def descends(pid: int, roots: set[int]) -> bool:
    """Whether a process is one of roots or comes from one; the waiter is a root, and the reaper of orphans."""
    at, generations = pid, 0
    while at not in roots:
        parent = parent_of(at)
        generations += 1
        if parent == 0 or generations > MOST_GENERATIONS or (parent is None and at == pid):
            return False
        # A parent that died under our eyes has left its children to another: look again from the beginning.
        at = pid if parent is None else parent
    return True


def parent_of(pid: int) -> int | None:
    """A process's parent, or None where there is no such process (proc(5), /proc/pid/stat)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
