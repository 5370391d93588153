"""iio_info and iio_attr print on a model what they printed on the kernel's iio_dummy, and end alike.

Left out of iio_info: what it says of itself, of the kernel, and of the two devices of that machine that are no model
here (iio_evgen and the software trigger); and its order, which is the file system's.
"""

import re
import shlex
from pathlib import Path

import pytest
from harness import run_devshim

TRUTH = Path(__file__).with_name("truth") / "iio"
DEVICE = f"/dev/iio:device0={TRUTH / 'devices.py'}:Refiio"


def run(case):
    return run_devshim(*shlex.split((TRUTH / case / "cmd").read_text()), devices=[DEVICE])


def of_the_device(text):
    """What iio_info says of the device, each line with what it belongs to; attributes by name and not by number."""
    found, above = [], ""
    for line in re.search(r"\tiio:device0: refiio.*?checking for trigger.*?\n", text, re.DOTALL)[0].splitlines():
        if re.match(r"\t\t(\t?\S+:  \(|\d)", line):
            above = line.strip()
        found.append((above, re.sub(r"attr +\d+:", "attr:", line)))
    return sorted(found)


@pytest.mark.client("iio_info")
def test_iio_info_shows_the_device_as_the_driver_did():
    outcome = run("info")

    assert of_the_device(outcome.stdout) == of_the_device((TRUTH / "info" / "stdout").read_text())
    assert outcome.returncode == int((TRUTH / "info" / "rc").read_text())


@pytest.mark.client("iio_attr")
@pytest.mark.parametrize("case", ["attr-read", "attr-write", "attr-bad", "attr-list"])
def test_iio_attr_does_as_it_did(case):
    outcome = run(case)

    assert outcome.stdout == (TRUTH / case / "stdout").read_text()
    assert outcome.stderr == (TRUTH / case / "stderr").read_text()
    assert outcome.returncode == int((TRUTH / case / "rc").read_text())
