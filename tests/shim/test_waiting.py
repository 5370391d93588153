"""Waiting: calls that find nothing wait in the kernel, and none is forgotten there."""

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Outcome, run_devshim

MODELS = Path(__file__).with_name("models.py")
MAILBOX = f"/dev/box0={MODELS}:Mailbox"
SMALL = f"{MAILBOX},capacity=2"
UNPOLLED = f"/dev/box0={MODELS}:Unpolled"
Build = Callable[..., Path]


def fine(outcome: Outcome) -> None:
    """Expect that a program ended with 0 and that nobody had anything to say."""
    assert (outcome.returncode, outcome.stderr) == (0, ""), f"{outcome.args}\n{outcome.stdout}{outcome.stderr}"


@pytest.mark.parametrize("model", [MAILBOX, UNPOLLED], ids=["polled", "unpolled"])
@pytest.mark.parametrize("how", ["read", "ioctl"])
def test_a_call_waits_until_there_is_something(program: Build, how: str, model: str) -> None:
    fine(run_devshim(program("waits"), how, "/dev/box0", devices=[model], timeout=60))


def test_a_nonblocking_call_does_not_wait(program: Build) -> None:
    fine(run_devshim(program("waits"), "nonblock", "/dev/box0", devices=[MAILBOX], timeout=60))


@pytest.mark.parametrize("how", ["poll", "select", "epoll", "edge"])
def test_readiness_wakes(program: Build, how: str) -> None:
    fine(run_devshim(program("waits"), how, "/dev/box0", devices=[MAILBOX], timeout=60))


def test_two_hundred_processes_that_wait_on_one_file_all_get_theirs(program: Build) -> None:
    fine(run_devshim(program("waits"), "several", "/dev/box0", devices=[MAILBOX], timeout=40))


@pytest.mark.parametrize("model", [SMALL, f"{UNPOLLED},capacity=2"], ids=["polled", "unpolled"])
def test_a_write_waits_for_room(program: Build, model: str) -> None:
    fine(run_devshim(program("waits"), "write", "/dev/box0", devices=[model], timeout=60))


@pytest.mark.parametrize("model", [SMALL, f"{UNPOLLED},capacity=2"], ids=["polled", "unpolled"])
def test_room_can_be_polled_for(program: Build, model: str) -> None:
    fine(run_devshim(program("waits"), "room", "/dev/box0", devices=[model], timeout=60))


def test_an_open_waits_until_the_model_lets_it_in(program: Build) -> None:
    devices = [f"/dev/door0={MODELS}:Door", f"/dev/bell0={MODELS}:Bell"]
    fine(run_devshim(program("waits"), "open", "/dev/door0", "/dev/bell0", devices=devices, timeout=60))


@pytest.mark.parametrize("model", [MAILBOX, UNPOLLED], ids=["polled", "unpolled"])
def test_no_wake_up_is_lost_though_readers_are_killed(program: Build, model: str) -> None:
    fine(run_devshim(program("storm"), "/dev/box0", "5000", devices=[model], timeout=60))
