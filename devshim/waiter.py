"""Waits for the program in the user's process group, as a shell waits for its jobs.

All signals are blocked and taken one by one with sigwaitinfo(2): no handler ever runs, so Ctrl-C cannot break in
anywhere, and each signal says who sent it.  A key such as Ctrl-C reaches the whole process group, the program
included, and is left to it; a signal that somebody sent to the waiter's process id is passed on.  One that was sent
with kill(2) to the whole group looks the same, so the program may get that twice.
"""

from __future__ import annotations

import os
import time

from devshim.target import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal

    from devshim.hostprocess import HostProcess
else:
    import _signal  # see target.py

SI_KERNEL = 0x80
"""si_code of a signal that the kernel sent on its own, such as a terminal's; asm-generic/siginfo.h."""

FAULTS = {_signal.SIGSEGV, _signal.SIGBUS, _signal.SIGFPE, _signal.SIGILL, _signal.SIGTRAP, _signal.SIGSYS}
SIGNALS = frozenset(_signal.valid_signals()) - FAULTS
"""What the waiter takes in; a fault of its own must kill it."""

OWN = {_signal.SIGPIPE, _signal.SIGXFSZ}
"""What the kernel also sends for a write of ours, to a host that has died: held back as we hold it, it would stay."""

ENDING = {_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP, _signal.SIGQUIT}
STOPPING = {_signal.SIGTSTP, _signal.SIGTTIN, _signal.SIGTTOU}
TIMERS = {_signal.SIGALRM, _signal.SIGVTALRM, _signal.SIGPROF}
"""A timer survives an exec, so it was set for the program (perl -e 'alarm 5; exec @ARGV')."""

FOREVER = 1e6
"""Seconds from which on no clock is set."""

GRACE = 10.0
"""Seconds that the host has to finish when the run is over."""

SETTLING = 2.0
"""Seconds that what answered for the programs may take to end after the last of them."""

RECORDER_GRACE = 300.0
"""The same where it has still to write what the programs left to be recorded, which may be much."""


class Interrupted(Exception):
    """The user ended the command where no program could take the signal; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Waiter:
    """Waits for the host, the program, and what the program left behind."""

    def __init__(self, host: HostProcess) -> None:
        self.host = host
        self.program = 0
        """Process id; 0 before it has started."""
        self.status: int | None = None
        """The program's wait status, once it has ended."""
        self.stopped = False
        self._early: list[int] = []  # signals that came before the program, and are kept for it
        self.host_loss_told = False
        self.run_directory = ""
        self.supervisor_lost = False
        """What answered the program's calls in the place of a shim was killed (engine `seccomp`)."""

    # ---- What is waited for ----------------------------------------------------------------------------

    def until_plugged(self) -> bool:
        """Wait until the host is ready; False where it could not plug what was asked for and said why.

        Raises Interrupted when the user ends the command meanwhile.
        """
        while not self.host.ready and self.host.refused is None and self.host.ended is None:
            self.take_signal()
        return self.host.ready

    def until_program_ended(self) -> int:
        """Wait for the program; return its exit code, or 128 and the number of the signal that killed it."""
        while self.status is None:
            self.take_signal()
        code = os.waitstatus_to_exitcode(self.status)
        return code if code >= 0 else 128 - code

    def until_alone(self, linger: float) -> None:
        """Wait for the other processes of the run, at most so many seconds; a signal to us ends the waiting."""
        deadline = time.monotonic() + linger
        try:
            while self.host.ended is None and (others := self.others()):
                rest = deadline - time.monotonic()
                if rest <= 0:
                    return self.tell_unplugged(others, linger)
                self.take_signal(rest)
        except Interrupted:
            return None
        return None

    def until_supervisors_ended(self) -> None:
        """Wait for what answered for programs that have all ended: it ends with the last of them, or was killed."""
        deadline = time.monotonic() + SETTLING
        try:
            while not self.others() and self.supervisors():
                rest = deadline - time.monotonic()
                if rest <= 0:
                    return
                self.take_signal(rest)
        except Interrupted:
            return

    def until_host_ended(self, grace: float = GRACE) -> None:
        """Wait for the host to finish; kill it if it does not, or when the user is tired of it."""
        deadline = time.monotonic() + grace
        try:
            while self.host.ended is None:
                rest = deadline - time.monotonic()
                if rest <= 0:
                    say(f"the host did not finish within {grace:g} s and was killed; is a model in an endless loop?")
                    break
                self.take_signal(rest)
        except Interrupted:
            say("interrupted; the host was killed before it had finished")
        self.host.kill()
        self.host.listen()

    # ---- Signals ---------------------------------------------------------------------------------------

    def take_signal(self, seconds: float | None = None) -> None:
        """Wait for one signal, at most so long, and do what it asks for; Interrupted where it asks us to end."""
        forever = seconds is None or seconds > FOREVER
        signal = _signal.sigwaitinfo(SIGNALS) if forever else _signal.sigtimedwait(SIGNALS, seconds or 0)
        if signal is None:
            return
        number = signal.si_signo
        if number == _signal.SIGCHLD:
            self.reap()
        elif number == _signal.SIGIO:
            self.host.listen()
        elif number in OWN and signal.si_pid == os.getpid():
            pass
        elif not self.program or self.status is not None:
            self.without_program(number)
        elif number == _signal.SIGCONT:
            self.let_continue()
        elif self.is_for_program(signal):
            self.pass_on(number)

    def without_program(self, number: int) -> None:
        """Take a signal as any program would, while there is no program to take it, or keep it for the program."""
        if number in ENDING:
            raise Interrupted(number)
        if number in STOPPING:
            stop(number)
        elif number != _signal.SIGCONT and self.status is None:
            self._early.append(number)

    def started(self, program: int) -> None:
        """The program is there: pass on what came too early for it."""
        self.program = program
        for number in self._early:
            self.pass_on(number)

    def raise_pending(self) -> None:
        """Take what came before the program was there to get it."""
        while ENDING & _signal.sigpending():
            self.take_signal()

    def is_for_program(self, signal: _signal.struct_siginfo) -> bool:
        """Tell whether a signal came to us alone and shall be passed on."""
        if signal.si_signo in TIMERS:
            return True
        if signal.si_code == SI_KERNEL:
            # A terminal's keys reach the whole group; its hang-up reaches the leader of the session only.
            return signal.si_signo == _signal.SIGHUP and os.getsid(0) == os.getpid()
        from devshim.processes import descends

        # A program that signals its own group, or its parent, does not mean itself a second time.
        return not descends(signal.si_pid)

    def pass_on(self, number: int) -> None:
        """Send the program a signal that was sent to us."""
        try:
            os.kill(self.program, number)
        except PermissionError:
            say(f"may not pass signal {number} on: process {self.program} runs as another user")

    def reap(self) -> None:
        """Take in what became of our children: the program, the host, and orphans of the run."""
        while child := next_child():
            pid, status = child
            over = not os.WIFSTOPPED(status) and not os.WIFCONTINUED(status)
            if pid == self.host.pid and over:
                self.host.ended = status
                self.host.listen()
                self.tell_host_lost()
            elif pid == self.program and self.status is None:
                self.stopped = os.WIFSTOPPED(status)
                if over:
                    self.status = status
                elif self.stopped:
                    self.host.tell_of_stop(stop, os.WSTOPSIG(status))
            elif over and os.WIFSIGNALED(status):
                self.tell_supervisor_lost(pid, status)

    def let_continue(self) -> None:
        """Continue the program where only we were continued."""
        self.reap()
        if self.stopped and self.status is None:
            self.pass_on(_signal.SIGCONT)

    # ---- What the user is told -------------------------------------------------------------------------

    def tell_host_lost(self) -> None:
        """Say, once, that the host has died while programs needed it."""
        if self.host.lost() and self.program and not self.host_loss_told:
            self.host_loss_told = True
            say(f"the host was lost ({ending(self.host.ended or 0)}): all devices are unplugged")

    def tell_supervisor_lost(self, pid: int, status: int) -> None:
        """Say what has happened where the supervisor was killed while there were programs that needed it."""
        if self.is_supervisor(pid):
            self.supervisor_lost = True
            say(
                f"the supervisor was lost ({ending(status)}): the program's calls on files fail with ENOSYS from now on"
            )

    def tell_unplugged(self, others: list[int], linger: float) -> None:
        """Say that processes were left without devices."""
        from devshim.processes import name_of

        names = ", ".join(f"{name_of(pid)} ({pid})" for pid in others[:3]) + (", ..." if len(others) > 3 else "")
        say(
            f"{len(others)} process{'es' * (len(others) > 1)} of the run still alive {linger:g} s after the program "
            f"ended: {names}; devices are unplugged now (--linger SECONDS waits longer)"
        )

    def others(self) -> list[int]:
        """Processes of the run that are our children, orphans among them; their own children are not listed."""
        from devshim.processes import children

        self.reap()
        return [pid for pid in children() if pid != self.host.pid and not self.is_supervisor(pid)]

    def supervisors(self) -> list[int]:
        """Processes of ours that answer for programs."""
        from devshim.processes import children

        return [pid for pid in children() if self.is_supervisor(pid)]

    def is_supervisor(self, pid: int) -> bool:
        """Tell a process of ours that answers for programs, and ends when the last of them has ended."""
        return os.path.exists(f"{self.run_directory}/supervisor-{pid}")


def stop(number: int) -> None:
    """Stop this process as the program has stopped, so that the user's shell sees its job stopped.

    With a terminal's signal, never SIGSTOP: the kernel then stops us only where a shell is there to continue us.
    """
    if _signal.SIGCONT in _signal.sigpending():
        return  # to stop would throw that away; it is taken next, and continues the program
    number = number if number in STOPPING else _signal.SIGTSTP
    os.kill(os.getpid(), number)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, {number})  # we stop in here
    _signal.pthread_sigmask(_signal.SIG_BLOCK, {number})


def next_child() -> tuple[int, int] | None:
    """A child that changed its state, with its wait status; None where none has."""
    try:
        pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


def ending(status: int) -> str:
    """A wait status in words."""
    if os.WIFSIGNALED(status):
        full = "; is the file system of the run's directory full?" if os.WTERMSIG(status) == _signal.SIGBUS else ""
        return f"killed by signal {os.WTERMSIG(status)}{full}"
    return f"exit code {os.WEXITSTATUS(status)}"
