"""The host of `devshim run`: plugs what was asked for, serves until the run is over, says what went wrong.

Runs in a process of its own, forked by the waiter; hostprocess.py documents the two pipes between them.
"""

from __future__ import annotations

import gc
import os
import select
import sys

from devshim.errors import DevshimError, SpecError
from devshim.host import wire
from devshim.host.guard import Guard
from devshim.host.host import Host
from devshim.host.log import Log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.cli.options import Options
    from devshim.host.stopped import StoppedWaiter
    from devshim.model.device import Device
    from devshim.model.ioctl import Descriptions
    from devshim.modelfile import Declared
    from devshim.scenario import Step
    from devshim.trace.replay.replay import Replay

SWITCH_INTERVAL = 2e-5  # a Python thread that computes must not hold a call up by 5 ms


def serve(run_directory: str, options: Options, status: int, control: int) -> None:
    """Serve one run; returns when it is over.

    Raises a DevshimError where something cannot be plugged; nothing was served then.
    """
    raise_file_limit()
    sys.setswitchinterval(SWITCH_INTERVAL)
    look_in_working_directory()
    asked = asked_for(options)
    log = Log(options.verbose, options.log)
    host = Host(run_directory, os.getppid(), log, asked.guard(), asked.descriptions)
    recorder = None
    if options.record is not None:
        everything = not (options.record.nodes or asked.devices)
        recorder = options.record.begin(run_directory, host, asked.descriptions, everything)
    later = absent(asked)
    with host.lock:
        if asked.hide_real:
            hide_real(host)
        for node, device in asked.devices.items():
            if node not in later:
                plug(host, node, device)
        if asked.declared is not None:
            host.ask_about(asked.declared.openings)
        for step in asked.scenario:
            play_later(host, step.at, step, asked.devices[step.node])
    import signal

    signal.signal(signal.SIGTERM, lambda number, frame: host.loop.stop())
    Control(host, control)
    if options.in_process:
        from devshim.embedding import IMAGE
        from devshim.host import image

        host.registry.head.flags |= wire.REGISTRY_IN_PROCESS
        if asked.declared is not None and asked.declared.hooks:
            from devshim.host import hooks

            for hook in asked.declared.hooks:
                hooks.original_of(hook)  # that it is there is better said now than inside the program
            patterns = [opening.pattern for opening in asked.declared.openings]
            host.registry.declare(patterns, [hook.symbol for hook in asked.declared.hooks])
        image.write(os.path.join(run_directory, IMAGE))
    host.let_answers_stand()
    host.start()
    if recorder is not None:
        recorder.start()
    gc.freeze()
    write_all(status, b"ready\n")
    host.loop.run()
    host.stop()
    if recorder is not None:
        host.failures += recorder.end(log.message)
    for text in [*host.blame.again(), *host.unmodelled.messages(asked.devices)]:
        log.message(text)
    for replay in asked.replays if not options.in_process else ():  # what programs did they told their own hosts
        for text, failure in replay.report():
            log.message(text)
            host.failures += [text] * failure
    wanted = asked.devices or (recorder is not None and not recorder.used)
    if wanted and not host.used and not options.in_process:
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


def absent(asked: Asked) -> set[str]:
    """The nodes that the scenario plugs later.  Raises ConfigError where it cannot be played."""
    if not asked.scenario:
        return set()
    from devshim.scenario import absent_at_first

    return absent_at_first(asked.scenario, asked.devices)


def hide_real(host: Host) -> None:
    """Let the real machine's devices not be seen."""
    from devshim.host import hiding

    hiding.hide_real(host)


def play_later(host: Host, seconds: float, step: Step, device: Device) -> None:
    """Do one step of the scenario in so many seconds."""
    host.loop.after(seconds, lambda: play(host, step, device))


def play(host: Host, step: Step, device: Device) -> None:
    """Do one step of the scenario."""
    there = host.plug_at(step.node)
    if not step.plug:
        device.unplug()
    elif device.node is None:
        plug(host, step.node, device)
    elif there is None:
        device.plug()


class Asked:
    """What the command line and the configuration ask for together."""

    def __init__(
        self,
        devices: dict[str, Device],
        deny: list[tuple[str, int]],
        only_plugged: bool,
        descriptions: Descriptions | None,
        replays: list[Replay],
        hide_real: bool = False,
        scenario: tuple[Step, ...] = (),
        declared: Declared | None = None,
    ) -> None:
        self.devices = devices
        self.deny = deny
        self.only_plugged = only_plugged
        self.descriptions = descriptions
        self.replays = replays
        self.hide_real = hide_real
        self.scenario = scenario
        self.declared = declared

    def guard(self) -> Guard | None:
        """What refuses nodes; None where nothing is to be refused."""
        return Guard(self.deny, self.only_plugged) if self.deny or self.only_plugged else None


def asked_for(options: Options) -> Asked:
    """Read the configuration, load the models and the descriptions.  Raises a DevshimError."""
    deny, only_plugged = list(options.deny), options.only_plugged
    wanted = options.devices or options.config is not None or options.describe or options.models
    if not wanted and options.replay is None:
        return Asked({}, deny, only_plugged, None, [], options.hide_real)
    from devshim import spec

    specs: list[spec.Spec] = []
    describe, models = list(options.describe), list(options.models)
    hide = options.hide_real
    scenario: tuple[Step, ...] = ()
    if options.config is not None:
        from devshim import config

        found = config.load(options.config)
        specs += found.devices
        deny += found.deny
        describe += found.describe
        models += found.models
        only_plugged = only_plugged or found.only_plugged
        hide, scenario = hide or found.hide_real, found.scenario
    specs += [spec.parse(text) for text in options.devices]
    devices = spec.build(specs)
    replays = [device.replay for device in devices.values() if hasattr(device, "replay")]
    if options.replay is not None:
        replays.append(options.replay.load())
        devices.update(options.replay.devices(replays[-1], devices))
    found_in = declared(models, [one.model for one in specs], options.in_process)
    return Asked(devices, deny, only_plugged, described(describe), replays, hide, scenario, found_in)


def declared(files: list[str], models: list[str], in_process: bool) -> Declared | None:
    """The @opening and @hook functions of files and of the devices' models; None where there are none of either."""
    from devshim import modelfile

    return modelfile.declared(files, models, in_process)


def described(paths: list[str]) -> Descriptions | None:
    """What the files describe; nothing is imported where there are none."""
    if not paths:
        return None
    from devshim import describe

    return describe.load(paths)


class Control:
    """Hears what the waiter says, through a pipe that is watched from here on."""

    def __init__(self, host: Host, pipe: int) -> None:
        self.host = host
        self.pipe = pipe
        self.waiter = os.getppid()
        self.program = 0
        self.stopped: StoppedWaiter | None = None
        os.set_blocking(pipe, False)
        host.loop.watch(pipe, select.EPOLLIN, lambda events: self.hear())
        host.bootstrap.hear = self.hear

    def hear(self) -> None:
        """Take in what it has said; or it was killed, and then the program keeps its devices until it ends."""
        try:
            said = os.read(self.pipe, 4096)
        except BlockingIOError:
            return
        if not said:
            self.host.loop.unwatch(self.pipe)
            self.continues()
            self.host.bootstrap.when_alone(self.host.loop.stop)
        for line in said.splitlines():
            word, _, number = line.partition(b" ")
            if word == b"started":
                self.program = int(number)
                self.host.bootstrap.expect(self.program)
            elif word == b"stops":
                self.stops()
            elif word == b"continues":
                self.continues()
            else:
                self.host.loop.stop()

    def stops(self) -> None:
        """The waiter is about to stop, because the program has."""
        from devshim.host.stopped import StoppedWaiter

        self.stopped = StoppedWaiter(self.host.loop, self.waiter, self.program)

    def continues(self) -> None:
        """It goes on, or has gone."""
        if self.stopped is not None:
            self.stopped.over()
            self.stopped = None


def look_in_working_directory() -> None:
    """Find modules there first, as `python -m` does."""
    try:
        sys.path.insert(0, os.getcwd())
    except FileNotFoundError:
        return  # it was removed: nothing can be found in it


def raise_file_limit() -> None:
    """Let the host have as many descriptors as it may; the program keeps the user's limit."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def write_all(fd: int, data: bytes) -> None:
    """Tell the waiter, if it is still there."""
    try:
        os.write(fd, data)
    except BrokenPipeError:
        return
