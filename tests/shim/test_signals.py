"""Signals: calls made in handlers, left by siglongjmp, ended or not by a signal, and threads cancelled in them."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Outcome, run_devshim

MODELS = Path(__file__).with_name("models.py")
HOT = f"/dev/hot0={MODELS}:Hot"
MAILBOX = f"/dev/box0={MODELS}:Mailbox"
Build = Callable[..., Path]


def fine(outcome: Outcome) -> None:
    """Expect that a program ended with 0 and that nobody had anything to say."""
    assert (outcome.returncode, outcome.stderr) == (0, ""), f"{outcome.args}\n{outcome.stdout}{outcome.stderr}"


@pytest.mark.parametrize("how", ["handler", "handler-altstack"])
def test_a_handler_uses_the_device_in_the_middle_of_a_call(program: Build, how: str) -> None:
    fine(run_devshim(program("signals"), how, "/dev/hot0", devices=[HOT], timeout=60))


@pytest.mark.parametrize("how", ["jump", "jump-altstack"])
def test_ten_thousand_jumps_out_of_calls_leave_nothing_behind(program: Build, how: str) -> None:
    fine(run_devshim(program("signals"), how, "/dev/hot0", devices=[HOT], timeout=60))


@pytest.mark.parametrize("how", ["interrupted", "restarted"])
def test_a_signal_ends_a_waiting_call_unless_it_is_to_restart(program: Build, how: str) -> None:
    fine(run_devshim(program("signals"), how, "/dev/box0", devices=[MAILBOX], timeout=60))


def test_a_waiting_program_can_be_killed(program: Build) -> None:
    outcome = run_devshim(program("signals"), "killed", "/dev/box0", devices=[MAILBOX], timeout=60)

    assert outcome.returncode == 128 + signal.SIGALRM, outcome.stderr


def test_a_waiting_thread_can_be_cancelled(program: Build) -> None:
    fine(run_devshim(program("signals"), "cancelled", "/dev/box0", devices=[MAILBOX], timeout=60))
