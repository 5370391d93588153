"""The run's socket: targets come here for their channel, to open devices, and for descriptors promised to them.

One request, one answer, one connection.  Who comes must know the run's directory, whose name cannot be guessed, and
must descend from the run's program (docs: ARCHITECTURE.md, access).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
from typing import TYPE_CHECKING

from devshim.host import wire
from devshim.host.wire import HelloAnswer, HelloRequest
from devshim.model.device import WAIT

if TYPE_CHECKING:
    from devshim.host.host import Host
    from devshim.host.plugs import DevicePlug

REQUEST_SIZE = ctypes.sizeof(HelloRequest)
F_ADD_SEALS, SEALS = 1033, 0x0001 | 0x0002 | 0x0004  # F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW
SO_PEERGROUPS = 59


class Process:
    """One program image of the run that has a channel."""

    def __init__(self, pid: int, index: int, pidfd: int) -> None:
        self.pid = pid
        self.index = index
        self.pidfd = pidfd
        self.promised: set[int] = set()


class Bootstrap:
    """Answers on the run's socket; root is the process from which all targets must descend (None: any)."""

    def __init__(self, host: Host, path: str, root: int | None) -> None:
        self.host = host
        self.root = root
        self.processes: dict[int, Process] = {}  # by channel index
        self._waiting: dict[DevicePlug, list[tuple[socket.socket, HelloRequest, int]]] = {}
        self._bell = os.memfd_create("devshim-bell", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self._bell, wire.BELL_SIZE)
        fcntl.fcntl(self._bell, F_ADD_SEALS, SEALS)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        self.listener.bind(path)
        os.chmod(path, 0o666)  # the directory is what keeps others out
        self.listener.listen(1024)

    @property
    def bell(self) -> int:
        """The bell's memfd."""
        return self._bell

    def start(self) -> None:
        """Begin to answer."""
        self.host.loop.watch(self.listener.fileno(), select.EPOLLIN, self._accept)

    def _accept(self, events: int) -> None:
        for _ in range(64):
            try:
                connection, _ = self.listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            connection.setblocking(False)
            if not self._read(connection):
                fd = connection.fileno()
                self.host.loop.watch(fd, select.EPOLLIN, lambda events, c=connection: self._read_late(c))

    def _read_late(self, connection: socket.socket) -> None:
        fd = connection.fileno()
        self.host.loop.unwatch(fd)
        if not self._read(connection):
            connection.close()

    def _read(self, connection: socket.socket) -> bool:
        """Read and answer a request; False where it has not come yet."""
        try:
            message = connection.recv(REQUEST_SIZE + wire.HELLO_PATH)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            connection.close()
            return True
        keep = False
        try:
            keep = self._answer(connection, message)
        finally:
            if not keep:
                connection.close()
        return True

    def _answer(self, connection: socket.socket, message: bytes) -> bool:
        if len(message) < REQUEST_SIZE:
            return False
        request = HelloRequest.from_buffer_copy(message)
        if request.magic != wire.WIRE_MAGIC or request.version != wire.WIRE_VERSION:
            return self._refuse(connection, errno.EPROTO)
        pid, uid, gid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if not self._descends(pid):
            self.host.message(f"process {pid} asked for a device of this run but does not belong to it; refused")
            return self._refuse(connection, errno.EACCES)
        if request.what == wire.HELLO_CHANNEL:
            return self._join(connection, request, pid)
        if request.what == wire.HELLO_TICKET:
            return self._redeem(connection, request)
        if request.what == wire.HELLO_OPEN:
            path = os.fsdecode(message[REQUEST_SIZE : REQUEST_SIZE + request.length])
            plug = self.host.plug_at(path)
            if plug is None:
                return self._refuse(connection, errno.ENODEV)
            groups = peer_groups(connection)
            if not plug.may_open(request.flags, uid, gid, groups):
                return self._refuse(connection, errno.EACCES)
            return self._open(connection, request, plug, pid)
        return self._refuse(connection, errno.EINVAL)

    # ---- The three requests

    def _join(self, connection: socket.socket, request: HelloRequest, pid: int) -> bool:
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            return False
        memfd = os.memfd_create("devshim-channel", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(memfd, wire.CHANNEL_SIZE)
            fcntl.fcntl(memfd, F_ADD_SEALS, SEALS)
            index = self.host.channel.add(memfd)
            process = Process(pid, index, pidfd)
            self.processes[index] = process
            self.host.loop.watch(pidfd, select.EPOLLIN, lambda events: self._died(process))
            self._send(connection, HelloAnswer(magic=wire.WIRE_MAGIC), [memfd, self._bell])
        finally:
            os.close(memfd)
        return False

    def _died(self, process: Process) -> None:
        self.host.loop.unwatch(process.pidfd)
        os.close(process.pidfd)
        del self.processes[process.index]
        self.host.channel.remove(process.index)
        self.host.process_died(process)

    def _redeem(self, connection: socket.socket, request: HelloRequest) -> bool:
        promised = self.host.promised.pop(request.ticket, None)
        fd = promised if promised is not None else self.host.waits.descriptor(request.ticket)
        try:
            self._send(connection, HelloAnswer(magic=wire.WIRE_MAGIC), [fd])
        finally:
            os.close(fd)
        return False

    def _open(self, connection: socket.socket, request: HelloRequest, plug: DevicePlug, pid: int) -> bool:
        """True where the open waits, and the connection with it."""
        plug.settle_closes()
        try:
            opened = plug.open(request.flags, pid)
        except OSError as problem:
            return self._refuse(connection, problem.errno or errno.EIO)
        except Exception as exception:
            self.host.failed(plug.device, "open", exception)
            return self._refuse(connection, errno.EIO)
        if opened is WAIT:
            if request.flags & os.O_NONBLOCK:
                return self._refuse(connection, errno.EAGAIN)
            self._waiting.setdefault(plug, []).append((connection, request, pid))
            self._send(connection, HelloAnswer(magic=wire.WIRE_MAGIC, flags=wire.ANSWER_WAIT), [])
            return True
        fd, number, index = opened
        answer = HelloAnswer(magic=wire.WIRE_MAGIC, file=number, device=index, device_flags=plug.flags)
        self.host.log_open(plug, request.flags, number)
        try:
            self._send(connection, answer, [fd])
        finally:
            os.close(fd)
        return False

    def retry(self, plug: DevicePlug) -> None:
        """Ask the model again about opens that wait."""
        for connection, request, pid in self._waiting.pop(plug, []):
            if gone(connection):
                connection.close()
            elif not plug.plugged:
                self._refuse(connection, errno.ENODEV)
                connection.close()
            elif not self._open(connection, request, plug, pid):
                connection.close()

    # ---- The connection

    def _refuse(self, connection: socket.socket, error: int) -> bool:
        self._send(connection, HelloAnswer(magic=wire.WIRE_MAGIC, error=error), [])
        return False

    def _send(self, connection: socket.socket, answer: HelloAnswer, fds: list[int]) -> None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack(f"{len(fds)}i", *fds))] if fds else []
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the asker died, or was interrupted
            connection.sendmsg([bytes(answer)], rights)

    def _descends(self, pid: int) -> bool:
        """Whether a process comes from the run's program; orphans do too, for the waiter is their reaper."""
        if self.root is None or any(process.pid == pid for process in self.processes.values()):
            return True
        for _ in range(64):
            if pid == self.root:
                return True
            parent = parent_of(pid)
            if parent is None or parent == 0:
                return False
            pid = parent
        return False

    def close(self) -> None:
        """Answer no more."""
        self.host.loop.unwatch(self.listener.fileno())
        self.listener.close()


def parent_of(pid: int) -> int | None:
    """A process's parent, or None where there is no such process (proc(5), /proc/pid/stat)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None


def peer_groups(connection: socket.socket) -> list[int]:
    """The supplementary groups of whoever is at the other end."""
    try:
        raw = connection.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, 4 * 1024)
    except OSError:
        return []
    return list(struct.unpack(f"{len(raw) // 4}I", raw))


def gone(connection: socket.socket) -> bool:
    """Whether the other end was closed."""
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
