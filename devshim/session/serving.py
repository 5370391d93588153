"""A host that serves from within this interpreter: its directory, its threads, and what it changes in the process."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from devshim import rundirectory, target
from devshim.errors import DevshimError
from devshim.host.guard import Guard
from devshim.host.host import Host
from devshim.host.lock import lock
from devshim.host.log import Log
from devshim.host.main import SWITCH_INTERVAL
from devshim.session import attributes, ownprocess
from devshim.session.calls import Calls
from devshim.session.environment import Environment
from devshim.session.survivor import survivor

if TYPE_CHECKING:
    from devshim.trace.record_asked import RecordAsked

_current: Serving | None = None


class Serving:
    """Serves from construction until stop(); one at a time in a process.

    Raises DevshimError where another is there, TargetFailed inside a run, ShimNotBuilt.
    """

    def __init__(
        self, calls: Calls, only_plugged: bool, where: Callable[[], str], record: RecordAsked | None = None
    ) -> None:
        global _current
        if _current is not None:
            raise DevshimError("another session is open in this process; plug into that one, or close it first")
        target.refuse_nesting(os.environ)
        self.directory = rundirectory.make_run_directory(os.environ)
        self.survivor = survivor()
        self.survivor.directory(os.path.dirname(self.directory))
        try:
            self.shim = target.shim_path(self.directory)
            self.host = Host(self.directory, None, Log(), Guard([], only_plugged=True) if only_plugged else None)
            self.recorder = record.begin(self.directory, self.host, None, False) if record is not None else None
        except BaseException:
            self._remove()
            raise
        finally:
            self.survivor.started()
        self.host.keep(calls.noted)
        self.host.where = where
        self.abandoned: Callable[[], object] = lambda: None
        self._begin(calls)
        _current = self

    def _begin(self, calls: Calls) -> None:
        self._switch_interval = sys.getswitchinterval()
        sys.setswitchinterval(min(SWITCH_INTERVAL, self._switch_interval))
        self._start_threads(calls)
        self._environment = Environment(os.environ, self.directory, self.shim)
        attributes.guard()
        try:
            ownprocess.attach(self.directory, self.host)
        except BaseException:
            self._end()
            raise

    def _start_threads(self, calls: Calls) -> None:
        """Start the host's threads with every signal blocked: signals are for the main thread."""
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self.host.start()
            self._thread = threading.Thread(target=self.host.loop.run, name="devshim-loop", daemon=True)
            self._thread.start()
            if self.recorder is not None:
                self.recorder.recording.heard = calls.heard
                self.recorder.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def stop(self) -> None:
        """Serve no more, and leave nothing behind."""
        global _current
        _current = None
        try:
            ownprocess.detach()
        finally:
            self._end()

    def _end(self) -> None:
        attributes.unguard()
        self._environment.restore()
        self.host.loop.soon(self.host.loop.stop)
        self._thread.join()
        self.host.stop()
        if self.recorder is not None:
            self.host.failures += self.recorder.end(self.host.message)
        self.host.release()
        sys.setswitchinterval(self._switch_interval)
        self._remove()

    def abandon(self) -> None:
        """In a forked child: its life is not the session's."""
        rundirectory.let_go(self.directory)

    def _remove(self) -> None:
        rundirectory.remove_run_directory(self.directory)
        self.survivor.nothing_left()


def _forked() -> None:
    """In every child that this process forks: nobody holds the lock, and all descriptors are the parent's."""
    lock.reset()
    if _current is not None and not _current.host.loop.closed:
        _current.host.abandon()
        _current.abandon()
        _current.abandoned()


os.register_at_fork(after_in_child=_forked)
