"""The host of `devshim run`: plugs what was asked for, serves until the run is over, says what went wrong.

Runs in a process of its own, forked by the waiter; hostprocess.py documents the two pipes between them.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import select
import signal
import sys
from typing import TYPE_CHECKING, NamedTuple

from devshim.errors import DevshimError, SpecError
from devshim.host.host import Guard, Host
from devshim.host.log import Log

if TYPE_CHECKING:
    from devshim.cli.options import Options
    from devshim.model.device import Device
    from devshim.model.ioctl import Request

SWITCH_INTERVAL = 1e-4  # a Python thread that computes must not hold a call up by 5 ms


def serve(run_directory: str, options: Options, status: int, control: int) -> None:
    """Serve one run; returns when it is over.

    Raises a DevshimError where something cannot be plugged; nothing was served then.
    """
    raise_file_limit()
    sys.setswitchinterval(SWITCH_INTERVAL)
    with contextlib.suppress(FileNotFoundError):  # the working directory was removed: nothing can be found in it
        sys.path.insert(0, os.getcwd())
    asked = asked_for(options)
    log = Log(options.verbose, options.log)
    host = Host(run_directory, os.getppid(), log, asked.guard(), asked.descriptions)
    with host.lock:
        for node, device in asked.devices.items():
            plug(host, node, device)
    signal.signal(signal.SIGTERM, lambda number, frame: host.loop.stop())
    host.loop.watch(control, select.EPOLLIN, lambda events: run_over(host, control))
    host.start()
    gc.freeze()
    write_all(status, b"ready\n")
    host.loop.run()
    host.stop()
    for text in [*host.failed_again(), *host.unmodelled.messages(asked.devices)]:
        log.message(text)
    if asked.devices and not host.used:
        write_all(status, b"unused\n")
    write_all(status, b"done %d\n" % len(host.failures))


def plug(host: Host, node: str, device: Device) -> None:
    """Plug one device.  Raises SpecError, in one line, also for what the model's own plugged() raises."""
    try:
        host.plug(node, device)
    except DevshimError:
        raise
    except (Exception, SystemExit) as problem:
        from devshim.modelclass import in_words, line_about

        text = line_about(problem, type(device))
        if isinstance(problem, OSError) and text == in_words(problem):
            raise  # the machine refused us something, not the model
        raise SpecError(f"{node}: {text}") from problem


class Asked(NamedTuple):
    """What the command line and the configuration ask for together."""

    devices: dict[str, Device]
    deny: list[tuple[str, int]]
    only_plugged: bool
    descriptions: dict[int, Request]

    def guard(self) -> Guard | None:
        """What refuses nodes; None where nothing is to be refused."""
        return Guard(self.deny, self.only_plugged) if self.deny or self.only_plugged else None


def asked_for(options: Options) -> Asked:
    """Read the configuration, load the models and the descriptions.  Raises a DevshimError."""
    deny, only_plugged = list(options.deny), options.only_plugged
    if not options.devices and options.config is None and not options.describe:
        return Asked({}, deny, only_plugged, {})
    from devshim import spec

    specs: list[spec.Spec] = []
    describe = list(options.describe)
    if options.config is not None:
        from devshim import config

        found = config.load(options.config)
        specs += found.devices
        deny += found.deny
        describe += found.describe
        only_plugged = only_plugged or found.only_plugged
    specs += [spec.parse(text) for text in options.devices]
    return Asked(spec.build(specs), deny, only_plugged, described(describe))


def described(paths: list[str]) -> dict[int, Request]:
    """What the files describe; nothing is imported where there are none."""
    if not paths:
        return {}
    from devshim import describe

    return describe.load(paths)


def run_over(host: Host, control: int) -> None:
    """The waiter says that the run is over; or it was killed, and then the program keeps its devices until it ends."""
    if os.read(control, 64):
        host.loop.stop()
    else:
        host.loop.unwatch(control)
        host.bootstrap.when_alone(host.loop.stop)


def raise_file_limit() -> None:
    """Let the host have as many descriptors as it may; the program keeps the user's limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def write_all(fd: int, data: bytes) -> None:
    """Tell the waiter, if it is still there."""
    try:
        os.write(fd, data)
    except BrokenPipeError:
        return
