"""The node of a bus' root hub: programs that open every device, what it says of itself, and of its ports."""

import fcntl
import os
import struct
from ctypes import addressof, create_string_buffer
from pathlib import Path

import pytest

from devshim.devices import Usbasp
from devshim.model.usb_sysfs import PORTS

NODE = "/dev/bus/usb/095/002"
HUB = "/dev/bus/usb/095/001"
CONTROL = 0xC0185500  # USBDEVFS_CONTROL of linux/usbdevice_fs.h


@pytest.mark.client("libusb.h")
def test_a_program_that_opens_each_device_is_told_of_none_that_has_gone(program, devshim_run):
    outcome = devshim_run(program("usb_each", "-lusb-1.0"), devices=[f"{NODE}=usbasp"], options=["--hide-real"])

    assert sorted(outcome.stdout.splitlines()) == ["1: opened", "2: opened", "done"]
    assert outcome.stderr == ""


def test_node_and_sys_say_the_same_of_the_hub(devshim):
    devshim.plug(NODE, Usbasp())

    descriptors = Path("/sys/bus/usb/devices/usb95/descriptors").read_bytes()
    assert Path(HUB).read_bytes() == descriptors
    assert os.stat(HUB).st_rdev == os.makedev(189, 94 * 128)


def ask(hub, request_type, request, value, index, size):
    data = create_string_buffer(size)
    setup = bytearray(struct.pack("@BBHHHIP", request_type, request, value, index, size, 1000, addressof(data)))
    length = fcntl.ioctl(hub, CONTROL, setup)
    return data.raw[:length]


def test_a_hub_has_ports_and_knows_which_are_in_use(devshim):
    devshim.plug(NODE, Usbasp())
    device = devshim.plug("/dev/bus/usb/095/004", Usbasp())
    hub = os.open(HUB, os.O_RDWR)

    assert ask(hub, 0xA0, 6, 0x2900, 0, 4)[:3] == bytes([7 + 2 * (PORTS // 8 + 1), 0x29, PORTS])
    assert [ask(hub, 0xA3, 0, 0, port, 4)[0] & 1 for port in (1, 2, 3)] == [1, 0, 1]
    device.unplug()
    assert ask(hub, 0xA3, 0, 0, 3, 4)[0] & 1 == 0
    os.close(hub)
