"""The host inside the program: `devshim run --in-process`, called by shim/embed.c at the first open of a device.

It has a directory of its own below the run's, so that the process's children are its targets, and two threads: one for
timers and serial data, one for those children's calls.  The program's own calls are answered in their own threads.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import sys
import time
from collections.abc import Iterator
from functools import partial

from devshim.errors import DevshimError
from devshim.host import _channel, ownprocess
from devshim.host.host import Host
from devshim.host.log import Log
from devshim.host.main import SWITCH_INTERVAL, absent, asked_for, hide_real, play, plug
from devshim.host.threads import HostThread
from devshim.host.told import Told
from devshim.rundirectory import hold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.cli.options import Options

MOST_SMALL = 512  # descriptors that are left to the program
GAP = 32  # numbers without a descriptor, behind which there are none
LONGEST = 97  # bytes of a run's directory: RUN_DIRECTORY in shim/registry.h


def start(asked: dict[str, Any]) -> None:
    """Plug what was asked for and answer this process's calls from now on; what goes wrong is said in one line."""
    if sys.flags.no_site and not sys.orig_argv:  # brought along: the program's streams are not a model's
        sys.stdin, sys.stdout = None, sys.stderr
    sys.setswitchinterval(min(SWITCH_INTERVAL, sys.getswitchinterval()))
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
    with small_descriptors_taken():
        begin_in(own, options, asked)
    gc.freeze()


def begin_in(own: str, options: Options, asked: dict[str, Any]) -> None:
    """The same, in a directory of its own."""
    with contextlib.suppress(OSError):  # as another user; then the command alone keeps the directory
        hold(os.path.dirname(asked["run"]))
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
            host.loop.after(max(0.0, step.at - late), partial(play, host, step, wanted.devices[step.node]))
        if wanted.declared is not None:
            host.ask_about(wanted.declared.openings)
    host.start()
    thread = HostThread(host.loop.run)
    thread.start()
    host.loop.thread = thread.ident  # known before it runs: the program may close whatever is nobody's at once
    ownprocess.attach(own, host, patch=False)
    if wanted.declared is not None and wanted.declared.hooks:
        from devshim.host import hooks

        hooks.install(host, wanted.declared.hooks)


@contextlib.contextmanager
def small_descriptors_taken() -> Iterator[None]:
    """Leave small numbers to the program, which may count on them: a shell's `exec 3<>FILE` takes 3 from anybody."""
    lowest = min(MOST_SMALL, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
    _channel.raise_descriptors(lowest)
    taken = [os.open(os.devnull, os.O_RDONLY)]
    try:
        while taken[-1] < lowest:
            taken.append(os.dup(taken[0]))
        first = taken[-1] + 1
        before = open_descriptors(first)
        yield
        for fd in open_descriptors(first) - before:
            _channel.raised(fd)  # known: a program that closes all that it did not open leaves it alone
    finally:
        for fd in taken:
            os.close(fd)


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
