"""USB devices as usbutils see them: their descriptors, the tree of buses, and a root hub above them."""

from pathlib import Path

import pytest

from devshim.model.usb_descriptors import descriptors


@pytest.mark.client("lsusb")
def test_lsusb_lists_a_plugged_device_and_its_root_hub(devshim_run):
    outcome = devshim_run("lsusb", devices=["/dev/ttyUSB3=modem"], options=["--hide-real"])

    assert [line.partition(" ID ")[2][:9] for line in outcome.stdout.splitlines()] == ["0403:6001", "1d6b:0002"]
    assert outcome.stdout.startswith("Bus 091 Device 005: ID 0403:6001 ")


@pytest.mark.client("lsusb")
def test_lsusb_draws_the_tree_of_a_composite_device(devshim_run):
    outcome = devshim_run("lsusb", "-t", devices=["/dev/ttyACM0=pico_circuitpython"], options=["--hide-real"])

    root, *below = outcome.stdout.splitlines()
    assert "Class=root_hub" in root and "Driver=devshim_hcd/" in root
    assert [line.split("Driver=")[1] for line in below] == ["cdc_acm, 12M", "cdc_acm, 12M", "usbhid, 12M"]


@pytest.mark.client("lsusb")
def test_lsusb_reads_the_descriptors(devshim_run):
    options = ["--hide-real", "--deny", "/dev/bus/*"]  # lsusb does without the node
    outcome = devshim_run("lsusb", "-v", "-d", "16c0:", devices=["/dev/hidraw0=usb_relay"], options=options)

    said = [" ".join(line.split()) for line in outcome.stdout.splitlines()]
    assert "iManufacturer 1 www.dcttech.com" in said and "iSerial 0" in said
    assert "bInterfaceClass 3 Human Interface Device" in said and "MaxPower 100mA" in said


@pytest.mark.client("usb-devices")
def test_usb_devices_prints_every_line_of_a_device(devshim_run):
    outcome = devshim_run("usb-devices", devices=["/dev/ttyUSB3=modem"], options=["--hide-real"])

    assert outcome.stderr == ""
    assert "T:  Bus=91 Lev=01 Prnt=01 Port=03 Cnt=01 Dev#=  5 Spd=12  MxCh= 0" in outcome.stdout
    assert "P:  Vendor=0403 ProdID=6001 Rev=06.00" in outcome.stdout
    assert "S:  Product=FT232R USB UART" in outcome.stdout
    assert "Driver=ftdi_sio" in outcome.stdout


def test_a_root_hub_stays_when_the_last_device_of_its_bus_has_gone(devshim):
    first, hub = devshim.plug("/dev/ttyUSB0", "modem"), Path("/sys/bus/usb/devices/usb91/idVendor")
    devshim.plug("/dev/ttyUSB1", "modem")

    first.unplug()
    assert hub.read_text() == "1d6b\n"
    devshim.unplug("/dev/ttyUSB1")
    assert hub.read_text() == "1d6b\n"


def test_descriptors_are_laid_out_as_the_specification_has_them():
    data = descriptors((0x0403, 0x6001, 0x0600), ("FTDI", "", "A1"), {0: (2, 2, 1), 1: (3, 0, 0)})

    assert data[:18].hex() == "12010002" + "00000040" + "03040160" + "0006" + "0100" + "0201"
    assert data[18:27].hex() == "0902" + "3700" + "0201008032"
    assert len(data) == 18 + 0x37 and data[27:36].hex() == "090400000202020100"
    assert data[36:43].hex() == "07058102400000" and data[-7:].hex() == "0705020340000a"
