"""The host as a child of the waiter: forks it, hears what it says, tells it that the program has ended.

    waiter  --control-->  host      "started PID\\n" for the program, "ended\\n" when the run is over; "stops\\n" and
                                    "continues\\n" of itself; end of file when the waiter has died
    waiter  <--status---  host      "ready\\n", or "error CODE\\n"; at the end "done FAILURES\\n", and before it
                                    "unused\\n" where no device was opened

What the user shall read the host writes to stderr itself.
"""

from __future__ import annotations

import gc
import os
import sys

from devshim.rundirectory import lock_of, remove_run_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Callable, Iterable
    from typing import NoReturn

    from devshim.cli.options import Options
else:
    import _signal  # see target.py

FAILED = 125


class HostProcess:
    """A running host, seen from the waiter."""

    def __init__(self) -> None:
        self.pid = 0
        """Its process; 0 before begin()."""
        self.ready = False
        """All is plugged."""
        self.refused: int | None = None
        """It could not plug what was asked for, and said why; the exit code that this gives."""
        self.unused = False
        """No device was opened, though some were plugged."""
        self.failures: int | None = None
        """How often a model failed or a node was refused; None until it has finished."""
        self.ended: int | None = None
        """Its wait status; None while it lives."""
        self.heard = b""
        self.status = self.control = -1

    def begin(self, run_directory: str, options: Options, mask: Iterable[int], report: bool) -> None:
        """Fork it.  mask: the signal mask that it shall have; report: send us SIGIO whenever it says something."""
        self.status, status = os.pipe()
        control, self.control = os.pipe()
        os.set_blocking(self.status, False)
        if report:
            signal_when_readable(self.status)
        self.pid = os.fork()
        if self.pid == 0:
            be_host(run_directory, options, mask, status, control)
        os.close(status)
        os.close(control)

    def listen(self) -> None:
        """Take in what it has said so far."""
        try:
            while chunk := os.read(self.status, 4096):
                self.heard += chunk
        except BlockingIOError:
            pass  # that was all for now
        *lines, self.heard = self.heard.split(b"\n")
        for line in lines:
            word, _, number = line.partition(b" ")
            if word == b"ready":
                self.ready = True
            elif word == b"error":
                self.refused = int(number or FAILED)
            elif word == b"unused":
                self.unused = True
            elif word == b"done":
                self.failures = int(number)

    def started(self, program: int) -> None:
        """Tell it which process the program is, so that the program keeps its devices when the waiter is killed."""
        self._tell(b"started %d\n" % program)

    def tell_of_stop(self, stop: Callable[[int], object], number: int) -> None:
        """Stop by that function, for a signal, and let it continue us where only the program is continued."""
        self._tell(b"stops\n")
        stop(number)
        self._tell(b"continues\n")

    def end(self) -> None:
        """Tell it that the run is over: it writes what it has to say, says "done", and exits."""
        self._tell(b"ended\n")

    def _tell(self, line: bytes) -> None:
        try:
            os.write(self.control, line)
        except BrokenPipeError:
            return  # it has died, and the waiter will be told so by SIGCHLD

    def lost(self) -> bool:
        """Tell whether it died without having finished; for the waiter, after listen()."""
        return self.ended is not None and self.failures is None and self.refused is None

    def kill(self) -> None:
        """End it now, if it lives, and wait until it can touch nothing any more."""
        if self.pid and self.ended is None:
            os.kill(self.pid, _signal.SIGKILL)
            self.ended = os.waitpid(self.pid, 0)[1]


def signal_when_readable(descriptor: int) -> None:
    """Have SIGIO sent to this process whenever there is something to read, so that it can wait for signals alone."""
    import fcntl

    fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_ASYNC)


def be_host(run_directory: str, options: Options, mask: Iterable[int], status: int, control: int) -> NoReturn:
    """In the forked child: leave the terminal and the program's streams alone, then serve until the run is over."""
    code = FAILED
    try:
        os.setsid()
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # Python's own handler would show a traceback
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
        keep_only(status, control, lock_of(run_directory))
        gc.disable()  # what is imported now stays
        from devshim.host.main import serve

        gc.enable()

        serve(run_directory, options, status, control)
        code = 0
    except BaseException as error:
        code = give_up(error, status)
    finally:
        remove_run_directory(run_directory, quietly=True)  # before the waiter, which may be killed at any moment
        os._exit(code)


def keep_only(*descriptors: int) -> None:
    """Close every descriptor but stderr and these; what a model prints goes to stderr, it reads nothing.

    A pipe that the program closes must end for its reader although the host lives on.
    """
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0, inheritable=True)
    os.dup2(2, 1, inheritable=True)
    sys.stdout = sys.stderr  # written line by line, and so not lost when this process exits at once
    first = 3
    for descriptor in sorted(descriptors):
        os.closerange(first, descriptor)
        first = descriptor + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))


def give_up(error: BaseException, status: int) -> int:
    """Explain on stderr what ended the host, tell the waiter, and return the exit code."""
    from devshim.cli import explain

    if isinstance(error, Exception):
        code = explain(error)
    else:  # a model file that calls sys.exit() is as useless as one that does not compile
        code = explain(RuntimeError(f"{type(error).__name__}({error})"))
    try:
        os.write(status, b"error %d\n" % code)
    except BrokenPipeError:
        return code  # the waiter has gone
    return code
