"""Descriptors: one file under many numbers, in one process and over into others; what hangs on how it was opened."""

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Outcome, run_devshim

MODELS = Path(__file__).with_name("models.py")
HOT = f"/dev/hot0={MODELS}:Hot"
FORTIFIED = [f"-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE={level} -O2" for level in (0, 2, 3)]


def succeeds(outcome: Outcome) -> None:
    assert outcome.returncode == 0, f"{outcome.args}: {outcome.returncode}\n{outcome.stdout}{outcome.stderr}"


@pytest.mark.parametrize("flags", [*FORTIFIED, "-D_FILE_OFFSET_BITS=64"])
def test_copies_of_a_descriptor_are_the_device(program: Callable[..., Path], flags: str) -> None:
    succeeds(run_devshim(program("copies", *flags.split()), "/dev/hot0", devices=[HOT]))


@pytest.mark.parametrize("flags", ["", "-D_FORTIFY_SOURCE=2 -O2", "-D_FILE_OFFSET_BITS=64"])
@pytest.mark.parametrize("name", ["inherited", "pass_fd", "lowest", "full", "modes", "close_all", "raw_calls", "bad_pointers"])
def test_descriptors(program: Callable[..., Path], name: str, flags: str) -> None:
    if flags and name not in ("modes", "bad_pointers"):
        pytest.skip("the same either way")
    succeeds(run_devshim(program(name, *flags.split()), "/dev/hot0", devices=[HOT]))
