"""Nodes with files in a class of /sys, and what a device may be told by the host when it is opened."""

import os
from pathlib import Path

import pytest

from devshim import ClassDevice, Device, DevshimError, File, Setting, attribute


class Softdog(ClassDevice):
    """As in the documentation."""

    subsystem = "watchdog"
    timeout = Setting(60)

    @attribute
    def identity(self) -> str:
        """What it is called."""
        return "Software Watchdog"


class Kennel(Softdog):
    """One with a further name, and one in a directory."""

    def links(self, name: str) -> list[str]:
        """By its own name."""
        return ["dog", f"by-kind/soft/{name}"]


class Card(Softdog):
    """One that is a part of another device."""

    parent = "/sys/devices/pci0000:00/0000:00:1f.0"


def test_its_files_are_found_by_class_and_by_number(devshim):
    dog = devshim.plug("/dev/watchdog7", Softdog())
    rdev = os.stat("/dev/watchdog7").st_rdev
    number = f"{os.major(rdev)}:{os.minor(rdev)}"

    entry = Path("/sys/class/watchdog/watchdog7")
    assert os.path.samefile(entry, f"/sys/dev/char/{number}")
    assert os.path.realpath(entry) == "/sys/devices/virtual/watchdog/watchdog7"
    assert (entry / "identity").read_text() == "Software Watchdog\n"
    assert (entry / "dev").read_text() == f"{number}\n"
    (entry / "timeout").write_text("12\n")
    assert dog.timeout == 12


def test_links_below_dev_lead_to_it_and_udev_knows_them(devshim):
    devshim.plug("/dev/watchdog7", Kennel())

    for link in "/dev/dog", "/dev/by-kind/soft/watchdog7":
        assert os.path.realpath(link) == "/dev/watchdog7"
        assert os.path.samefile(link, "/dev/watchdog7")
    rdev = os.stat("/dev/dog").st_rdev
    record = Path(f"/run/udev/data/c{os.major(rdev)}:{os.minor(rdev)}").read_text()
    assert {"S:dog", "S:by-kind/soft/watchdog7"} <= set(record.splitlines())

    devshim.unplug("/dev/watchdog7")
    assert not os.path.lexists("/dev/dog")


@pytest.mark.parametrize("nodes", [("/dev/dog", "/dev/watchdog7"), ("/dev/watchdog7", "/dev/dog")])
def test_who_plugs_a_node_of_a_links_name_has_it(devshim, nodes):
    for node in nodes:
        devshim.plug(node, Kennel())

    assert not os.path.islink("/dev/dog")
    assert os.stat("/dev/dog").st_rdev != os.stat("/dev/watchdog7").st_rdev
    devshim.unplug("/dev/watchdog7")
    assert os.path.exists("/dev/dog")


def test_a_part_of_a_device_has_a_link_to_it(devshim):
    devshim.plug("/dev/watchdog7", Card())

    assert os.path.realpath("/sys/class/watchdog/watchdog7/device") == Card.parent


class Counter(Device):
    """Each open counts by itself, on a step that is the device's."""

    step = 2

    def open(self, flags: int) -> File:
        """One for each."""
        return Count()


class Count(File):
    """An open of it."""

    total = 0

    def read(self, size: int) -> bytes:
        """The next number."""
        self.total += self.device.step
        return b"%d %d" % (self.total, self.flags & os.O_ACCMODE)


def test_a_file_knows_its_device_and_flags(devshim):
    devshim.plug("/dev/counter", Counter())
    first, second = os.open("/dev/counter", os.O_RDONLY), os.open("/dev/counter", os.O_RDWR)

    assert [os.read(fd, 9) for fd in (first, second, first)] == [b"2 0", b"2 2", b"4 0"]
    os.close(first)
    os.close(second)


class Sender(Device):
    """Has taken a name that is the node's."""

    def setup(self) -> None:
        """A frequency, to its author."""
        self.carrier = 38000


def test_a_model_that_has_taken_the_name_carrier_is_told_so(devshim):
    with pytest.raises(DevshimError, match=r"Sender\.carrier is 38000: it must be one of computed, tty"):
        devshim.plug("/dev/sender", Sender())
