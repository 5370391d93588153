"""Signals: calls made in handlers, left by siglongjmp, ended or not by a signal, and threads cancelled in them."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Outcome, run_devshim

from devshim import embedding
from devshim.cli.seccomp import problem

MODELS = Path(__file__).with_name("models.py")
HOT = f"/dev/hot0={MODELS}:Hot"
MAILBOX = f"/dev/box0={MODELS}:Mailbox"
INSIDE = pytest.mark.skipif(embedding.shared_library() is None, reason="this Python has no shared libpython")
Build = Callable[..., Path]


def fine(outcome: Outcome) -> None:
    """Expect that a program ended with 0 and that nobody had anything to say."""
    assert (outcome.returncode, outcome.stderr) == (0, ""), f"{outcome.args}\n{outcome.stdout}{outcome.stderr}"


@pytest.mark.parametrize("how", ["handler", "handler-altstack"])
def test_a_handler_uses_the_device_in_the_middle_of_a_call(program: Build, how: str) -> None:
    fine(run_devshim(program("signals"), how, "/dev/hot0", devices=[HOT], timeout=60))


@pytest.mark.parametrize("how", ["jump", "jump-altstack"])
def test_ten_thousand_jumps_out_of_calls_leave_nothing_behind(program: Build, how: str) -> None:
    fine(run_devshim(program("signals"), how, "/dev/hot0", devices=[HOT], timeout=150))


@pytest.mark.parametrize("how", ["interrupted", "restarted"])
def test_a_signal_ends_a_waiting_call_unless_it_is_to_restart(program: Build, how: str) -> None:
    fine(run_devshim(program("signals"), how, "/dev/box0", devices=[MAILBOX], timeout=60))


@pytest.mark.skipif(problem() is not None, reason=f"the engine seccomp does not work here: {problem()}")
def test_under_a_supervisor_a_signal_before_a_wait_ends_it_too(program: Build) -> None:
    arguments = ("interrupted-often", "/dev/box0")
    fine(run_devshim(program("signals"), *arguments, devices=[MAILBOX], options=["--engine", "seccomp"], timeout=60))


def test_a_child_that_a_handler_forks_in_the_middle_of_a_call_finds_it_interrupted(
    program: Build, tmp_path: Path
) -> None:
    arguments = ("forks", "/dev/box0", str(tmp_path / "forked"))
    fine(run_devshim(program("signals"), *arguments, devices=[f"/dev/box0={MODELS}:Signaller"], timeout=60))


def test_a_waiting_program_can_be_killed(program: Build) -> None:
    outcome = run_devshim(program("signals"), "killed", "/dev/box0", devices=[MAILBOX], timeout=60)

    assert outcome.returncode == 128 + signal.SIGALRM, outcome.stderr


@pytest.mark.parametrize(
    ("how", "node", "model", "times"),
    [
        ("handler", "/dev/hot0", HOT, ()),
        ("jump", "/dev/hot0", HOT, ("1000",)),
        ("jump-altstack", "/dev/hot0", HOT, ("1000",)),
        ("jump-waiting", "/dev/box0", MAILBOX, ("300",)),
        ("interrupted", "/dev/box0", MAILBOX, ()),
        ("restarted", "/dev/box0", MAILBOX, ()),
        ("cancelled", "/dev/box0", MAILBOX, ()),
        ("cancelled-at-work", "/dev/hot0", HOT, ()),
    ],
)
@INSIDE
def test_with_the_host_inside_no_signal_and_no_cancellation_leaves_it_locked(
    program: Build, how: str, node: str, model: str, times: tuple[str, ...]
) -> None:
    arguments = (how, node, *times)
    fine(run_devshim(program("signals"), *arguments, devices=[model], options=["--in-process"], timeout=60))


def test_jumps_out_of_waiting_calls_leave_nothing_behind(program: Build) -> None:
    fine(run_devshim(program("signals"), "jump-waiting", "/dev/box0", "1500", devices=[MAILBOX], timeout=60))


def test_a_waiting_thread_can_be_cancelled(program: Build) -> None:
    fine(run_devshim(program("signals"), "cancelled", "/dev/box0", devices=[MAILBOX], timeout=60))


def test_a_thread_cancelled_in_fread_leaves_the_stream_unlocked(program: Build) -> None:
    fine(run_devshim(program("signals"), "cancelled-in-a-stream", "/dev/box0", devices=[MAILBOX], timeout=60))
