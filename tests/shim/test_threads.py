"""Threads: as many as one likes, also more than have room in the channel at once."""

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import run_devshim

MODELS = Path(__file__).with_name("models.py")
HOT = f"/dev/hot0={MODELS}:Hot"


@pytest.mark.parametrize(("threads", "calls"), [(64, 100), (300, 10)])
def test_all_threads_are_answered(program: Callable[..., Path], threads: int, calls: int) -> None:
    outcome = run_devshim(program("threads"), "/dev/hot0", str(threads), str(calls), devices=[HOT], timeout=40)

    assert (outcome.returncode, outcome.stderr) == (0, ""), outcome.stdout
