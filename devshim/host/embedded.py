"""The host inside the program: `devshim run --in-process`, called by shim/embed.c at the first open of a device.

It has a directory of its own below the run's, so that the process's children are its targets, and two threads: one for
timers and serial data, one for those children's calls.  The program's own calls are answered in their own threads.
"""

from __future__ import annotations

import gc
import os
import sys
import time

from devshim.errors import DevshimError
from devshim.host import _channel, ownprocess
from devshim.host.host import Host
from devshim.host.log import Log
from devshim.host.main import SWITCH_INTERVAL, absent, asked_for, hide_real, play_later, plug
from devshim.host.threads import HostThread
from devshim.host.told import Told
from devshim.rundirectory import hold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.cli.options import Options
    from devshim.host.main import Asked

MOST_SMALL = 512  # descriptors that are left to the program
GAP = 32  # numbers without a descriptor, behind which there are none
LONGEST = 97  # bytes of a run's directory: RUN_DIRECTORY in shim/registry.h


def start(asked: dict[str, Any]) -> None:
    """Plug what was asked for and answer this process's calls from now on; what goes wrong is said in one line."""
    if sys.flags.no_site and not sys.orig_argv:  # brought along: the program's streams are not a model's
        sys.stdin, sys.stdout = None, sys.stderr
    try:
        begin(asked)
    except BaseException as error:
        from devshim.cli import explain

        explain(error if isinstance(error, Exception) else RuntimeError(f"{type(error).__name__}({error})"))
        with open(os.path.join(asked["run"], "refused"), "w", encoding="utf-8"):
            return


def begin(asked: dict[str, Any]) -> None:
    """Make the host and attach this process to it.  Raises a DevshimError where something cannot be plugged."""
    from devshim.cli.options import Options

    options = Options()
    options.in_process = True
    for name in ("devices", "config", "describe", "models", "deny", "only_plugged", "verbose", "log", "hide_real"):
        setattr(options, name, asked[name])
    own = os.path.join(asked["run"], str(os.getpid()))
    if len(os.fsencode(own)) > LONGEST:
        raise DevshimError(f"{own}: too long for --in-process; set TMPDIR to a shorter directory")
    os.mkdir(own, 0o711)
    with SmallDescriptorsTaken():
        host, wanted = made_in(own, options, asked)
    serve(host, own)  # not before: its threads want the interpreter, too, and have it whenever this one lets go
    if wanted.declared is not None and wanted.declared.hooks:
        from devshim.host import hooks

        hooks.install(host, wanted.declared.hooks)
    gc.freeze()
    sys.setswitchinterval(min(SWITCH_INTERVAL, sys.getswitchinterval()))


def made_in(own: str, options: Options, asked: dict[str, Any]) -> tuple[Host, Asked]:
    """The host, in a directory of its own, with what was asked for plugged."""
    keep(os.path.dirname(asked["run"]))
    wanted = asked_for(options)
    log = Log(options.verbose, options.log, more=True)
    host = Host(own, asked["root"], log, wanted.guard(), wanted.descriptions)
    os.register_at_fork(after_in_child=host.log.leave_file)
    host.failures = Told(os.path.join(asked["run"], "failed"))
    late = time.monotonic() - asked["began"]
    with host.lock:
        if wanted.hide_real:
            hide_real(host)
        later = absent(wanted)
        for node, device in wanted.devices.items():
            if node not in later:
                plug(host, node, device)
        for step in wanted.scenario:
            play_later(host, max(0.0, step.at - late), step, wanted.devices[step.node])
        if wanted.declared is not None:
            host.ask_about(wanted.declared.openings)
    return host, wanted


def serve(host: Host, own: str) -> None:
    """Start the host's threads, and attach this process to it."""
    host.start()
    thread = HostThread(host.loop.run)
    thread.start()
    host.loop.thread = thread.ident  # known before it runs: the program may close whatever is nobody's at once
    ownprocess.attach(own, host, patch=False)


def keep(run: str) -> None:
    """Let the run live as long as this process does."""
    try:
        hold(run)
    except OSError:
        return  # it is another user's; then the command alone keeps the directory


class SmallDescriptorsTaken:
    """Leaves small numbers to the program, which may count on them: a shell's `exec 3<>FILE` takes 3 from anybody."""

    def __enter__(self) -> None:
        lowest = min(MOST_SMALL, os.sysconf("SC_OPEN_MAX") // 2)
        _channel.raise_descriptors(lowest)
        fd = first = os.open(os.devnull, os.O_RDONLY)
        self._taken = taken = [fd]
        dup = os.dup
        try:
            while fd < lowest:
                fd = dup(first)  # of which the shim knows already that it is no device
                taken.append(fd)
        except BaseException:
            self._give_back()
            raise
        self._first = self._taken[-1] + 1
        self._before = open_descriptors(self._first)

    def __exit__(self, kind: type[BaseException] | None, *failure: object) -> None:
        if kind is None:
            for fd in open_descriptors(self._first) - self._before:
                _channel.raised(fd)  # known: a program that closes all that it did not open leaves it alone
        self._give_back()

    def _give_back(self) -> None:
        """Close them, a run of numbers at a time."""
        first = before = self._taken[0]
        for fd in (*self._taken[1:], -1):
            if fd != before + 1:
                os.closerange(first, before + 1)
                first = fd
            before = fd


def open_descriptors(first: int) -> set[int]:
    """The numbers of this process's descriptors from the first one that the host can have got, up to a wide gap."""
    found: set[int] = set()
    fd = last = first
    while fd < last + GAP:
        try:
            os.fstat(fd)
        except OSError:
            fd += 1
            continue
        found.add(fd)
        fd, last = fd + 1, fd
    return found
