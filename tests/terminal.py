"""A terminal with a small shell on it: starts one job as an interactive shell does, and says when it stops or ends."""

import os
import pty
import select
import signal
import termios
import time
from collections.abc import Mapping, Sequence
from typing import NoReturn, Self

STOPPED, ENDED = "stopped", "ended"


class Terminal:
    """The user's side: keys are typed with press(), the job's output read with expect(), its fate with state()."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], timeout: float = 60) -> None:
        self.deadline = time.monotonic() + timeout
        self.screen = b""
        self.states, states = os.pipe()
        orders, self.orders = os.pipe()
        self.shell, self.master = pty.fork()
        if self.shell == 0:
            shell(command, env, states, orders)
        os.close(states)
        os.close(orders)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End whatever is left: the session's leader first, then what hangs on the terminal."""
        os.kill(self.shell, signal.SIGKILL)
        os.waitpid(self.shell, 0)
        for descriptor in (self.master, self.states, self.orders):
            os.close(descriptor)

    def press(self, keys: str) -> None:
        """Type keys; "\\x03" is Ctrl-C, "\\x1a" Ctrl-Z."""
        os.write(self.master, keys.encode())

    def expect(self, text: str) -> str:
        """Read until the text has appeared, and return all that is on the screen; TimeoutError where it does not."""
        while text.encode() not in self.screen:
            self.screen += self.read(self.master, f"{text!r} on a screen with {self.screen!r}")
        return self.screen.decode()

    def state(self) -> tuple[str, int]:
        """Wait for the job to stop or end; return which, with the signal or the exit code."""
        word, number = self.read(self.states, "a change of the job's state", 16).split()
        return word.decode(), int(number)

    def resize(self, rows: int, columns: int) -> None:
        """Change the window's size."""
        termios.tcsetwinsize(self.master, (rows, columns))

    def foreground(self) -> None:
        """What `fg` does: give the terminal to the stopped job and continue it."""
        os.write(self.orders, b"f")

    def read(self, descriptor: int, what: str, size: int = 4096) -> bytes:
        """Read something, within the time that is left."""
        rest = self.deadline - time.monotonic()
        if rest <= 0 or not select.select([descriptor], [], [], rest)[0]:
            raise TimeoutError(f"waited for {what}")
        return os.read(descriptor, size)


def shell(command: Sequence[str], env: Mapping[str, str], states: int, orders: int) -> NoReturn:
    """Run the command as one job, in a process group that has the terminal, until it ends."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = termios.tcgetattr(0)
    settings[3] &= ~termios.ECHO
    termios.tcsetattr(0, termios.TCSANOW, settings)
    begin, begun = os.pipe()
    job = os.fork()
    if job == 0:
        os.close(begun)
        os.read(begin, 1)
        for number in (signal.SIGINT, signal.SIGTTOU):
            signal.signal(number, signal.SIG_DFL)
        os.execvpe(command[0], command, env)
    os.setpgid(job, job)
    os.tcsetpgrp(0, job)
    os.close(begun)
    while True:
        status = os.waitpid(job, os.WUNTRACED)[1]
        os.tcsetpgrp(0, os.getpgrp())
        if not os.WIFSTOPPED(status):
            os.write(states, f"{ENDED} {os.waitstatus_to_exitcode(status)}".ljust(16).encode())
            os.read(orders, 1)
            os._exit(0)
        os.write(states, f"{STOPPED} {os.WSTOPSIG(status)}".ljust(16).encode())
        os.read(orders, 1)
        os.tcsetpgrp(0, job)
        os.killpg(job, signal.SIGCONT)
