"""devshim run: starts a program against devices, waits for it, and ends with its exit code.

reads options -> makes the run's directory -> forks the host and starts the program -> waits -> cleans up
"""

from __future__ import annotations

import os

from devshim import engine, rundirectory, target
from devshim.cli.options import RUN, Options, parse, wrong
from devshim.hostprocess import HostProcess
from devshim.waiter import GRACE, RECORDER_GRACE, SIGNALS, Interrupted, Waiter, ending

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Iterable
else:
    import _signal  # see target.py


def main(words: list[str]) -> int:
    """Run the program that the words ask for and return the command's exit code."""
    options = Options()
    if parse(words, RUN, options) == ["--help"]:
        from devshim.cli.usage import run_help

        print(run_help(), end="")
        return 0
    if not options.program:
        raise wrong("no program to run; devshim run --help shows how")
    return run(options)


def run(options: Options) -> int:
    """Run options.program against the devices of options; return its exit code, or ours where something else failed.

    Raises a DevshimError where the program cannot be started.
    """
    environment = dict(os.environ)
    target.refuse_nesting(environment)
    path = target.find_program(options.program[0], environment)
    reserve_standard_streams()
    mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, SIGNALS)
    run_directory = rundirectory.make_run_directory(environment)
    try:
        shim = target.shim_path(run_directory)
        prepare_run(run_directory)
        if options.in_process:
            from devshim import embedding

            embedding.prepare(run_directory, options, path)
        environment = target.target_environment(environment, run_directory, shim)
        return run_in(run_directory, path, options, environment, mask)
    finally:
        rundirectory.remove_run_directory(run_directory)


def run_in(run_directory: str, path: str, options: Options, environment: dict[str, str], mask: Iterable[int]) -> int:
    """Fork the host, start the program, wait for both.

    What needs no loading starts first: beside a host that is being loaded it would have to wait for a processor.
    """
    patient = options.needs_loading()
    waiter = Waiter(HostProcess())
    waiter.run_directory = run_directory
    try:
        if patient:
            waiter.host.begin(run_directory, options, mask, report=True)
            if not waiter.until_plugged():
                return refused(waiter)
        waiter.raise_pending()
        program = options.program
        if patient or options.engine:
            path, program, environment = for_engine(options, path, environment)
        waiter.started(target.start(path, program, environment, mask))
        if not patient:
            begin_beside(waiter, run_directory, options, mask)
        waiter.host.started(waiter.program)
        leave_streams_to_program(waiter.host.status, waiter.host.control, rundirectory.lock_of(run_directory))
        code = finish(waiter, waiter.until_program_ended(), options, run_directory)
        if options.record is not None and waiter.host.lost():
            options.record.take_over(run_directory, target.say)
        return code
    except Interrupted as interrupt:
        return 128 + interrupt.number
    finally:
        waiter.host.kill()


def begin_beside(waiter: Waiter, run_directory: str, options: Options, mask: Iterable[int]) -> None:
    """Fork the host when the program has begun.  Raises OSError where that cannot be, and then nothing goes on."""
    try:
        waiter.host.begin(run_directory, options, mask, report=False)
    except OSError:
        os.kill(waiter.program, _signal.SIGKILL)
        waiter.until_program_ended()
        raise


def for_engine(options: Options, path: str, environment: dict[str, str]) -> tuple[str, list[str], dict[str, str]]:
    """What is executed, with which words and environment, where the program may need another engine than the shim.

    The engine is the one that the user wants, or that the program needs.  Raises TargetFailed where what else was
    asked for needs the shim in the program.
    """
    chosen = options.engine or engine.suited(path)
    for asked, what in ((options.in_process, "--in-process"), (options.record is not None, "recording")):
        if asked and chosen == engine.SECCOMP:
            why = "the engine seccomp" if options.engine else f"{path}, a static, Go or musl program,"
            raise target.failed(f"{what} needs the shim in the program, and {why} does without; build it with glibc")
    if options.engine == engine.PRELOAD:
        engine.leave_children(environment["DEVSHIM_RUN"])
    start = engine.start_with(chosen, path, options.program, environment, later=bool(options.config))
    return start.path, start.program, start.environment


def refused(waiter: Waiter) -> int:
    """The exit code where the host could not begin; it has said why unless it was killed."""
    if waiter.host.refused is None:
        target.say(f"the host died before anything was plugged ({ending(waiter.host.ended or 0)})")
    return waiter.host.refused or 125


def finish(waiter: Waiter, code: int, options: Options, run_directory: str) -> int:
    """After the program: wait for what it left behind, let the host finish, and choose the exit code."""
    host = waiter.host
    host.listen()
    if not options.needs_loading() and not host.ready and host.refused is None and host.ended is None:
        return code  # over before the host had begun: nobody can have needed it
    if options.needs_loading():
        waiter.until_alone(options.linger)
    waiter.until_supervisors_ended()
    if options.in_process:  # the host removes the directory
        from devshim import embedding

        code = embedding.exit_code(run_directory, code, options)
    host.end()
    waiter.until_host_ended(GRACE if options.record is None else RECORDER_GRACE)
    waiter.tell_host_lost()
    if host.refused is not None:
        return code or host.refused
    if host.unused:
        tell_why_unused(options.program[0], options.engine)
    return code or (options.error_exitcode if host.failures != 0 or waiter.supervisor_lost else 0)


def tell_why_unused(program: str, wanted: str) -> None:
    """Say why the program opened no device, if a look at its file tells; wanted: the engine of the user's choice."""
    from devshim.cli.caught import examine
    from devshim.errors import TargetFailed

    try:
        problems = [finding for finding in examine(program, wanted == engine.PRELOAD) if not finding.good]
    except (TargetFailed, OSError):
        return  # it has removed itself meanwhile, or may be executed but not read
    for finding in problems:
        target.say(f"no device was opened; {finding.text}; {finding.advice}")


def reserve_standard_streams() -> None:
    """Fill closed standard streams, so that no descriptor of ours takes their place; the program does not get it."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


def leave_streams_to_program(*kept: int) -> None:
    """Let go of what the program inherited through us: a pipe must end for its reader when the program closes it.

    kept: descriptors of our own.
    """
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    first = 3
    for descriptor in sorted(kept):
        os.closerange(first, descriptor)
        first = descriptor + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))


def prepare_run(run_directory: str) -> None:
    """Make the run's registry, and become the parent of what its processes leave behind (prctl(2))."""
    from devshim.host._channel import create_registry, set_subreaper

    create_registry(run_directory + "/registry")
    set_subreaper()
