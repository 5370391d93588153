"""The infrared transceiver: what ir-ctl and lircd receive and send by it, and what it refuses."""

import fcntl
import os
import struct
from errno import EAGAIN, EINVAL

import pytest
from harness import run_devshim

from devshim.devices import Mceusb
from devshim.devices.mceusb import nec

NODE = "/dev/lirc0"
LIRC_SET_REC_MODE, LIRC_SET_SEND_MODE = 0x40046912, 0x40046911
SCANCODE = 8


@pytest.mark.client("ir-ctl")
def test_ir_ctl_receives_what_a_real_receiver_gave_it():
    outcome = run_devshim("ir-ctl", "-1", "-r", "-d", NODE, devices=[f"{NODE}=mceusb,period=0.2"])

    # tests/trace/truth: receive, the same key
    assert outcome.stdout.startswith("+9008 -4504 +563 -563 +563 -1689 +563 -563 +563 -563 +563 -1689 +563 -563")
    assert [abs(int(number)) for number in outcome.stdout.split()] == nec(0x1234)


@pytest.mark.client("ir-ctl")
def test_ir_ctl_sends_pulses_and_scancodes(devshim, tmp_path):
    remote = devshim.plug(NODE, Mceusb())
    (tmp_path / "pulses").write_text("pulse 9000\nspace 4500\npulse 560\n")

    devshim.run("ir-ctl", "-d", NODE, "--carrier=36000", f"--send={tmp_path}/pulses")
    devshim.run("ir-ctl", "-d", NODE, "-S", "nec:0x1234")

    assert remote.sent == [[9000, 4500, 560], nec(0x1234)]
    assert remote.carrier_hertz == 36000


@pytest.fixture
def remote(devshim):
    return devshim.plug(NODE, Mceusb())


def test_each_open_has_a_mode_of_its_own(remote):
    raw, decoded = (os.open(NODE, os.O_RDWR | os.O_NONBLOCK) for _ in range(2))
    fcntl.ioctl(decoded, LIRC_SET_REC_MODE, struct.pack("I", SCANCODE))

    remote.press(0x0407)

    assert struct.unpack("<QHHIQ", os.read(decoded, 240))[4] == 0x0407
    assert len(os.read(raw, 4096)) == 4 * (len(nec(0x0407)) + 1)
    for fd in (raw, decoded):
        with pytest.raises(BlockingIOError) as failure:
            os.read(fd, 24)
        assert failure.value.errno == EAGAIN
        os.close(fd)


@pytest.mark.parametrize("data", [b"123", struct.pack("<2I", 9000, 4500)])
def test_pulses_begin_and_end_with_a_pulse(remote, data):
    with open(NODE, "wb", buffering=0) as node, pytest.raises(OSError, match="Invalid argument") as failure:
        node.write(data)
    assert failure.value.errno == EINVAL
    assert remote.sent == []
