"""Input devices on USB: their parents, udev's links to them, and the list of all in /proc."""

from pathlib import Path

import pytest

from devshim import Input
from devshim import input_codes as codes
from devshim.devices import K120, Xbox360
from devshim.model.device import Link

LIST = Path("/proc/bus/input/devices")


class Knob(Input):
    """A device on USB for which udev's rules have no name, at the second interface."""

    name: str = "ACME Knob"
    phys: str = "usb-0000:00:14.0-3/input1"
    bus: int = codes.BUS_USB
    vendor: int = 0x1234

    relative = (codes.REL_DIAL,)


def links_to(device, node="/dev/input/event3", minor=67):
    around = device.surroundings(node, 13, minor)
    found = {path: str(to) for path, to in around.items() if path.startswith("/dev/input/") and isinstance(to, Link)}
    record = around[f"/run/udev/data/c13:{minor}"].decode()
    assert [line[2:] for line in record.splitlines() if line.startswith("S:")] == [path[5:] for path in found]
    return found


@pytest.mark.client("find")
def test_links_by_id_and_by_path_lead_to_a_device_on_usb(devshim_run):
    devices = ["/dev/input/event3=xbox360", "/dev/input/event4=k120"]
    outcome = devshim_run(
        "find", "/dev/input", "-type", "l", "-printf", "%P %l\n", devices=devices, options=["--hide-real"]
    )

    assert sorted(outcome.stdout.splitlines()) == [
        "by-id/usb-Logitech_USB_Keyboard-event-kbd ../event4",
        "by-id/usb-Microsoft_X-Box_360_pad-event-joystick ../event3",
        "by-id/usb-Microsoft_X-Box_360_pad-joystick ../js0",
        "by-path/platform-devshim_hcd.3-usb-0:4:1.0-event-joystick ../event3",
        "by-path/platform-devshim_hcd.3-usb-0:4:1.0-joystick ../js0",
        "by-path/platform-devshim_hcd.3-usb-0:5:1.0-event-kbd ../event4",
    ]


@pytest.mark.client("lsusb")
def test_lsusb_lists_a_keyboard(devshim_run):
    outcome = devshim_run("lsusb", "-d", "046d:", devices=["/dev/input/event4=k120"], options=["--hide-real"])

    assert outcome.stdout.startswith("Bus 093 Device 006: ID 046d:c31c ")


def test_links_name_the_interface_where_it_tells_more_than_the_kind():
    assert links_to(Knob()) == {
        "/dev/input/by-id/usb-ACME_Knob-event-if01": "../event3",
        "/dev/input/by-path/platform-devshim_hcd.3-usb-0:4:1.1-event": "../event3",
    }
    assert "/dev/input/by-id/usb-Logitech_USB_Keyboard-if01-event-kbd" in links_to(
        K120(phys="usb-0000:00:14.0-3/input1")
    )


def test_a_device_that_says_of_no_port_is_on_no_usb():
    assert links_to(K120(phys="")) == links_to(Xbox360(bus=codes.BUS_BLUETOOTH)) == {}
    around = K120(phys="").surroundings("/dev/input/event3", 13, 67)
    assert "/sys/devices/virtual/input/input3/name" in around


def test_proc_lists_the_devices_that_are_plugged_now(devshim):
    before = LIST.read_text() if LIST.exists() else ""
    pad = devshim.plug("/dev/input/event30", Xbox360())
    devshim.plug("/dev/input/event31", K120(uniq="1"))

    both = LIST.read_text()
    pad.unplug()
    left = LIST.read_text()

    assert (
        both.startswith(before) and both.count('N: Name="Microsoft X-Box 360 pad"\n') == before.count("X-Box 360") + 1
    )
    assert left == before + (
        "I: Bus=0003 Vendor=046d Product=c31c Version=0110\n"
        'N: Name="Logitech USB Keyboard"\n'
        "P: Phys=usb-0000:00:14.0-2/input0\n"
        "S: Sysfs=/devices/platform/devshim_hcd.3/usb93/93-32/93-32:1.0/0003:046D:C31C.D200/input/input31\n"
        "U: Uniq=1\n"
        "H: Handlers=sysrq kbd event31 leds \n"
        "B: PROP=0\nB: EV=120013\nB: KEY=e080ffdf01cfffff fffffffffffffffe\nB: MSC=10\nB: LED=1f\n\n"
    )
    devshim.unplug("/dev/input/event31")
    assert (LIST.read_text() if LIST.exists() else "") == before
