"""Devices in unmodified Node programs: programs/tour.js."""

import pytest
from targets.tours import METER, PROGRAMS, READINGS

pytestmark = pytest.mark.client("node")


def test_node_uses_devices_in_all_its_ways(tour):
    tour("node", PROGRAMS / "tour.js")


def test_a_device_is_the_standard_input_of_node(devshim_run):
    script = "exec node -e 'process.stdin.on(\"data\", data => process.stdout.write(data))' < /dev/meter0"

    outcome = devshim_run("sh", "-c", script, devices=[METER])

    assert (outcome.stdout, outcome.returncode) == (READINGS, 0), outcome.stderr


def test_a_device_is_the_standard_output_of_node(devshim_run):
    script = "node -e 'console.log(99)' > /dev/meter0 && node -e 'process.stdout.write(\"100\\n\")' > /dev/meter0"

    outcome = devshim_run("sh", "-c", script, devices=[METER], options=["-v"])

    assert outcome.returncode == 0, outcome.stderr
    assert 'write(/dev/meter0, "99\\n", 3) = 3' in outcome.stderr
