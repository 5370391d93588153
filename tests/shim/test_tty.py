"""termios(3) on plugged ports, as programs see it by their libc."""

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import run_devshim

Build = Callable[..., Path]


@pytest.mark.parametrize("version", ["2.36", "2.42", "2.43"])
def test_speeds_are_codes_or_numbers_as_the_version_of_libc_has_them(program: Build, version: str) -> None:
    outcome = run_devshim(program("speeds", "-rdynamic"), "/dev/ttyUSB0", version, devices=["/dev/ttyUSB0=modem"])

    assert (outcome.returncode, outcome.stderr) == (0, "")
