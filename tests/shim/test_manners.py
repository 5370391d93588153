"""Calls that few programs make: a plugged device answers as the kernel's own terminal does, line for line."""

import difflib
import os
import pty
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import run, run_devshim

MODELS = Path(__file__).with_name("models.py")
Build = Callable[..., Path]


@pytest.fixture
def terminal() -> Iterator[str]:
    """The name of one of the kernel's own terminals."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(slave)
    os.close(master)


@pytest.mark.parametrize("model", [f"{MODELS}:Echo", f"{MODELS}:Hot"])
def test_a_device_answers_unusual_calls_as_a_terminal_of_the_kernel(program: Build, terminal: str, model: str) -> None:
    native = run([str(program("manners")), terminal])
    assert native.returncode == 0, native.stderr

    plugged = run_devshim(program("manners"), "/dev/manners0", devices=[f"/dev/manners0={model}"])

    assert plugged.returncode == 0, plugged.stderr
    wrong = [line for line in difflib.ndiff(native.stdout.splitlines(), plugged.stdout.splitlines()) if line[0] in "+-"]
    assert not wrong, "-: the kernel, +: devshim\n" + "\n".join(wrong)
