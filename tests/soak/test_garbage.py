"""A host that answers garbage neither crashes a program, nor makes the shim write where the program did not offer."""

import os
from pathlib import Path

import pytest

from tests.soak.build import build
from tests.soak.garbage import NODE, GarbageHost

FIRST = int(os.environ.get("DEVSHIM_SOAK_SEED", "0"))
COUNT = max(2, int(os.environ.get("DEVSHIM_SOAK_EXAMPLES", "40")) // 20)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT))
def test_a_program_survives_whatever_its_host_answers(seed: int, tmp_path: Path) -> None:
    victim = build("victim", tmp_path)
    run = tmp_path / "run"
    run.mkdir()

    outcome = GarbageHost(run, seed).run(victim, NODE, "150")

    assert outcome.returncode == 0, f"{outcome.returncode}\n{outcome.stderr[-2000:]}"
