"""libhidapi-hidraw and PyPI's hidapi print on models what they printed on real kernel drivers, and end alike."""

import sys
from pathlib import Path

import pytest
from harness import run_devshim

TRUTH = Path(__file__).with_name("truth") / "hidraw"
MODELS = TRUTH / "devices.py"
CLASSES = ("Keyboard", "Mouse", "Tablet", "PenPartner", "Reference")
DEVICES = [f"/dev/hidraw{number}={MODELS}:{name}" for number, name in enumerate(CLASSES)]


def compare(case):
    outcome = run_devshim(sys.executable, TRUTH / case / "program", devices=DEVICES)

    assert outcome.stdout == (TRUTH / case / "stdout").read_text()
    assert outcome.returncode == int((TRUTH / case / "rc").read_text())


def test_hidapi_of_pypi_enumerates_what_it_enumerated_on_the_real_machine():
    pytest.importorskip("hidraw")

    compare("py-hidraw-enumerate")


@pytest.mark.client("libhidapi-hidraw")
def test_libhidapi_opens_names_writes_and_reads_as_on_the_real_driver():
    compare("hidapi-hidraw")
