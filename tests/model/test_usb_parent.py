"""The nodes of USB devices that ports, HID and input devices hang from: they come, go and agree with these and /sys."""

import os
from pathlib import Path

import pytest
from usbfs import Usbfs

from devshim import UsbDevice

ON_USB = {
    "/dev/ttyUSB0": ("gps", "/dev/bus/usb/091/002"),
    "/dev/ttyACM4": ("modem", "/dev/bus/usb/092/006"),
    "/dev/hidraw1": ("usb_relay", "/dev/bus/usb/090/003"),
    "/dev/input/event2": ("k120", "/dev/bus/usb/093/004"),
}


@pytest.mark.client("libusb.h")
@pytest.mark.parametrize("node", ON_USB)
def test_a_program_that_opens_each_device_is_told_of_none_that_has_gone(program, devshim_run, node):
    name, usb = ON_USB[node]
    outcome = devshim_run(program("usb_each", "-lusb-1.0"), devices=[f"{node}={name}"], options=["--hide-real"])

    assert sorted(outcome.stdout.splitlines()) == ["1: opened", f"{int(usb[-3:])}: opened", "done"]
    assert outcome.stderr == ""


@pytest.mark.parametrize("node", ON_USB)
def test_node_and_sys_say_the_same(devshim, node):
    name, usb = ON_USB[node]
    devshim.plug(node, name)

    bus, number = int(usb[-7:-4]), int(usb[-3:])
    device, hub = (Path("/sys/bus/usb/devices", name) for name in (f"{bus}-{number - 1}", f"usb{bus}"))
    assert Path(usb).read_bytes() == (device / "descriptors").read_bytes()
    assert Path(f"{usb[:-3]}001").read_bytes() == (hub / "descriptors").read_bytes()
    shown = os.stat(usb).st_rdev
    assert device.joinpath("dev").read_text() == f"{os.major(shown)}:{os.minor(shown)}\n"


def test_the_node_goes_with_the_device_and_the_hub_stays(devshim):
    device = devshim.plug("/dev/ttyUSB0", "gps")
    assert sorted(os.listdir("/dev/bus/usb/091")) == ["001", "002"]

    device.unplug()

    assert os.listdir("/dev/bus/usb/091") == ["001"]


def test_who_pulls_the_usb_device_pulls_the_port(devshim):
    devshim.plug("/dev/ttyUSB0", "gps")

    devshim.unplug("/dev/bus/usb/091/002")

    assert not os.path.exists("/dev/ttyUSB0")


def test_functions_of_one_device_share_its_node(devshim):
    devshim.plug("/dev/ttyACM0", "pico_circuitpython")
    path = Path("/sys/bus/usb/devices/94-1")

    data = Path("/dev/bus/usb/094/002").read_bytes()

    assert data == path.joinpath("descriptors").read_bytes()
    numbers = {data[at + 2] for at in range(len(data) - 8) if data[at : at + 2] == b"\t\x04"}
    assert numbers == {int(one.name[-1]) for one in path.glob("94-1:1.*")} == {0, 1, 3}
    with Usbfs("/dev/bus/usb/094/002") as usb:
        assert [usb.driver(number) for number in sorted(numbers)] == ["cdc_acm", "cdc_acm", "usbhid"]


def test_an_interface_is_its_drivers_until_it_is_taken(devshim):
    devshim.plug("/dev/ttyUSB0", "gps")

    with Usbfs("/dev/bus/usb/091/002") as usb:
        assert usb.driver(0) == "ftdi_sio"
        with pytest.raises(OSError, match="Device or resource busy"):
            usb.claim()
        usb.detach()
        usb.claim()
        assert usb.driver(0) == "usbfs"


def test_its_texts_are_those_of_the_adapter(devshim):
    devshim.plug("/dev/ttyUSB0", "gps")

    with Usbfs("/dev/bus/usb/091/002") as usb:
        assert usb.control(0x80, 6, 0x0302, 0x0409, 255)[2:].decode("utf-16-le") == "FT232R USB UART"


def test_what_is_plugged_there_already_stays(devshim):
    class Mine(UsbDevice):
        product: str = "mine"

    mine = devshim.plug("/dev/bus/usb/091/002", Mine())
    devshim.plug("/dev/ttyUSB0", "gps")

    assert Path("/dev/bus/usb/091/002").read_bytes() == mine.device_descriptor() + mine.configuration_descriptors()[0]


@pytest.mark.client("lsusb")
def test_a_recording_of_the_node_has_all_that_a_replay_needs(devshim_verb, tmp_path):
    trace, lsusb = str(tmp_path / "usb.trace"), ("--hide-real", "--", "lsusb", "-v")

    recorded = devshim_verb("record", "-o", trace, "-d", "/dev/ttyUSB0=gps", *lsusb)
    replayed = devshim_verb("replay", trace, *lsusb)

    assert "iProduct                2 FT232R USB UART" in recorded.stdout
    assert (replayed.returncode, replayed.stdout, replayed.stderr) == (0, recorded.stdout, "")
