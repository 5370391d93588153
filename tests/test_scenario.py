"""Scenarios: devices that come and go while a program runs, as devshim.yml lists it."""

import pytest
from harness import run_devshim


@pytest.fixture
def config(tmp_path):
    """Return write(scenario): the path of a devshim.yml with a GPS at /dev/ttyUSB0, and these lines."""
    path = tmp_path / "devshim.yml"

    def write(scenario):
        path.write_text(f"version: 1\ndevices: [{{path: /dev/ttyUSB0, model: gps}}]\nscenario:\n{scenario}")
        return path

    return write


def test_a_port_comes_goes_and_comes_back(config):
    """The program waits for each step by looking; a real one would by inotify or udev."""
    steps = "".join(f"  - {{at: {at}, {what}: /dev/ttyUSB0}}\n" for at, what in
                    (("500ms", "plug"), (1, "unplug"), ("1.5 s", "plug")))  # fmt: skip
    script = """
        there() { until [ -e /dev/ttyUSB0 ]; do sleep 0.01; done; echo there; }
        gone() { while [ -e /dev/ttyUSB0 ]; do sleep 0.01; done; echo gone; }
        [ -e /dev/ttyUSB0 ] || echo not yet
        there; cat /dev/ttyUSB0 > /dev/null 2>&1; gone; there; [ -e /dev/serial/by-id ] && echo with links
    """

    outcome = run_devshim("bash", "-c", script, options=["-c", config(steps)])

    assert outcome.stdout.splitlines() == ["not yet", "there", "gone", "there", "with links"]
    assert outcome.returncode == 0


def test_a_step_that_never_comes_does_not_hold_the_run_up(config):
    outcome = run_devshim("echo", "done", options=["-c", config("  - {at: 10min, unplug: /dev/ttyUSB0}\n")], timeout=60)

    assert outcome.stdout == "done\n"


@pytest.mark.parametrize(
    ("scenario", "complaint"),
    [
        ("  - {at: 2x, unplug: /dev/ttyUSB0}\n", '4:10: "2x" is no time; write 2s, 500ms or 1min'),
        ("  - {at: -1, unplug: /dev/ttyUSB0}\n", "4:10: -1: a time is 0 or more"),
        ("  - {at: 1s, unplug: /dev/x}\n", "4:22: no device for /dev/x; list it under `devices`, or with -d"),
        ("  - {at: 1s, unplug: x}\n", '4:22: "x" is no node'),
        ("  - {at: 1s}\n", "4:5: a step is `plug: NODE` or `unplug: NODE`, one of them"),
        ("  - {at: 1s, plug: /dev/ttyUSB0, unplug: /dev/ttyUSB0}\n", "4:5: a step is `plug: NODE` or"),
        ("  - {at: 1s, pull: /dev/ttyUSB0}\n", '4:14: unknown key "pull"'),
        ("  - {unplug: /dev/ttyUSB0}\n", '4:5: "at" is missing'),
        (
            "  - {at: 2s, unplug: /dev/ttyUSB0}\n  - {at: 1s, unplug: /dev/ttyUSB0}\n",
            "4:22: /dev/ttyUSB0 is unplugged already at that time",
        ),
        (
            "  - {at: 1s, plug: /dev/ttyUSB0}\n  - {at: 2s, plug: /dev/ttyUSB0}\n",
            "5:20: /dev/ttyUSB0 is plugged already at that time",
        ),
    ],
)
def test_what_cannot_be_played_is_refused_with_its_place(config, scenario, complaint):
    path = config(scenario)

    outcome = run_devshim("true", options=["-c", path])

    assert outcome.returncode == 2
    assert f"devshim: {path}:{complaint}" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1
