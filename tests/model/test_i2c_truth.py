"""i2c-tools and smbus2 print on models what they printed on real kernel drivers, and end alike."""

import shlex
import sys
from pathlib import Path

import pytest
from harness import run_devshim

TRUTH = Path(__file__).with_name("truth") / "i2c"
BUSES = TRUTH / "buses.py"
CASES = sorted(folder.name for folder in TRUTH.iterdir() if (folder / "cmd").exists())

#: Cases that were taken while the lm75 driver held 0x48.
BOUND = {"busy", "busy-force", "detect-busy"}


def devices(case=""):
    bound = ",bound=true" if case in BOUND else ""
    return [f"/dev/i2c-0={BUSES}:I801", f"/dev/i2c-1={BUSES}:Stub{bound}", f"/dev/i2c-2={BUSES}:Plain"]


def command(case):
    """The case's command line; a script that was run by Python is run by this one."""
    words = shlex.split((TRUTH / case / "cmd").read_text())
    if words[0] == "/usr/bin/python3":
        return [sys.executable, str(TRUTH / case / "program")]
    return words


@pytest.mark.parametrize("case", CASES)
@pytest.mark.client("i2cdetect", "i2cget", "i2cset", "i2cdump", "i2ctransfer")
def test_a_client_prints_and_ends_as_on_the_real_driver(case):
    words = command(case)
    if words[0] == sys.executable:
        pytest.importorskip("smbus2")

    outcome = run_devshim(*words, devices=devices(case), options=["--hide-real"])

    assert outcome.stdout == (TRUTH / case / "stdout").read_text()
    assert outcome.returncode == int((TRUTH / case / "rc").read_text())


@pytest.mark.client("i2cget", "i2cset", "i2cdump")
def test_what_clients_write_is_what_the_next_ones_read():
    cases = ["set-b", "get-b", "get-c", "set-w-mask", "get-w", "set-block", "dump-b", "dump-i", "dump-w"]
    script = "; ".join((TRUTH / case / "cmd").read_text().strip() for case in cases)

    outcome = run_devshim("sh", "-c", script, devices=[f"/dev/i2c-1={BUSES}:Stub,empty=true"])

    assert outcome.stdout == "".join((TRUTH / case / "stdout").read_text() for case in cases)
    assert outcome.returncode == 0
