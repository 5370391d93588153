"""Calls that few programs make: a device answers as the kernel's own terminal or attribute does, line for line."""

import difflib
import os
import pty
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import Outcome, run, run_devshim

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


@pytest.mark.parametrize("client", ["manners", "rare"])
@pytest.mark.parametrize("model", [f"{MODELS}:Echo", f"{MODELS}:Hot"])
def test_a_device_answers_unusual_calls_as_a_terminal_of_the_kernel(
    program: Build, terminal: str, model: str, client: str
) -> None:
    native = run([str(program(client)), terminal])
    assert native.returncode == 0, native.stderr

    plugged = run_devshim(program(client), "/dev/manners0", devices=[f"/dev/manners0={model}"])

    if os.getuid():  # only root may remove what is in /dev/pts; in a run's /dev everybody may
        removal = "AT_REMOVEDIR): -1 "
        native.stdout = native.stdout.replace(f"{removal}Permission denied", f"{removal}Not a directory")
    same(native, plugged)


def test_a_file_of_sysfs_answers_as_one_of_the_kernel(program: Build) -> None:
    own = Path("/sys/class/net/lo/tx_queue_len")
    if not os.access(own, os.W_OK) or statvfs_is_read_only(own):
        pytest.skip("needs an attribute of the kernel that one may write")
    native = run([str(program("attribute")), str(own), own.read_text()])
    assert native.returncode == 0, native.stderr

    plugged = run_devshim(
        program("attribute"), "/sys/class/leds/light/brightness", "255\n", devices=["/sys/class/leds/light=pca9633"]
    )

    same(native, plugged)


def statvfs_is_read_only(path: Path) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def same(native: Outcome, plugged: Outcome) -> None:
    assert plugged.returncode == 0, plugged.stderr
    wrong = [line for line in difflib.ndiff(native.stdout.splitlines(), plugged.stdout.splitlines()) if line[0] in "+-"]
    assert not wrong, "-: the kernel, +: devshim\n" + "\n".join(wrong)
