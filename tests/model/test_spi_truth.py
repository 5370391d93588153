"""spi-tools and python spidev print on models what they printed on real kernel drivers, and end alike."""

import shlex
import sys
from pathlib import Path

import pytest
from harness import run_devshim

TRUTH = Path(__file__).with_name("truth") / "spi"
CHIPS = TRUTH / "chips.py"
CASES = sorted(folder.name for folder in TRUTH.iterdir() if (folder / "cmd").exists())
DEVICES = [f"/dev/spidev0.0={CHIPS}:Loopback", f"/dev/spidev0.1={CHIPS}:Flash"]


def command(case):
    """The case's command line; a script that was run by Python is run by this one."""
    words = shlex.split((TRUTH / case / "cmd").read_text())
    return [sys.executable, str(TRUTH / case / "program")] if words[0] == "/usr/bin/python3" else words


@pytest.mark.parametrize("case", CASES)
@pytest.mark.client("spi-config", "spi-pipe")
def test_a_client_prints_and_ends_as_on_the_real_driver(case):
    words = command(case)
    if words[0] == sys.executable:
        pytest.importorskip("spidev")

    outcome = run_devshim(*words, devices=DEVICES)

    assert outcome.stdout == (TRUTH / case / "stdout").read_text()
    assert outcome.returncode == int((TRUTH / case / "rc").read_text())
