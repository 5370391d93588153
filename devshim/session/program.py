"""A program that a session has started: its output so far, its end, and the end of all that it started."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devshim.host.loop import Loop
    from devshim.session.survivor import Survivor

PIPE_SIZE = 65536


class Program:
    """A running program in a process group of its own.

    Its output is taken in by the host's loop; changed() is called with the lock held for each piece, and at its end.
    Raises OSError where it cannot be started.
    """

    def __init__(
        self,
        loop: Loop,
        survivor: Survivor,
        changed: Callable[[], object],
        argv: Sequence[str],
        given: bytes | None,
        env: Mapping[str, str],
        cwd: str | os.PathLike[str] | None,
    ) -> None:
        self.args = list(argv)
        self._loop = loop
        self._survivor = survivor
        self._changed = changed
        leader, starting = None, survivor.starting(env["DEVSHIM_RUN"])
        try:
            self._process = subprocess.Popen(
                self.args,
                stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=env,
                cwd=cwd,
                process_group=0,  # no session: as a leader it would take the first tty that it opens for its own
                bufsize=0,
            )
            self.pid = leader = self._process.pid
        finally:
            survivor.begun(starting, leader)
        self._code: int | None = None
        self._over = threading.Event()
        self._closed = False
        self._left = memoryview(given or b"")
        self._output = {"stdout": bytearray(), "stderr": bytearray()}
        self._pidfd = os.pidfd_open(self.pid)
        with loop.lock:
            loop.watch(self._pidfd, select.EPOLLIN, self._ended)
            for name, pipe in (("stdout", self._process.stdout), ("stderr", self._process.stderr)):
                assert pipe is not None
                self._read_from(pipe.fileno(), name)
            if self._process.stdin is not None:
                os.set_blocking(self._process.stdin.fileno(), False)
                loop.watch(self._process.stdin.fileno(), select.EPOLLOUT, self._feed)

    # ---- What a test may ask

    @property
    def stdout(self) -> bytes:
        """What it has printed so far."""
        with self._loop.lock:
            return bytes(self._output["stdout"])

    @property
    def stderr(self) -> bytes:
        """What it has printed on stderr so far."""
        with self._loop.lock:
            return bytes(self._output["stderr"])

    @property
    def returncode(self) -> int | None:
        """Its exit code, -N where signal N ended it, None while it runs."""
        return self._code

    def poll(self) -> int | None:
        """The same."""
        return self._code

    def send_signal(self, number: int) -> None:
        """Send it a signal; harmless where it has ended."""
        if self._code is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def kill(self) -> None:
        """End it now, with all processes of its group."""
        if not self._closed:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = 60) -> int:
        """Wait for its end and return its exit code.  Raises subprocess.TimeoutExpired; the program goes on then."""
        if not self._over.wait(timeout):
            raise subprocess.TimeoutExpired(self.args, timeout or 0, self.stdout, self.stderr)
        assert self._code is not None
        return self._code

    def __repr__(self) -> str:
        return f"<Program {self.args[0]} {self.pid} {'runs' if self._code is None else self._code}>"

    # ---- The loop

    def _read_from(self, fd: int, name: str) -> None:
        os.set_blocking(fd, False)
        self._loop.watch(fd, select.EPOLLIN, lambda events: self._take(fd, name))

    def _take(self, fd: int, name: str) -> int:
        """Take what has come; returns how many bytes that was."""
        try:
            data = os.read(fd, PIPE_SIZE)
        except BlockingIOError:
            return 0
        if not data:
            self._loop.unwatch(fd)
            return 0
        self._output[name] += data
        self._changed()
        return len(data)

    def _feed(self, events: int) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        try:
            while self._left:
                self._left = self._left[os.write(pipe.fileno(), self._left[:PIPE_SIZE]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._left = memoryview(b"")  # it wants no more
        self._loop.unwatch(pipe.fileno())
        pipe.close()

    def _ended(self, events: int) -> None:
        """It is a zombie: its group's number is its own until close()."""
        self._loop.unwatch(self._pidfd)
        ended = os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        self._code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        for name, pipe in (("stdout", self._process.stdout), ("stderr", self._process.stderr)):
            assert pipe is not None
            left = unread(pipe.fileno())  # no more: what it has started may write for ever
            while left > 0 and (taken := self._take(pipe.fileno(), name)):
                left -= taken
        self._over.set()
        self._changed()

    # ---- The end

    def close(self, spare_others: bool = False) -> bool:
        """Kill its whole group and give everything back.

        spare_others: what it has left running goes on.  Returns whether its group is empty now.
        """
        if self._closed:
            return True
        if not spare_others or self._code is None:
            self.kill()
        self._over.wait()
        self._closed = True
        with self._loop.lock:
            self.abandon()
        self._survivor.leader_ends(self.pid, others=spare_others)
        self._process.wait()
        try:
            os.killpg(self.pid, 0)
        except (ProcessLookupError, PermissionError):
            return True
        return not spare_others

    def abandon(self) -> None:
        """Give back the descriptors; all that a forked child may do."""
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None and not pipe.closed:
                if not self._loop.closed:
                    self._loop.unwatch(pipe.fileno())
                pipe.close()
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1


def unread(pipe: int) -> int:
    """How many bytes lie in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def kill_leftovers(group: int) -> None:
    """Kill a process group whose leader has ended and was waited for; its number is its own while it has members."""
    if not os.path.exists(f"/proc/{group}"):  # else it is somebody else's by now
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
