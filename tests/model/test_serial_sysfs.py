"""What is around a serial port: the adapter that list_ports shows, the links by which scripts find it, its record."""

import os
import sys

import pytest
from harness import run_devshim

from devshim import Serial
from devshim.model.device import Link

LIST = """
from serial.tools.list_ports import comports
for p in sorted(comports()):
    print(p.device, p.hwid, "|", p.description)
"""


def around(node, major, minor, **parameters):
    return Serial(**parameters).surroundings(node, major, minor)


def test_pyserial_lists_ports_with_their_adapters():
    pytest.importorskip("serial")
    devices = [
        "/dev/ttyUSB0=gps", "/dev/ttyUSB11=gps,usb_id=1a86:7523,usb_product=USB Serial", "/dev/ttyACM2=gps",
        "/dev/ttyS3=gps",
    ]  # fmt: skip

    outcome = run_devshim(sys.executable, "-c", LIST, devices=devices, options=["--hide-real"])

    assert outcome.stdout.splitlines() == [
        "/dev/ttyACM2 USB VID:PID=0525:A4A7 SER=DS000002 LOCATION=92-3:1.0 | Gadget Serial v2.4",
        "/dev/ttyS3 PNP0501 | ttyS3",
        "/dev/ttyUSB0 USB VID:PID=0403:6001 SER=DS000000 LOCATION=91-1 | FT232R USB UART",
        "/dev/ttyUSB11 USB VID:PID=1A86:7523 SER=DS000011 LOCATION=91-12 | USB Serial",
    ]


def test_links_by_id_and_by_path_lead_to_the_port():
    script = "cd /dev/serial; for l in by-*/*; do echo $l $(readlink $l) $(readlink -f $l); done; head -c 6 by-id/*"

    outcome = run_devshim("sh", "-c", script, devices=["/dev/ttyUSB0=gps"], options=["--hide-real"])

    assert outcome.stdout.splitlines() == [
        "by-id/usb-FTDI_FT232R_USB_UART_DS000000-if00-port0 ../../ttyUSB0 /dev/ttyUSB0",
        "by-path/platform-devshim_hcd.1-usb-0:1:1.0-port0 ../../ttyUSB0 /dev/ttyUSB0",
        "$GPRMC",
    ]


def test_an_ftdis_latency_timer_is_set_as_programs_do():
    script = "cd /sys/bus/usb-serial/devices/ttyUSB0; cat latency_timer; echo 1 > latency_timer; cat latency_timer"

    outcome = run_devshim("sh", "-c", script, devices=["/dev/ttyUSB0=gps"])

    assert outcome.stdout == "16\n1\n"


@pytest.mark.parametrize(
    ("usb_id", "driver"),
    [("0403:6015", "ftdi_sio"), ("10c4:ea60", "cp210x"), ("067b:2303", "pl2303"), ("1209:0001", "usbserial_generic")],
)
def test_the_driver_goes_by_the_vendor(usb_id, driver):
    found = around("/dev/ttyUSB3", 188, 3, usb_id=usb_id)

    assert f"/sys/bus/usb-serial/drivers/{driver}/ttyUSB3" in found
    assert any(path.endswith("/latency_timer") for path in found) == (driver == "ftdi_sio")


def test_all_links_lead_to_what_is_there():
    for node, numbers in (("/dev/ttyUSB0", (188, 0)), ("/dev/ttyACM1", (166, 1)), ("/dev/ttyS0", (4, 64)),
                          ("/dev/ttyAMA0", (204, 64))):  # fmt: skip
        found = around(node, *numbers)
        there = {path.rpartition("/")[0] + "/" for path in found}
        for path, content in found.items():
            if isinstance(content, Link) and path.startswith("/sys/") and not path.endswith(("/subsystem", "/driver")):
                leads_to = os.path.normpath(os.path.join(os.path.dirname(path), content)) + "/"
                assert any(directory.startswith(leads_to) for directory in there), path


def test_ports_far_apart_are_at_places_of_their_own():
    places = [
        next(path for path in around(f"/dev/tty{family}{number}", 188, number) if path.endswith("/idVendor"))
        for family in ("USB", "ACM") for number in (0, 1, 99, 100, 250, 999)
    ]  # fmt: skip

    assert len(set(places)) == len(places)


def test_other_nodes_have_nothing_around_them():
    assert around("/dev/gps0", 512, 0) == around("/opt/ttyUSB0", 188, 0) == {}


def test_an_id_that_is_none_is_refused():
    outcome = run_devshim("true", devices=["/dev/ttyUSB0=gps,usb_id=ftdi"])

    assert outcome.returncode == 2
    assert 'usb_id="ftdi": write vendor and product in hex, such as 0403:6015' in outcome.stderr
