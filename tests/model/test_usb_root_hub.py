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


def test_a_device_without_power_is_gone_until_it_has_it_again(devshim):
    device = devshim.plug("/dev/ttyUSB0", "gps")
    hub = os.open("/dev/bus/usb/091/001", os.O_RDWR)

    ask(hub, 0x23, 1, 8, 1, 0)  # ClearPortFeature(PORT_POWER)
    assert ask(hub, 0xA3, 0, 0, 1, 4) == bytes(4)
    assert not os.path.exists("/dev/ttyUSB0") and not os.path.exists("/dev/bus/usb/091/002")
    assert Path("/sys/bus/usb/devices/usb91/idVendor").read_text() == "1d6b\n"
    ask(hub, 0x23, 3, 8, 1, 0)  # SetPortFeature(PORT_POWER)
    assert ask(hub, 0xA3, 0, 0, 1, 4) == b"\3\1\0\0"
    assert devshim.devices == {"/dev/ttyUSB0": device} and os.path.exists("/dev/bus/usb/091/002")
    os.close(hub)


@pytest.mark.parametrize(("request_", "value", "port"), [(1, 8, 0), (3, 8, 101), (3, 99, 1), (1, 99, 1)])
def test_ports_and_features_that_there_are_not_are_a_stall(devshim, request_, value, port):
    devshim.plug(NODE, Usbasp())
    hub = os.open(HUB, os.O_RDWR)
    with pytest.raises(BrokenPipeError):
        ask(hub, 0x23, request_, value, port, 0)
    os.close(hub)


@pytest.mark.client("uhubctl")
def test_uhubctl_switches_a_port_off_and_on(devshim_run):
    script = """
        uhubctl -S -l 91 -p 2 -a off | grep 'Port 2:'
        ls /dev | grep ttyUSB
        uhubctl -S -l 91 -p 2 -a on | grep 'Port 2:'
        ls /dev | grep ttyUSB
    """
    outcome = devshim_run("sh", "-c", script, devices=["/dev/ttyUSB1=gps"], options=["--hide-real"])

    lines = [line.strip() for line in outcome.stdout.splitlines()]
    assert lines[0].startswith("Port 2: 0103 power enable connect [0403:6001 FTDI FT232R USB UART")
    assert lines[1:4] == ["Port 2: 0000 off", "Port 2: 0000 off", "Port 2: 0103 power enable connect []"]
    assert lines[4:] == ["ttyUSB1"]
