"""Session: devices plugged from Python, and the programs that meet them; the host's threads run in this interpreter."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

from devshim import engine, spec, target
from devshim.errors import DevshimError, ModelError, SpecError
from devshim.host.host import Host
from devshim.host.lock import lock
from devshim.host.main import plug as plug_one
from devshim.model.device import Device
from devshim.model.part import Part
from devshim.session import stuck
from devshim.session.calls import SHOWN, Calls, Reaction, shown
from devshim.session.clock import SteppedClock
from devshim.session.declarations import Declarations
from devshim.session.failures import NotYet, ProgramFailed, ProgramTimedOut, Result, words
from devshim.session.program import Program, kill_leftovers
from devshim.session.replays import Replays
from devshim.session.serving import Serving
from devshim.trace.comparison import CallList

if TYPE_CHECKING:
    from devshim.host.plugs import DevicePlug
    from devshim.trace.event import Event
    from devshim.trace.record_asked import RecordAsked

Model = TypeVar("Model", bound=Device | Part)
Function = TypeVar("Function", bound=Callable[..., Any])
LOOK_AGAIN = 0.05  # seconds; for conditions that no call and no output makes true

_current: Session | None = None


@atexit.register  # once: atexit keeps a place for all that were ever registered
def _close_current() -> None:
    """Leave nothing behind where the process ends with a session open."""
    if _current is not None:
        _current.close()


class Session:
    """Plugs devices into this process and the programs that it starts.

    only_plugged: refuse other device nodes to the programs.  record: write a trace of real ones.  Nothing is started
    before the first device is plugged, or the first program run.  close() takes everything away; a session is also a
    context manager.
    """

    def __init__(self, only_plugged: bool = False, record: RecordAsked | None = None) -> None:
        self.lock = lock
        self.clock = SteppedClock(self._opened)
        self._only_plugged = only_plugged
        self._record = record
        self._calls = Calls()
        self._told = 0  # the newest call that the test has heard of: after() looks at those behind it
        self._serving: Serving | None = None
        self._over = False
        self._programs: list[Program] = []
        self._left: list[int] = []
        self._declared = Declarations(self._serves)
        self.replays = Replays()
        self.test_file = ""  # whose line is named where a node is refused
        #: What models raised that is no OSError, and what was refused; clear() it where a test wants just that.
        self.failures: list[str] = []
        self._pid = os.getpid()

    # ---- Devices

    @overload
    def plug(self, node: str, model: Model) -> Model: ...
    @overload
    def plug(self, node: str, model: str) -> Any: ...
    def plug(self, node: str, model: Device | Part | str) -> Any:
        """Plug a device at a node, and return the object given; a chip joins the bus there, or makes one.

        model: a Device, a part of one such as an I2cChip, or a spec such as "gps,latitude=52.5", of which the object
        is made.  Raises SpecError where it cannot be plugged.
        """
        node = spec.check_node(node, f"plug({node!r}, ...)")
        made: Any = spec.load(spec.parse(f"{node}={model}")) if isinstance(model, str) else model
        if isinstance(made, type) or not isinstance(made, (Device, Part)):
            hint = f"; did you mean {made.__name__}()?" if isinstance(made, type) else ""
            raise SpecError(f"plug({node!r}, {made!r}): that is no device{hint}")
        host = self._opened()
        with lock:
            there = host.plug_at(node)
            if isinstance(made, Device):
                plug_one(host, node, made)
                self.replays.plugged(made)
                return made
            try:
                device = made.plug_into(there.device if there is not None else None)
            except (TypeError, ValueError, OSError) as problem:
                raise SpecError(f"{node}: {problem}") from problem
            if there is None:
                plug_one(host, node, device)
        return made

    def unplug(self, what: str | Device | Part) -> None:
        """Take a device away, by its node or itself; of a part, the device that it belongs to.

        Programs see what a pulled cable gives.  Raises SpecError where nothing is plugged there.
        """
        node = what if isinstance(what, str) else what.node
        host = self._opened()
        with lock:
            there = host.plug_at(os.path.normpath(node)) if node is not None else None
            if there is None:
                raise SpecError(f"unplug({what!r}): nothing is plugged there")
            host.unplug(there)

    @overload
    def opening(self, *patterns: str) -> Callable[[Function], Function]: ...
    @overload
    def opening(self, pattern: str, function: Function, /) -> Function: ...
    def opening(self, *what: Any) -> Any:
        """Have a function asked about each path that matches, here and in programs, until the session ends.

        As @opening in a model file (devshim.opening): a decorator, or with the function behind the patterns.
        """
        return self._declared.opening(*what)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Have a model file's @opening and @hook functions obeyed, here and in programs started from now on.

        Hooked functions run inside of those programs, each with the file's variables to itself.  Raises SpecError.
        """
        self._declared.load(path)

    @property
    def devices(self) -> dict[str, Device]:
        """What was plugged and still is, by node, without what the kernel makes beside it, such as /dev/input/mice."""
        return {plug.node: plug.device for plug in self._plugs() if not plug.gives_way}

    def _plugs(self) -> list[DevicePlug]:
        """All nodes that there are, with their devices."""
        if self._serving is None or self._over:
            return []
        with lock:
            return list(self._serving.host.plugs())

    @property
    def calls(self) -> list[Event]:
        """The calls on devices so far, the oldest first; of very many, the last 100,000.

        Equal to other calls that say the same, and to a trace that does.
        """
        self._settle()
        with lock:
            return CallList(seen.event for seen in self._calls.seen)

    def _settle(self) -> None:
        """Let what has happened be among the calls: closes, and what is recorded."""
        if self._serving is not None and not self._over:
            if self._serving.recorder is not None and not lock.held():
                self._serving.recorder.settle()
            with lock:
                self._serving.host.settle_closes()

    def lines(self, most: int = SHOWN) -> list[str]:
        """The last calls in words."""
        self._settle()
        with lock:
            return self._calls.lines(most)

    # ---- Programs

    def run(
        self,
        *argv: str | os.PathLike[str],
        input: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        timeout: float | None = 60,
        check: bool = True,
    ) -> Result:
        """Run a program to its end; its standard input is `input`, or empty.

        env: its whole environment, to which what devshim needs is added; by default this process's.

        Raises ProgramFailed (a subprocess.CalledProcessError) where it fails and `check` is set, ProgramTimedOut
        (a subprocess.TimeoutExpired) where it was killed after `timeout` seconds, OSError where it cannot be started,
        Mismatch (an AssertionError) where a replayed trace does not have what the program did.
        """
        __tracebackhide__ = True
        before = self._calls.count
        program = self._start(argv, input, env, cwd)
        try:
            if not program._over.wait(timeout):
                raise self._timed_out(program, timeout or 0.0, before)
            result = self._result(program, before)
            self._told = self._calls.count
        finally:
            self._let_go(program, spare_others=program.returncode is not None)
        self._raise_pending()
        self.raise_mismatch()
        if check and result.returncode:
            raise ProgramFailed(result, self._lines_of(result))
        return result

    @contextlib.contextmanager
    def start(
        self,
        *argv: str | os.PathLike[str],
        input: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> Iterator[Program]:
        """Start a program; at the end of the `with` it is killed, with all processes of its group."""
        program = self._start(argv, input, env, cwd)
        try:
            yield program
        finally:
            self._let_go(program)

    def _start(
        self,
        argv: tuple[str | os.PathLike[str], ...],
        given: str | bytes | None,
        env: Mapping[str, str] | None,
        cwd: str | os.PathLike[str] | None,
    ) -> Program:
        host = self._opened()
        data = given.encode() if isinstance(given, str) else given
        assert self._serving is not None
        before = os.environ if env is None else env
        variables = target.target_environment(before, self._serving.directory, self._serving.shim)
        self._told = self._calls.count
        start = engine.start_here(words(argv), variables, cwd)
        program = Program(
            host.loop, self._serving.survivor, self._calls.look, start.program, data, start.environment, cwd
        )
        program.args = words(argv)
        self._programs.append(program)
        return program

    def _let_go(self, program: Program, spare_others: bool = False) -> None:
        if not program.close(spare_others):
            self._left.append(program.pid)
        self._programs.remove(program)

    def _result(self, program: Program, before: int) -> Result:
        self._settle()
        self.failures.extend(self._declared.failures(self._serves().directory))
        with lock:
            groups = self._opened().callers.groups
            others = {other.pid for other in self._programs if other is not program} | {os.getpgrp()}
            seen = (seen.event for seen in self._calls.since(before))
            calls = CallList(event for event in seen if groups.get(event.process) not in others)
        out, err = (data.decode(errors="backslashreplace") for data in (program.stdout, program.stderr))
        return Result(program.args, program.returncode or 0, out, err, calls)

    def raise_mismatch(self) -> None:
        """Raise Mismatch where a program, or this process, did what a replayed trace does not have next."""
        __tracebackhide__ = True
        with lock:
            mismatch = self.replays.take_mismatch(self.failures)
        if mismatch is not None:
            raise mismatch

    def _lines_of(self, result: Result) -> list[str]:
        numbers = {event.number for event in result.calls[-SHOWN:]}
        with lock:
            return [shown(seen) for seen in self._calls.seen if seen.event.number in numbers]

    def _timed_out(self, program: Program, timeout: float, before: int) -> ProgramTimedOut:
        waits = self.waiting(program)
        out, err = (data.decode(errors="backslashreplace") for data in (program.stdout, program.stderr))
        with lock:
            lines = [shown(seen) for seen in self._calls.since(before)][-SHOWN:]
        return ProgramTimedOut(program.args, timeout, (out, err), waits, lines)

    def waiting(self, program: Program) -> list[str]:
        """What the processes of a program wait for."""
        with lock:
            host = self._opened()
            carriers, unfinished = host.carriers(), self._calls.unfinished()
        return stuck.describe(program.pid, carriers, lambda pid: unfinished.get(host.callers.number(pid), []))

    # ---- Waiting

    def until(self, predicate: Callable[[], Any], timeout: float = 30) -> Any:
        """Wait until a predicate is true, and return its value.

        It is looked at after every call on a device and every output of a program, in the host's thread and under
        its lock, so that nothing which holds at such a moment is missed; and now and then besides.

        Raises NotYet (an AssertionError) after `timeout` seconds, and what the predicate raises.
        """
        __tracebackhide__ = True
        self._opened()
        with lock:
            watch = self._calls.watch(predicate)
        end = time.monotonic() + timeout
        try:
            while not watch.over.wait(max(0.0, min(LOOK_AGAIN, end - time.monotonic()))):
                with lock:
                    if watch.look() or time.monotonic() < end:
                        continue
                self.raise_mismatch()
                waits = [line for program in self._programs for line in self.waiting(program)]
                raise NotYet(timeout, waits, self.lines())
        finally:
            with lock:
                self._calls.forget(watch)
        if watch.error is not None:
            raise watch.error
        self._told = watch.count
        self._raise_pending()
        return watch.value

    def after(self, predicate: Callable[[Event], Any], action: Callable[[], object]) -> Reaction:
        """Act once, right after the first call for which predicate(call) is true; at once, in the host's thread.

        The call has been answered by its model then, and its answer is on its way to the program.  What programs have
        called since the last start(), run(), or since until() saw its predicate true, counts: a program that is
        quicker than its test is not missed.  Calls of this process count from now on.

        What predicate or action raises comes out of the session's next run(), until() or close().
        """
        host = self._opened()
        with lock:
            here = host.callers.number(os.getpid())
            past = [seen.event for seen in self._calls.since(self._told) if seen.event.process != here]
            return self._calls.react(predicate, action, past)

    def _raise_pending(self) -> None:
        with lock:
            error = self._calls.errors.pop(0) if self._calls.errors else None
        if error is not None:
            raise error

    # ---- Life

    def open(self) -> None:
        """Begin now, not with the first device: from here on nodes that are not plugged may be refused."""
        self._opened()

    def _opened(self) -> Host:
        """The host, which begins to serve when it is first needed."""
        return self._serves().host

    def _serves(self) -> Serving:
        global _current
        if self._pid != os.getpid():
            raise DevshimError("this session belongs to the parent process; here its devices are used, not plugged")
        if self._over:
            raise DevshimError("this session is closed")
        if self._serving is None:
            self._serving = Serving(self._calls, self._only_plugged, self._where, self._record)
            self._serving.abandoned = self._abandon
            self.failures = self._serving.host.failures
            _current = self
        return self._serving

    def _abandon(self) -> None:
        """In a forked child: give back the descriptors of programs."""
        for program in self._programs:
            program.abandon()

    def _where(self) -> str:
        """The line that the test is at, for messages: "test_fan.py:12"; "" where no test is known."""
        frame = sys._current_frames().get(threading.main_thread().ident or 0)
        while self.test_file and frame is not None:
            if frame.f_code.co_filename == self.test_file:
                return f"{os.path.relpath(self.test_file)}:{frame.f_lineno}"
            frame = frame.f_back
        return ""

    def close(self) -> None:
        """Kill what was started, unplug everything, leave nothing behind.

        Raises what an action of after() raised; nothing for models' failures, which `failures` holds.
        """
        global _current
        serving, self._over = self._serving, True
        if serving is None or self._pid != os.getpid() or _current is not self:
            return
        if lock.held():
            raise DevshimError("close() within `with devshim.lock`: the host's threads need it to end")
        try:
            for program in list(self._programs):
                self._let_go(program)
            for group in self._left:
                kill_leftovers(group)
            serving.host.failures += self._declared.failures(serving.directory)
            with lock:
                for text in self.replays.end():
                    serving.host.message(text)
                    serving.host.failures.append(text)
        finally:
            _current = None
            serving.stop()
        self._raise_pending()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def check(self) -> None:
        """Raise ModelError where a model failed, or a node was refused, since the session began."""
        if self.failures:
            raise ModelError("\n".join(self.failures))


def current() -> Session | None:
    """The session that is open in this process."""
    return _current
