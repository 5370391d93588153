"""The I/O port in YAML, beside a second one on its bus, used with i2c-tools."""

import pytest


@pytest.mark.client("i2cget", "i2cset")
def test_two_ports_of_one_bus_are_written_and_read(devshim_run):
    script = "i2cset -y 1 0x41 1 0xf5; i2cget -y 1 0x41 1; i2cget -y 1 0x42 1; i2cget -y 1 0x41 0; i2cget -y 1 0x41 3"

    outcome = devshim_run("sh", "-c", script, devices=["/dev/i2c-1=pca9536", "/dev/i2c-1=pca9536,address=0x42"])

    assert outcome.stderr == ""
    assert outcome.stdout.split() == ["0xf5", "0xff", "0x0f", "0xff"]
