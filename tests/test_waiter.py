"""The waiter between the user's shell and the program: job control, signals, and what outlives the program."""

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import devshim_command, devshim_environment, run_devshim
from terminal import ENDED, STOPPED, Terminal

from devshim.processes import parent_of

PLUGGED = ("-d", "/dev/ttyDEVSHIM0=gps")
CTRL_C, CTRL_Z, CTRL_BACKSLASH = "\x03", "\x1a", "\x1c"

LET_A_CHILD_OPEN = """
import os, signal, subprocess, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
print("ready", flush=True)
signal.sigwait({signal.SIGUSR1})
print("passed on", flush=True)
sys.stdin.readline()
subprocess.run(["sh", "-c", "exec 3< /dev/ttyDEVSHIM0 && echo opened"])
"""

NOTE_SIGNALS = """
import signal, sys, os, threading
noted = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGPIPE, signal.SIGWINCH}
signal.pthread_sigmask(signal.SIG_BLOCK, noted)
def say(line):
    os.write(1, f"{line}\\n".encode())
def note():
    while True:
        say(f"got {signal.Signals(signal.sigwait(noted)).name}")
threading.Thread(target=note, daemon=True).start()
say(f"ready {os.getpid()}")
for line in sys.stdin:
    if line == "end\\n":
        break
    say(f"line {line.strip()}")
os._exit(0)
"""
"""A program that says which signals it gets, and ends when it is told to."""


def command(*program: str, options: Sequence[str] = PLUGGED) -> list[str]:
    return [*devshim_command(), "run", *options, "--", *program]


@contextmanager
def job(*program: str, options: Sequence[str] = PLUGGED) -> Iterator[Terminal]:
    with Terminal(command(*program, options=options), devshim_environment()) as terminal:
        yield terminal


@contextmanager
def background(*program: str, options: Sequence[str] = PLUGGED) -> Iterator[subprocess.Popen[str]]:
    """The command without a terminal, in a session of its own, with pipes."""
    with subprocess.Popen(
        command(*program, options=options),
        env=devshim_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


class TestTerminal:
    """Keys reach the program, and the user's shell sees one job."""

    @pytest.mark.parametrize("options", [(), PLUGGED], ids=["alone", "with-a-device"])
    def test_ctrl_c_ends_the_program_and_leaves_nothing_but_its_exit_code(self, options: Sequence[str]) -> None:
        with job("sh", "-c", "echo ready; exec cat", options=options) as terminal:
            terminal.expect("ready")

            terminal.press(CTRL_C)

            assert terminal.state() == (ENDED, 128 + signal.SIGINT)
            assert terminal.expect("ready").split() == ["ready"]

    def test_ctrl_c_reaches_a_program_that_handles_it_once(self) -> None:
        with job(sys.executable, "-c", NOTE_SIGNALS) as terminal:
            terminal.expect("ready")

            terminal.press(CTRL_C)
            terminal.expect("got SIGINT")
            terminal.press("after\nend\n")

            assert terminal.state() == (ENDED, 0)
            assert terminal.expect("line after").count("got SIGINT") == 1

    def test_ctrl_backslash_ends_the_program_as_it_would_without_us(self) -> None:
        with job("sh", "-c", "ulimit -c 0; echo ready; exec cat") as terminal:
            terminal.expect("ready")

            terminal.press(CTRL_BACKSLASH)

            assert terminal.state() == (ENDED, 128 + signal.SIGQUIT)

    def test_ctrl_z_stops_the_job_and_fg_continues_it(self) -> None:
        with job(sys.executable, "-c", NOTE_SIGNALS) as terminal:
            terminal.expect("ready")

            for word in ("first", "second"):
                terminal.press(CTRL_Z)
                assert terminal.state() == (STOPPED, signal.SIGTSTP)
                terminal.foreground()
                terminal.press(f"{word}\n")
                terminal.expect(f"line {word}")
            terminal.press("end\n")

            assert terminal.state() == (ENDED, 0)

    def test_a_program_that_stops_itself_stops_the_job(self) -> None:
        with job("sh", "-c", "kill -STOP $$; echo continued") as terminal:
            assert terminal.state()[0] == STOPPED
            terminal.foreground()

            assert terminal.state() == (ENDED, 0)
            terminal.expect("continued")

    @pytest.mark.parametrize("number", [signal.SIGCONT, signal.SIGKILL])
    def test_a_stopped_program_that_goes_on_or_ends_alone_takes_the_job_along(self, number: int) -> None:
        with job("sh", "-c", "echo it is $$ here; kill -STOP $$; exit 5") as terminal:
            assert terminal.state()[0] == STOPPED
            program = int(terminal.expect("here").split()[-2])
            waiter = os.pidfd_open(parent_of(program))

            os.kill(program, number)

            assert select.select([waiter], [], [], 60)[0], "the waiter has not ended"
            os.close(waiter)
            terminal.foreground()
            assert terminal.state() == (ENDED, 5 if number == signal.SIGCONT else 128 + number)

    def test_the_program_reads_the_terminal_in_the_foreground(self) -> None:
        with job("sh", "-c", "test -t 0 && test -t 1 && read line && echo got $line") as terminal:
            terminal.press("typed\n")

            terminal.expect("got typed")
            assert terminal.state() == (ENDED, 0)

    def test_a_change_of_the_windows_size_reaches_the_program_once(self) -> None:
        note = NOTE_SIGNALS.replace("SIGUSR1", "SIGWINCH")
        with job(sys.executable, "-c", note) as terminal:
            terminal.expect("ready")

            terminal.resize(33, 99)
            terminal.expect("got SIGWINCH")
            terminal.press("after\nend\n")

            assert terminal.state() == (ENDED, 0)
            assert terminal.expect("line after").count("got SIGWINCH") == 1


class TestSignals:
    """What somebody sends to the command's process id."""

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
    def test_are_passed_on_to_the_program(self, number: signal.Signals) -> None:
        with background(sys.executable, "-c", NOTE_SIGNALS) as process:
            assert process.stdout
            assert process.stdin
            assert process.stdout.readline().startswith("ready")

            process.send_signal(number)

            assert process.stdout.readline() == f"got {number.name}\n"
            process.stdin.write("end\n")
            process.stdin.close()
            assert process.wait() == 0

    def test_that_kill_the_program_give_its_exit_code(self) -> None:
        with background("sh", "-c", "echo ready; exec cat") as process:
            assert process.stdout
            process.stdout.readline()

            process.terminate()

            assert process.wait() == 128 + signal.SIGTERM
            assert process.stderr
            assert process.stderr.read() == ""

    def test_of_the_program_to_its_parent_do_not_come_back_to_it(self) -> None:
        result = run_devshim("sh", "-c", "kill -TERM $PPID; exit 3", options=PLUGGED)

        assert result.returncode == 3

    def test_a_timer_set_before_the_command_ends_the_program(self) -> None:
        alarm = (
            "import os, signal, sys; signal.setitimer(signal.ITIMER_REAL, 0.5); os.execvp(sys.argv[1], sys.argv[1:])"
        )
        words = [sys.executable, "-c", alarm, *command("sh", "-c", "exec cat")]
        with subprocess.Popen(words, env=devshim_environment(), stdin=subprocess.PIPE) as process:
            assert process.wait() in (128 + signal.SIGALRM, -signal.SIGALRM)  # Python itself may still be starting

    def test_a_timer_that_runs_out_before_the_program_starts_ends_it(self, tmp_path: Path) -> None:
        model = tmp_path / "slow.py"
        model.write_text(
            "import os, signal\nos.kill(os.getppid(), signal.SIGALRM)\n"
            "from devshim import Device\nclass Slow(Device): pass\n"
        )
        result = run_devshim("sleep", "1000", devices=[f"/dev/slow0={model}"])

        assert result.returncode == 128 + signal.SIGALRM

    def test_to_continue_reaches_a_program_that_was_stopped_alone(self) -> None:
        with background(sys.executable, "-c", NOTE_SIGNALS) as process:
            assert process.stdout
            assert process.stdin
            program = int(process.stdout.readline().split()[1])

            os.kill(program, signal.SIGSTOP)
            process.send_signal(signal.SIGUSR1)
            process.send_signal(signal.SIGCONT)
            while not readable(process.stdout.fileno(), 1):
                process.send_signal(signal.SIGCONT)  # the first may come before the stop was noticed, and is void then

            assert process.stdout.readline() == "got SIGUSR1\n"


class TestAfterTheProgram:
    """The host stays as long as somebody may need it, and no longer."""

    def test_ends_at_once_when_nobody_is_left(self, tmp_path: Path) -> None:
        assert run_devshim("true", options=[*PLUGGED, "--linger", "inf"], timeout=60).returncode == 0

    def test_waits_for_an_orphan_of_the_run(self, tmp_path: Path) -> None:
        fifo, note = tmp_path / "fifo", tmp_path / "note"
        os.mkfifo(fifo)
        orphan = f'setsid sh -c \'read line < "{fifo}"; head -c 6 /dev/ttyDEVSHIM0 > "{note}"\' >&- 2>&- &'
        with background("sh", "-c", f"({orphan}) & echo started", options=[*PLUGGED, "--linger", "inf"]) as process:
            assert process.stdout
            process.stdout.readline()

            fifo.write_text("go\n")

            assert process.wait() == 0
            assert note.read_text() == "$GPRMC"

    def test_names_who_is_left_when_it_waits_no_longer(self) -> None:
        with background("sh", "-c", "sleep 1000 >&- 2>&- & echo $!", options=[*PLUGGED, "--linger", "0"]) as process:
            assert process.stdout
            assert process.stderr
            left = int(process.stdout.readline())
            try:
                assert process.wait() == 0
                said = process.stderr.read()
            finally:
                os.kill(left, signal.SIGKILL)

        assert re.fullmatch(rf"devshim: 1 process of the run still alive 0 s .*: \w+ \({left}\); .*\n", said)

    def test_ctrl_c_ends_the_waiting(self) -> None:
        options = [*PLUGGED, "--linger", "inf"]
        with job("sh", "-c", "trap '' INT; sleep 1000 >&- 2>&- & echo left $! end", options=options) as terminal:
            left = int(terminal.expect("end").split()[1])
            try:
                while not readable(terminal.states, 0.5):
                    terminal.press(CTRL_C)  # is the program's, and void, until its end was noticed
                assert terminal.state() == (ENDED, 0)
            finally:
                os.kill(left, signal.SIGKILL)


class TestLoss:
    """The host or the waiter killed."""

    def test_a_killed_host_is_one_line_and_the_program_goes_on(self, tmp_path: Path) -> None:
        with background(sys.executable, "-c", NOTE_SIGNALS) as process:
            assert process.stdout
            assert process.stdin
            assert process.stderr
            program = int(process.stdout.readline().split()[1])
            (host,) = set(children(process.pid)) - {program}

            os.kill(host, signal.SIGKILL)

            assert re.fullmatch(r"devshim: the host was lost \(killed by signal 9\): .*\n", process.stderr.readline())
            process.stdin.write("still here\nend\n")
            process.stdin.close()
            assert process.stdout.readline() == "line still here\n"
            assert process.wait() == 1
            assert process.stderr.read() == ""

    def test_what_cannot_be_told_to_a_lost_host_is_no_signal_for_the_program(self) -> None:
        with background(sys.executable, "-c", NOTE_SIGNALS) as process:
            assert process.stdout
            assert process.stderr
            program = int(process.stdout.readline().split()[1])
            (host,) = set(children(process.pid)) - {program}
            os.kill(host, signal.SIGKILL)
            assert "was lost" in process.stderr.readline()

            os.kill(program, signal.SIGSTOP)  # of which the waiter would tell the host
            while status_of(program)["State"][0] != "T":
                pass
            process.send_signal(signal.SIGWINCH)  # taken last, for its number is the highest
            while int(status_of(process.pid)["ShdPnd"], 16):
                pass
            os.kill(program, signal.SIGCONT)

            assert process.stdout.readline() == "got SIGWINCH\n"

    def test_the_exit_code_of_a_lost_host_can_be_chosen(self) -> None:
        with background(sys.executable, "-c", NOTE_SIGNALS, options=[*PLUGGED, "--error-exitcode", "66"]) as process:
            assert process.stdout
            assert process.stdin
            program = int(process.stdout.readline().split()[1])
            (host,) = set(children(process.pid)) - {program}

            os.kill(host, signal.SIGKILL)
            process.stdin.write("end\n")
            process.stdin.close()

            assert process.wait() == 66

    def test_a_killed_waiter_leaves_the_program_alive_and_no_directory(self) -> None:
        with background("sh", "-c", "echo $$ $DEVSHIM_RUN; exec cat", options=PLUGGED) as process:
            assert process.stdout
            assert process.stdin
            program, directory = process.stdout.readline().split()
            (host,) = set(children(process.pid)) - {int(program)}
            watched = os.pidfd_open(host)
            assert Path(directory).is_dir()

            process.kill()
            process.stdin.write("alive\n")
            process.stdin.flush()
            assert process.stdout.readline() == "alive\n"
            process.stdin.close()

            assert readable(watched, 30)
            os.close(watched)
            assert not Path(directory).exists()

    def test_a_killed_waiter_leaves_devices_to_children_of_a_program_that_has_none_open(self) -> None:
        with background(sys.executable, "-c", LET_A_CHILD_OPEN, options=PLUGGED) as process:
            assert process.stdout
            assert process.stdin
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGUSR1)
            assert process.stdout.readline() == "passed on\n"  # so the waiter has told the host of its program

            process.kill()
            process.wait()
            process.stdin.write("go on\n")
            process.stdin.close()

            assert process.stdout.readline() == "opened\n"


def children(pid: int) -> list[int]:
    """A process's children, in the order in which they were started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def status_of(pid: int) -> dict[str, str]:
    """What the kernel tells of a process (proc(5))."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def readable(descriptor: int, seconds: float) -> bool:
    """Wait for a descriptor to become readable; False where it does not in time."""
    return bool(select.select([descriptor], [], [], seconds)[0])
