"""The run's socket: targets come here for their channel, to open devices, and for descriptors promised to them.

One request, one answer, one connection.  Who comes must know the run's directory, whose name cannot be guessed, and
must descend from the run's program (docs: ARCHITECTURE.md, access).
"""

from __future__ import annotations

import errno
import os
import select

from devshim.host import wire
from devshim.host._channel import accept, answer, listen, memory_file, raised
from devshim.host.asker import Asker
from devshim.host.descent import descends, parent_of
from devshim.model.device import WAIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from devshim.host.host import Host
    from devshim.host.plugs import DevicePlug

REQUEST_SIZE = wire.HELLO_REQUEST.size
MOST = REQUEST_SIZE + wire.HELLO_PATH
PATIENCE = 0.02  # seconds, where the host has no descriptor left
MOST_PATIENCE = 50  # times that it waits for one before it refuses who waits


class Request:
    """What somebody asks for: struct hello_request of shim/wire.h."""

    def __init__(self, message: bytes) -> None:
        (
            self.magic, self.version, self.what, _, self.flags, self.mode, self.ticket, self.length, self.thread,
            self.inode, self.channel,
        ) = wire.HELLO_REQUEST.unpack_from(message)  # fmt: skip


def hello(error: int = 0, flags: int = 0) -> bytes:
    """An answer that hands over no file."""
    return wire.HELLO_ANSWER.pack(wire.WIRE_MAGIC, error, flags, 0, 0, 0, 0)


class Process:
    """One process of the run; each image that it executes takes a channel of its own."""

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid = pid
        self.pidfd = pidfd
        self.channels: list[int] = []


class Bootstrap:
    """Answers on the sockets in a run's directory; root is the process from which all targets must descend (None: any).

    At the quiet one nobody is waited for: who asks there has a channel, and says so over it, which is sooner noticed.
    """

    def __init__(self, host: Host, run: str, root: int | None) -> None:
        self.host = host
        self.root = root
        self.hear: Callable[[], object] = lambda: None  # takes in what the waiter has to say
        self._trusted: dict[int, Process] = {}  # by process id; until a process dies its id is its own
        self._waiting: dict[DevicePlug, list[tuple[Asker, int, int]]] = {}
        self._alone: Callable[[], object] | None = None
        self._spare = spare()
        self._lacks = False  # has no descriptor for who asks, and waits for one
        self._waits_for_descriptor = 0  # how often it has waited
        self.bell = memory_file("devshim-bell", wire.BELL_SIZE)
        self.listener = listen(os.fsencode(os.path.join(run, "socket")))  # -1 once they are closed
        self.quiet = listen(os.fsencode(os.path.join(run, "quiet")))
        self._device = os.fstat(self.listener).st_dev  # of all sockets
        self._user = os.geteuid()

    def start(self) -> None:
        """Begin to answer."""
        if self.listener < 0:
            return
        self.host.loop.watch(self.listener, select.EPOLLIN, lambda events: self._accept(self.listener))

    def look(self) -> None:
        """Answer who asks at the quiet socket."""
        if self.quiet >= 0 and not self._lacks:
            self._accept(self.quiet)

    def _accept(self, listener: int) -> None:
        while True:
            try:
                accepted = accept(listener, MOST)
            except OSError as problem:
                self._lack_descriptor(problem)
                return
            if accepted is None:
                return
            self._waits_for_descriptor = 0
            asker = Asker(*accepted[:4])
            if accepted[4]:
                self._answer(asker, accepted[4])
            else:  # it has connected, and not asked yet
                self._await(asker)

    def _await(self, asker: Asker) -> None:
        self.host.loop.watch(asker.fd, select.EPOLLIN, lambda events: self._read(asker))

    def _lack_descriptor(self, problem: OSError) -> None:
        """Nobody can be let in: wait for a descriptor, but not for ever, or all might wait for each other."""
        self._waits_for_descriptor += 1
        if self._waits_for_descriptor < MOST_PATIENCE or self._spare < 0:
            self._lacks = True
            self.host.loop.unwatch(self.listener)
            self.host.loop.after_real(PATIENCE, self._try_again)
            return
        self._waits_for_descriptor = 0
        self.host.lacks(problem)
        os.close(self._spare)
        self._spare = -1
        try:
            for listener in (self.listener, self.quiet):
                while (accepted := accept(listener, MOST)) is not None:
                    asker = Asker(*accepted[:4])
                    self._refuse(asker, errno.EMFILE)
                    os.close(asker.fd)
            self._spare = spare()
        except OSError:
            return  # a model took the spare one meanwhile: then they wait on

    def _try_again(self) -> None:
        self._lacks = False
        self.start()
        self.look()

    def _read(self, asker: Asker) -> None:
        self.host.loop.unwatch(asker.fd)
        try:
            message = os.read(asker.fd, MOST)
        except ConnectionResetError:
            message = b""
        self._answer(asker, message)

    def _answer(self, asker: Asker, message: bytes) -> None:
        """Answer a request, and close the connection unless the answer is to come later."""
        keep = False
        try:
            keep = len(message) >= REQUEST_SIZE and self._handle(asker, message)
        except OSError as problem:  # no descriptor, memory or process number left
            self._refuse(asker, problem.errno or errno.EIO)
        finally:
            if not keep and not asker.is_carrier:
                os.close(asker.fd)

    def _handle(self, asker: Asker, message: bytes) -> bool:
        """Answer; True where the connection is kept because the answer has to wait."""
        request = Request(message)
        if request.magic != wire.WIRE_MAGIC or request.version != wire.WIRE_VERSION:
            return self._refuse(asker, errno.EPROTO)
        if asker.pid not in self._trusted and not self._trust(asker.pid):
            if parent_of(asker.pid) is not None:  # else it was killed while it asked
                text = f"process {asker.pid} asked for a device of this run but does not belong to it; refused"
                self.host.message(text)
            return self._refuse(asker, errno.EACCES)
        if request.what == wire.HELLO_OPEN:
            path = os.fsdecode(message[REQUEST_SIZE : REQUEST_SIZE + request.length])
            plug = self.host.plug_at(path)
            if plug is None:
                return self._refuse(asker, errno.ENODEV)
            if asker.uid and not plug.may_open(request.flags, asker.uid, asker.gid, asker.groups):
                return self._refuse(asker, errno.EACCES)
            if asker.uid == self._user and not self.host.registry.has_carrier(self._device, request.inode):
                asker.identity = self._device, request.inode  # believed: it could as well look into our memory
                asker.wants_channel = request.channel == 1
            return self._open(asker, request.flags, plug, request.thread or asker.pid)
        if request.what == wire.HELLO_OPENING:
            return self._open_path(asker, request, message[REQUEST_SIZE : REQUEST_SIZE + request.length])
        if request.what == wire.HELLO_CHANNEL:
            return self._join(asker, request.flags)
        if request.what == wire.HELLO_TICKET:
            return self._redeem(asker, request.ticket)
        if request.what == wire.HELLO_MONITOR:
            return self._hand_over(asker, self.host.picture.uevents.monitor())
        if request.what == wire.HELLO_PICTURE:
            self.host.picture.settle()
            return self._hand_over(asker, os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        return self._refuse(asker, errno.EINVAL)

    # ---- The three requests

    def _join(self, asker: Asker, flags: int) -> bool:
        pid = asker.pid
        if flags & wire.HELLO_FOR_PARENT:  # the channel lives as long as the memory that it is mapped into
            pid = parent_of(pid) or pid
            if pid not in self._trusted and not self._trust(pid):
                return self._refuse(asker, errno.EACCES)
        memfd = self._channel(pid)
        try:
            answer(asker.fd, hello(), memfd, self.bell)
        finally:
            os.close(memfd)
        return False

    def _channel(self, pid: int) -> int:
        """A new channel for a process; the caller hands it over and closes it.  Raises OSError."""
        memfd = memory_file("devshim-channel", wire.CHANNEL_SIZE)
        try:
            channel = self.host.channel.add(memfd)
        except OSError:
            os.close(memfd)
            raise
        self._trusted[pid].channels.append(channel)
        self.host.callers.joined(channel, pid)
        self.host.promises.joined(channel)
        return memfd

    def _redeem(self, asker: Asker, ticket: int) -> bool:
        promised = self.host.promises.redeem(ticket)
        return self._hand_over(asker, promised if promised is not None else self.host.waits.descriptor(ticket))

    def _hand_over(self, asker: Asker, fd: int) -> bool:
        try:
            answer(asker.fd, hello(), fd)
        finally:
            os.close(fd)
        return False

    def _open(self, asker: Asker, flags: int, plug: DevicePlug, thread: int) -> bool:
        self.host.closes.settle()
        if not plug.plugged:  # a close has unplugged it
            return self._refuse(asker, errno.ENODEV)
        who = asker.pid, thread
        try:
            opened = plug.open(flags, asker.pid, asker)
        except OSError as problem:
            self.host.opened(plug, flags, 0, problem.errno or errno.EIO, who)
            return self._refuse(asker, problem.errno or errno.EIO)
        except (Exception, SystemExit) as exception:
            self.host.failed(plug.device, "open", exception, "the program gets EIO")
            self.host.opened(plug, flags, 0, errno.EIO, who)
            return self._refuse(asker, errno.EIO)
        if opened is WAIT:
            if flags & os.O_NONBLOCK:
                self.host.opened(plug, flags, 0, errno.EAGAIN, who)
                return self._refuse(asker, errno.EAGAIN)
            self._waiting.setdefault(plug, []).append((asker, flags, thread))
            answer(asker.fd, hello(flags=wire.ANSWER_WAIT))
            return True
        fd, number, index = opened
        if asker.is_carrier:
            self._answer_carrier(asker, number, index, plug)
            self.host.opened(plug, flags, number, 0, who)  # only now, or an observer's unplug() would speak first
            return True
        self.host.opened(plug, flags, number, 0, who)
        try:
            answer(asker.fd, wire.HELLO_ANSWER.pack(wire.WIRE_MAGIC, 0, 0, number, index, plug.flags, 0), fd)
        finally:
            os.close(fd)
        return False

    def _answer_carrier(self, asker: Asker, number: int, index: int, plug: DevicePlug) -> None:
        """The connection is the carrier; a channel goes along where there is one."""
        try:
            memfd = self._channel(asker.pid) if asker.wants_channel and asker.pid in self._trusted else -1
        except OSError:
            memfd = -1  # it will ask for one by itself, and be told why not
        if memfd < 0:
            answer(asker.fd, asker.answered(number, index, plug.flags))
            return
        asker.flags |= wire.ANSWER_CHANNEL
        try:
            answer(asker.fd, asker.answered(number, index, plug.flags), memfd, self.bell)
        except OSError:  # too many descriptors on their way
            asker.flags &= ~wire.ANSWER_CHANNEL
            answer(asker.fd, asker.answered(number, index, plug.flags))
        finally:
            os.close(memfd)

    def _open_path(self, asker: Asker, request: Request, path: bytes) -> bool:
        who = asker.pid, request.thread or asker.pid
        openings = self.host.openings
        opened = openings.ask(path, request.flags, request.mode, who) if openings is not None else None
        if opened is None:
            answer(asker.fd, hello(errno.EAGAIN, wire.ANSWER_REAL))
            return False
        if opened.error:
            return self._refuse(asker, opened.error)
        return self._hand_over(asker, opened.descriptor)

    def retry(self, plug: DevicePlug) -> None:
        """Ask the model again about opens that wait."""
        for asker, flags, thread in self._waiting.pop(plug, []):
            keep = False
            try:
                if not asker.gone():
                    keep = self._open(asker, flags, plug, thread)
            except OSError as problem:  # the kernel did not take the answer; those behind it have their turn
                self.host.failed(plug.device, "open", problem, "the program gets ENODEV")
            finally:
                if not keep and not asker.is_carrier:
                    os.close(asker.fd)

    def _refuse(self, asker: Asker, error: int) -> bool:
        answer(asker.fd, hello(error))
        return False

    # ---- Who may ask

    def expect(self, pid: int) -> None:
        """Take the run's program in before it asks: its children are known by it, also where the waiter has died."""
        if pid not in self._trusted:
            self._take_in(pid)

    def _trust(self, pid: int) -> bool:
        """Take a process in, until it dies, if it comes from the run's program."""
        own = os.getpid()  # a program that brought its host in may have outlived the waiter, which is the root
        if self.root is None or descends(pid, {self.root, own, *self._trusted}):
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
            self.host.promises.left(index)
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
            os.close(self.quiet)
            self.listener = self.quiet = -1

    def release(self) -> None:
        """Give back all descriptors; the loop has ended."""
        self.close()
        for waiting in self._waiting.values():
            for asker, *_ in waiting:
                os.close(asker.fd)
        for process in self._trusted.values():
            os.close(process.pidfd)
        self._waiting.clear()
        self._trusted.clear()
        os.close(self.bell)
        if self._spare >= 0:
            os.close(self._spare)


def spare() -> int:
    """A descriptor to give up where there is no other left, so that one asker at a time can be told so."""
    return raised(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
