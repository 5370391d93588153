"""gpiod's tools and PyPI's gpiod do on models what they did on gpio-sim, and end alike."""

import re
import shlex
import sys
from pathlib import Path

import pytest
from harness import run_devshim

TRUTH = Path(__file__).with_name("truth") / "gpio"
CHIPS = TRUTH / "chips.py"
CASES = sorted(folder.name for folder in TRUTH.iterdir() if (folder / "cmd").exists())

#: What was so on the real chips when a case was taken: parameters of Refbank.
STATES = {
    "get-active-low": ",pressed=true",
    "get-high": ",pressed=true",
    "mon": ",pressed=true,stimulus=down up down up down",
    "mon-falling-fmt": ",stimulus=down up down",
    "py-gpiod2": ",led_out=true,stimulus=down up down",
}

#: What runs of one command differ in, with the reason.
SET_ASIDE = [
    (r"timestamp: \[ *[0-9.]+\]", "the time since boot"),
    (r"^[0-9]+\.[0-9]+\.[0-9]+$", "the version of PyPI's gpiod"),
]

#: The transcript was stopped after 30 s of waiting for a second falling edge, which does not come.
PATIENCE = {"mon-falling-fmt": ["timeout", "2"]}


def devices(case=""):
    return [f"/dev/gpiochip0={CHIPS}:Refbank{STATES.get(case, '')}", f"/dev/gpiochip1={CHIPS}:Node1"]


def command(case):
    words = shlex.split((TRUTH / case / "cmd").read_text())
    if words[0] == "/usr/bin/python3":
        return [sys.executable, str(TRUTH / case / "program")]
    return [*PATIENCE.get(case, []), *words]


def comparable(text):
    for pattern, _ in SET_ASIDE:
        text = re.sub(pattern, "…", text, flags=re.MULTILINE)
    return text


def said(stderr):
    """The program's own words on stderr; devshim names the nodes that are missing."""
    return "".join(line for line in stderr.splitlines(keepends=True) if not line.startswith("devshim:"))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.client("gpiodetect", "gpioinfo", "gpioget", "gpioset", "gpiomon", "gpiofind")
def test_a_client_prints_and_ends_as_on_the_real_driver(case):
    if command(case)[0] == sys.executable:
        pytest.importorskip("gpiod")

    outcome = run_devshim(*command(case), devices=devices(case))

    expected = TRUTH / case / "stderr"
    assert comparable(outcome.stdout) == comparable((TRUTH / case / "stdout").read_text())
    assert said(outcome.stderr) == (expected.read_text() if expected.exists() else "")
    assert outcome.returncode == int((TRUTH / case / "rc").read_text())


@pytest.mark.client("gpioset", "gpioget", "gpioinfo")
def test_a_line_keeps_its_last_output_after_its_release():
    outcome = run_devshim(
        "sh", "-c", "gpioset gpiochip0 1=1 2=0; gpioinfo gpiochip0; gpioget gpiochip0 1", devices=devices()
    )

    lines = outcome.stdout.splitlines()
    assert lines[2].split() == ["line", "1:", '"led"', "unused", "output", "active-high"]
    assert lines[-1] == "1"
