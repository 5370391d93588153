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
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from devshim.errors import DevshimError
from devshim.host import _channel, ownprocess
from devshim.host.host import Host
from devshim.host.log import Log
from devshim.host.main import SWITCH_INTERVAL, asked_for, plug

if TYPE_CHECKING:
    from devshim.cli.options import Options

MOST_SMALL = 512  # descriptors that are left to the program
LONGEST = 97  # bytes of a run's directory: RUN_DIRECTORY in shim/registry.h


class Told(list[str]):
    """Failures of the run: the command learns that there was one, however the program ends."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def append(self, failure: str) -> None:
        """Keep it, and leave a mark for the command."""
        super().append(failure)
        with open(self._path, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(failure.replace("\n", " ") + "\n")


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
    for name in ("devices", "config", "describe", "models", "deny", "only_plugged", "verbose", "log"):
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
    wanted = asked_for(options)
    host = Host(own, asked["root"], Log(options.verbose, options.log), wanted.guard(), wanted.descriptions)
    host.failures = Told(os.path.join(asked["run"], "failed"))
    with host.lock:
        for node, device in wanted.devices.items():
            plug(host, node, device)
        if wanted.declared is not None:
            host.ask_about(wanted.declared.openings)
    host.start()
    threading.Thread(target=host.loop.run, name="devshim-loop", daemon=True).start()
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
        yield
    finally:
        for fd in taken:
            os.close(fd)
