"""Death: the host's, a target's, a model's; and devices that are pulled. Nobody hangs, and nothing is left."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Outcome, devshim_command, devshim_environment, run_devshim

MODELS = Path(__file__).with_name("models.py")
HOT = f"/dev/hot0={MODELS}:Hot"
MAILBOX = f"/dev/box0={MODELS}:Mailbox"
ECHO = f"/dev/ttyUSB0={MODELS}:Echo"
Build = Callable[..., Path]


def fine(outcome: Outcome) -> None:
    """Expect that a program ended with 0 and that nobody had anything to say."""
    assert (outcome.returncode, outcome.stderr) == (0, ""), f"{outcome.args}\n{outcome.stdout}{outcome.stderr}"


# ---- The host


def test_all_readers_get_to_know_of_the_hosts_death_within_a_second(program: Build, tmp_path: Path) -> None:
    outcome = run_devshim(
        program("host_lost"), "/dev/box0", "/dev/ttyUSB0", "20",
        devices=[MAILBOX, ECHO], env={"TMPDIR": str(tmp_path)}, timeout=60,
    )  # fmt: skip

    after = re.search(r"after (.*) s\n", outcome.stderr)
    assert after is not None, outcome.stderr
    assert float(after[1]) < 1
    assert outcome.stderr.count("the host of this run has ended; its devices are unplugged") == 1
    assert outcome.stderr.count("the host was lost (killed by signal 9)") == 1
    assert outcome.returncode == 1
    assert not os.listdir(tmp_path)


# ---- A target


def test_the_host_serves_others_after_a_target_was_killed_in_a_call(tmp_path: Path) -> None:
    slow = f"/dev/slow0={MODELS}:Slow,seconds=0.3"
    script = "cat /dev/slow0 & sleep 0.1; kill -9 $!; wait $!; echo $?; head -c 8 /dev/hot0; head -c 5 /dev/slow0"

    outcome = run_devshim("sh", "-c", script, devices=[HOT, slow], env={"TMPDIR": str(tmp_path)}, timeout=60)

    assert outcome.stdout == "137\n12345678slow\n"
    assert not os.listdir(tmp_path)


def test_a_killed_program_leaves_nothing_behind(tmp_path: Path) -> None:
    outcome = run_devshim("sh", "-c", "kill -9 $$", devices=[HOT, ECHO], env={"TMPDIR": str(tmp_path)}, timeout=60)

    assert (outcome.returncode, outcome.stderr) == (128 + signal.SIGKILL, "")
    assert not os.listdir(tmp_path)


def test_a_run_ended_by_a_signal_leaves_nothing_behind(tmp_path: Path) -> None:
    """The signal comes when the program is known to read: it has said so."""
    command = [*devshim_command(), "run", "-d", MAILBOX, "--", "sh", "-c", "echo reading; exec cat /dev/box0"]
    environment = devshim_environment({"TMPDIR": str(tmp_path)})
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "reading\n"
        run.send_signal(signal.SIGTERM)
        assert run.wait(10) == 128 + signal.SIGTERM
    assert not os.listdir(tmp_path)


# ---- A model


@pytest.mark.parametrize(
    ("how", "answers"),
    [
        ("raise", "open ok\nread Input/output error\nwrite Input/output error\nioctl Input/output error\n"),
        ("none", "open ok\nread Input/output error\nwrite Input/output error\nioctl Input/output error\n"),
        ("text", "open ok\nread Input/output error\nwrite Input/output error\nioctl Input/output error\n"),
        ("long", "open ok\nread Input/output error\nwrite Input/output error\nioctl Input/output error\n"),
        ("open", "open Input/output error\n"),
        ("open-type", "open Input/output error\n"),
    ],
)
def test_a_wrong_model_gives_eio_and_a_failure_of_the_run(program: Build, how: str, answers: str) -> None:
    outcome = run_devshim(program("calls"), "/dev/bad0", devices=[f"/dev/bad0={MODELS}:Bad,how={how}"])

    assert (outcome.returncode, outcome.stdout) == (1, answers)
    assert outcome.stderr.count("devshim: Bad at /dev/bad0 failed in ") == answers.count("error")


def test_an_errno_of_the_models_is_no_failure(program: Build) -> None:
    script = f"{program('calls')} /dev/bad0 | grep read"

    outcome = run_devshim("sh", "-c", script, devices=[f"/dev/bad0={MODELS}:Bad,how=errno"])

    assert outcome.stdout == "read No such device or address\n"


def test_a_models_failure_shows_where_and_gives_the_chosen_exit_code() -> None:
    options = ["--error-exitcode", "7"]

    outcome = run_devshim(
        "sh", "-c", "cat /dev/bad0 2>&1 || true", devices=[f"/dev/bad0={MODELS}:Bad"], options=options
    )

    assert (outcome.returncode, outcome.stdout) == (7, "cat: /dev/bad0: Input/output error\n")
    assert f'{MODELS}", line ' in outcome.stderr
    assert "ValueError: no good" in outcome.stderr


def test_a_program_that_fails_keeps_its_own_exit_code() -> None:
    outcome = run_devshim("sh", "-c", "cat /dev/bad0; exit 3", devices=[f"/dev/bad0={MODELS}:Bad"])

    assert outcome.returncode == 3


def test_a_model_that_sleeps_does_not_stop_what_a_port_has_already_said(program: Build) -> None:
    """The pty holds it: the host is not needed to read it."""
    slow = f"/dev/slow0={MODELS}:Slow,seconds=2.2"

    outcome = run_devshim(program("beside_sleeper"), "/dev/slow0", "/dev/ttyUSB0", devices=[slow, ECHO], timeout=60)

    assert outcome.returncode == 0, outcome.stderr
    assert "a model runs for more than a second" in outcome.stderr


# ---- The cable


def test_a_pulled_device_ends_all_calls_and_comes_back(program: Build) -> None:
    cable = f"/dev/cable0={MODELS}:Cable"
    fine(
        run_devshim(
            program("unplugged"), "/dev/cable0", "/dev/box0", "/dev/ttyUSB0", devices=[cable, MAILBOX, ECHO], timeout=60
        )
    )


def test_cat_on_a_pulled_port_ends_as_on_a_real_one() -> None:
    cable = f"/dev/cable0={MODELS}:Cable"
    script = "echo unplug /dev/ttyUSB0 > /dev/cable0 & cat /dev/ttyUSB0"

    outcome = run_devshim("sh", "-c", script, devices=[cable, ECHO], timeout=60)

    assert outcome.stderr in (
        "",
        "cat: /dev/ttyUSB0: Input/output error\n",
        "cat: /dev/ttyUSB0: No such device\n",
        "cat: /dev/ttyUSB0: No such file or directory\n",
    )


def test_time_is_not_spent_on_a_run_that_is_over() -> None:
    start = time.monotonic()
    fine(run_devshim("true", devices=[HOT, ECHO, MAILBOX]))
    assert time.monotonic() - start < 30
