"""Calls where the stack is as small as the system allows: in signal handlers, and in threads that start programs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Outcome, run_devshim

HOT = f"/dev/hot0={Path(__file__).with_name('models.py')}:Hot"
BOUND = ("-Wl,-z,now", "-pthread")  # the program's own functions are found before it begins
Build = Callable[..., Path]


def fine(outcome: Outcome) -> None:
    """Expect that a program ended with 0 and that nobody had anything to say."""
    assert (outcome.returncode, outcome.stderr) == (0, ""), f"{outcome.args}\n{outcome.stdout}{outcome.stderr}"


def test_a_handler_reads_and_writes_with_hardly_more_stack_than_its_signal_takes(program: Build) -> None:
    fine(run_devshim(program("small_stacks", *BOUND), "handler", "/dev/hot0", devices=[HOT], timeout=60))


@pytest.mark.parametrize("how", ["execve", "execvp", "posix_spawn", "posix_spawnp"])
def test_a_thread_with_the_least_stack_starts_a_program(program: Build, how: str) -> None:
    fine(run_devshim(program("small_stacks", *BOUND), how, "/dev/hot0", devices=[HOT], timeout=60))
