"""Access: who belongs to the run has its devices, and nobody else."""

import os
import pwd
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import ROOT, devshim_command, devshim_environment, run_devshim

MODELS = Path(__file__).with_name("models.py")
HOT = f"/dev/hot0={MODELS}:Hot"
SHIM = ROOT / "devshim/shim/libdevshim.so"

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def run_directory() -> Iterator[str]:
    """The directory of a run that lives as long as the test."""
    script = "echo $DEVSHIM_RUN; head -c 8 /dev/hot0 > /dev/null; read end"
    command = [*devshim_command(), "run", "-d", HOT, "--", "sh", "-c", script]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=devshim_environment(),
    ) as run:
        assert run.stdout is not None
        yield run.stdout.readline().strip()
        _, said = run.communicate("end\n", timeout=60)
    assert "asked for a device of this run but does not belong to it; refused" in said


def outsider(directory: str, **how: object) -> subprocess.CompletedProcess[str]:
    """Read the device of a run that one does not belong to, with all that its own programs have."""
    environment = {"LD_PRELOAD": str(SHIM), "DEVSHIM_RUN": directory, "LC_ALL": "C", "PATH": os.environ["PATH"]}
    command = ["head", "-c", "8", "/dev/hot0"]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False, **how)  # type: ignore[call-overload,no-any-return]


def test_a_process_that_does_not_descend_from_the_run_is_refused(run_directory: str) -> None:
    outcome = outsider(run_directory)

    assert (outcome.stdout, outcome.returncode) == ("", 1)
    assert "Permission denied" in outcome.stderr


@needs_root
def test_another_user_is_refused_and_cannot_find_the_run(run_directory: str) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    listed = subprocess.run(["ls", run_directory], capture_output=True, user=nobody, check=False)
    assert listed.returncode != 0
    assert stat.S_IMODE(os.stat(run_directory).st_mode) == 0o711
    assert len(os.path.basename(run_directory)) >= 32
    around = os.path.dirname(run_directory)
    assert os.path.basename(around).startswith("devshim-")
    listed = subprocess.run(["ls", around], capture_output=True, text=True, user=nobody, check=False)
    assert (listed.returncode != 0, listed.stdout) == (True, "")

    outcome = outsider(run_directory, user=nobody)

    assert "12345678" not in outcome.stdout
    assert outcome.returncode == 1
    assert outsider(run_directory).returncode == 1


@needs_root
@pytest.mark.parametrize(("model", "answer"), [("Hot", "12345678"), ("Private", "")])
def test_the_nodes_mode_decides_for_a_process_that_changed_its_user(model: str, answer: str) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    script = f"import os; os.setgroups([]); os.setgid({nobody}); os.setuid({nobody}); print(open('/dev/hot0').read(8))"

    outcome = run_devshim("python3", "-c", script, devices=[f"/dev/hot0={MODELS}:{model}"])

    assert outcome.stdout.strip() == answer
    assert ("Permission denied" in outcome.stderr) == (not answer)


def test_the_registry_cannot_be_written_by_the_program() -> None:
    """It is mapped read-only, and its file is the host's."""
    outcome = run_devshim("sh", "-c", "cat /proc/self/maps", devices=[HOT])

    mapped = [line.split()[1] for line in outcome.stdout.splitlines() if line.endswith("/registry")]
    assert mapped == ["r--s"] * len(mapped) != []
