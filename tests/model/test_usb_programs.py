"""Programs of libusb that know nothing of devshim: lsusb, a C program that sees its device go, pyusb."""

from pathlib import Path

import pytest
from harness import run_devshim

NODE = "/dev/bus/usb/095/002"

MODEL = """
from devshim import Endpoint, Interface, UsbDevice, control

class Loop(UsbDevice):
    vendor_id: int = 0x0525
    product_id: int = 0xA4A0
    manufacturer: str = "Maker"
    product: str = "Loop"
    serial: str = "L1"
    interfaces = [Interface(endpoints=[Endpoint(0x81), Endpoint(0x01)], name="loop")]

    def bulk_out(self, endpoint, data):
        self.send(0x81, data)

    @control(0xC0, 1)
    def version(self, setup):
        return b"v1"

    @control(0x40, 9)
    def leave(self, setup, data):
        self.after(0.02, self.go)

    def go(self):
        self.unplug()
        self.after(0.05, self.plug)
"""


@pytest.fixture
def loop(tmp_path: Path) -> list[str]:
    model = tmp_path / "loop.py"
    model.write_text(MODEL)
    return [f"{NODE}={model}"]


@pytest.mark.client("lsusb")
def test_lsusb_shows_all_of_its_texts(loop: list[str]) -> None:
    outcome = run_devshim("lsusb", "-v", "-d", "0525:a4a0", devices=loop)

    assert outcome.returncode == 0
    shown = {line.strip().partition(" ")[0]: line.split()[-1] for line in outcome.stdout.splitlines() if line.strip()}
    wanted = {"iManufacturer": "Maker", "iProduct": "Loop", "iSerial": "L1", "iInterface": "loop", "bNumEndpoints": "2"}
    assert shown | wanted == shown
    assert "Couldn't open" not in outcome.stdout + outcome.stderr


@pytest.mark.client("libusb.h")
def test_a_program_of_libusb_uses_its_device_sees_it_go_and_finds_it_again(loop: list[str], program) -> None:
    outcome = run_devshim(program("usb_hotplug", "-lusb-1.0"), devices=loop)

    assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("", "", 0)


@pytest.mark.client("debian-python3-usb")
def test_the_log_shows_what_came_with_an_urb(loop: list[str]) -> None:
    outcome = run_devshim("/usr/bin/python3", "-c", PYUSB, devices=loop, options=["-v"])

    reaped = [line for line in outcome.stderr.splitlines() if "REAPURB" in line and '(filled: "over and out")' in line]
    assert len(reaped) == 1


PYUSB = """
import usb.core, usb.util
device = usb.core.find(idVendor=0x0525)
print(usb.util.get_string(device, device.iProduct), device.speed, device.bus, device.address)
print(bytes(device.ctrl_transfer(0xC0, 1, 0, 0, 8)))
device.write(0x01, b"over and out")
print(bytes(device.read(0x81, 100)))
device.reset()
try:
    device.read(0x81, 100, timeout=10)
except usb.core.USBTimeoutError:
    print("nothing more")
"""


@pytest.mark.client("debian-python3-usb")
def test_pyusb_reads_and_writes(loop: list[str]) -> None:
    outcome = run_devshim("/usr/bin/python3", "-c", PYUSB, devices=loop)

    assert outcome.stdout.splitlines() == ["Loop 2 95 2", "b'v1'", "b'over and out'", "nothing more"]
    assert (outcome.stderr, outcome.returncode) == ("", 0)
