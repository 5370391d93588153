"""aio(7) on devices that compute: as on a kernel's own device, with which each program is tried first."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Outcome, run_devshim
from recordings import record

from devshim import embedding

MODELS = Path(__file__).with_name("models.py")
INSIDE = pytest.param(
    ["--in-process"],
    marks=pytest.mark.skipif(embedding.shared_library() is None, reason="this Python has no shared libpython"),
    id="inside",
)
Build = Callable[..., Path]


def fine(outcome: Outcome) -> None:
    """Expect that a program ended with 0 and that nobody had anything to say."""
    assert (outcome.returncode, outcome.stderr) == (0, ""), f"{outcome.args}\n{outcome.stdout}{outcome.stderr}"


@pytest.mark.parametrize("host", [pytest.param([], id="beside"), INSIDE])
def test_requests_are_carried_out_alone_and_in_lists(program: Build, host: list[str], tmp_path: Path) -> None:
    binary = program("aio", "-pthread", "-lrt")
    subprocess.run([binary, "/dev/zero", tmp_path / "file"], check=True, timeout=60)
    (tmp_path / "file").unlink()

    hot = [f"/dev/hot0={MODELS}:Hot"]
    fine(run_devshim(binary, "/dev/hot0", tmp_path / "file", devices=hot, options=host, timeout=60))


def test_requests_wait_for_a_device_one_after_the_other_and_can_be_called_off(program: Build, tmp_path: Path) -> None:
    binary = program("aio_waits", "-pthread", "-lrt")
    os.mkfifo(tmp_path / "fifo")
    subprocess.run([binary, tmp_path / "fifo"], check=True, timeout=60)

    fine(run_devshim(binary, "/dev/box0", devices=[f"/dev/box0={MODELS}:Mailbox"], timeout=60))


def test_requests_on_a_recorded_device_are_in_the_trace(program: Build, tmp_path: Path) -> None:
    trace = tmp_path / "aio.trace"
    binary = program("aio_waits", "-pthread", "-lrt")

    record(trace, binary, "/dev/box0", devices=[f"/dev/box0={MODELS}:Mailbox"])

    assert [text for text in ("first", "again", "three") if f'"{text}"' not in trace.read_text()] == []
