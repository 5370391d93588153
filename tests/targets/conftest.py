"""What the tests of programs in many languages share: the devices, a run that must succeed, and compiled programs."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from harness import Outcome
from targets.tours import DEVICES


@pytest.fixture
def tour(devshim_run: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """Return run(*command): a program on all devices, which must say "ok" of each of its checks and end with 0."""

    def run(*command: str | Path, options: Sequence[str] = ()) -> Outcome:
        outcome = devshim_run(*command, devices=DEVICES, options=options, env={"LC_ALL": "C.UTF-8", "TZ": "UTC"})
        said = outcome.stdout.splitlines()
        wrong = [line for line in said if not line.startswith("ok ")]
        assert outcome.returncode == 0 and said and not wrong, f"{outcome.stdout}\n{outcome.stderr}"
        assert "Traceback" not in outcome.stderr, outcome.stderr
        return outcome

    return run


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return build(name, command): the folder into which a compiler wrote, run once a session.

    command is the compiler's words, in which "{}" stands for the folder.
    """
    base = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent  # the workers' common one

    def build(name: str, command: Sequence[str | Path]) -> Path:
        folder = base / f"compiled-{name}"
        if not folder.exists():
            building = Path(tempfile.mkdtemp(prefix=f"building-{name}-", dir=base))
            words = [str(word).replace("{}", str(building)) for word in command]
            built = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
            assert built.returncode == 0, f"{' '.join(words)}\n{built.stdout}{built.stderr}"
            try:
                building.rename(folder)
            except OSError:  # another worker was faster
                shutil.rmtree(building)
        return folder

    return build
