"""Composites: several devices that are plugged, found and pulled as one."""

import sys

import pytest
from harness import run_devshim

from devshim import Composite, Device, Function, Hidraw, I2cBus, Input, Serial, UsbComposite
from devshim import input_codes as codes

MODELS = """
from devshim import Composite, Device, Function, Hidraw, Input, Serial, UsbComposite
from devshim import input_codes as codes


class Console(Serial):
    def received(self, data):
        self.whole.keys.press(codes.KEY_A)
        if data.startswith(b"bye"):
            self.unplug()


class Keys(Input):
    keys = (codes.KEY_A,)


class Raw(Hidraw):
    report_descriptor = bytes.fromhex("0600ff 0901 a101 0901 1500 26ff00 7508 9508 8102 0901 9508 9102 c0")


class Stick(UsbComposite):
    manufacturer: str = "Test"
    product: str = "Stick"
    serial: str = "S1"
    console = Function(Console, interface=0)
    keys = Function(Keys, "/dev/input/event*", interface=2)
    raw = Function(Raw, "/dev/hidraw*", interface=2)
"""


class Console(Serial):
    pass


class Keys(Input):
    keys = (codes.KEY_A,)


class Raw(Hidraw):
    report_descriptor = bytes.fromhex("0600ff 0901 a101 0901 1500 26ff00 7508 9508 8102 c0")


class Stick(UsbComposite):
    manufacturer: str = "Test"
    product: str = "Stick"
    console = Function(Console)
    keys = Function(Keys, "/dev/input/event*", interface=2)
    raw = Function(Raw, "/dev/hidraw*", interface=2)


@pytest.fixture(scope="module")
def stick(tmp_path_factory):
    """Return run(script, *devices): its outcome with a stick at /dev/ttyACM0."""
    models = tmp_path_factory.mktemp("models") / "stick.py"
    models.write_text(MODELS)
    return lambda script, *devices, more="": run_devshim(
        "bash", "-c", script, devices=[f"/dev/ttyACM0={models}:Stick{more}", *devices], options=["--hide-real"]
    )


# ---- The class


def test_functions_are_devices_that_know_the_whole():
    stick = Stick()

    assert isinstance(stick.console, Console)
    assert stick.keys.whole is stick
    assert stick.places("/dev/ttyACM3") == {
        "console": "/dev/ttyACM3", "keys": "/dev/input/event*", "raw": "/dev/hidraw*",
    }  # fmt: skip
    assert Stick().console is not stick.console


def test_nodes_can_be_chosen():
    assert Stick(nodes={"raw": "/dev/hidraw7"}).places("/dev/ttyACM0")["raw"] == "/dev/hidraw7"
    with pytest.raises(ValueError, match="no function 'rwa'; there are console, keys, raw"):
        Stick(nodes={"rwa": "/dev/hidraw7"})


def test_all_functions_have_the_wholes_ids_and_one_usb_parent():
    stick = Stick(vendor_id=0x1234, product_id=0x5678)
    stick.placed("/dev/ttyACM1")

    console = stick.console.surroundings("/dev/ttyACM1", 166, 1)
    raw = stick.raw.surroundings("/dev/hidraw0", 512, 0)
    keys = stick.keys.surroundings("/dev/input/event0", 13, 64)

    shared = console.keys() & raw.keys() & keys.keys()
    hub, vendor = sorted((path for path in shared if path.endswith("/idVendor")), key=len)
    assert console[vendor] == raw[vendor] == keys[vendor] == b"1234\n" != console[hub]
    assert all(console[path] == raw[path] == keys[path] for path in shared)
    assert stick.kinds() == {0: (2, 2, 1), 1: (10, 0, 0), 2: (3, 0, 0)}
    assert (stick.keys.bus, stick.keys.vendor, stick.keys.name) == (3, 0x1234, "Test Stick")
    assert b"ID_USB_INTERFACES=:020201:0a0000:030000:\n" in console["/run/udev/data/c166:1"]


def test_what_cannot_be_a_composite_is_refused():
    with pytest.raises(TypeError, match=r"Bad.second: a Function but the first needs its node, such as"):

        class Bad(Composite):
            first = Function(Console)
            second = Function(Console)

    class Empty(Composite):
        pass

    with pytest.raises(TypeError, match="Empty has no functions"):
        Empty()


def test_a_board_needs_no_usb():
    class Board(Composite):
        bus = Function(I2cBus)
        panel = Function(Device, "/dev/panel*")
        wired = False

        def connected(self):
            self.wired = True

    assert Board().wired


# ---- Plugged


def test_each_function_is_at_its_node_below_one_usb_device(stick):
    outcome = stick("ls /dev/ttyACM0 /dev/hidraw* /dev/input/e*; "
                    "cat /sys/class/{tty/ttyACM0,hidraw/hidraw0,input/event0}/"
                    "../../../uevent | grep PRODUCT; for c in tty/ttyACM0/device hidraw/hidraw0/device/.. "
                    "input/event0/device/device/..; do cat /sys/class/$c/../idProduct; done")  # fmt: skip

    assert outcome.stdout.split()[:3] == ["/dev/hidraw0", "/dev/input/event0", "/dev/ttyACM0"]
    assert outcome.stdout.split()[-3:] == ["0001"] * 3


def test_functions_take_the_next_free_numbers(stick):
    outcome = stick("ls /dev/hidraw* /dev/input/e*", "/dev/hidraw1=temper", more=",nodes={'keys':'/dev/input/event5'}")
    second = stick("ls /dev/hidraw*", "/dev/hidraw0=temper")

    assert outcome.stdout.split() == ["/dev/hidraw0", "/dev/hidraw1", "/dev/input/event5"]
    assert second.returncode == 2 or second.stdout.split() == ["/dev/hidraw0", "/dev/hidraw1"]


@pytest.mark.client("evtest")
def test_one_function_moves_another(stick):
    script = """
        exec 3<>/dev/ttyACM0; stty raw -echo <&3
        coproc evtest /dev/input/event0
        while read -u ${COPROC[0]} line; do [[ $line == Testing* ]] && break; done
        echo hi >&3
        while read -u ${COPROC[0]} line; do [[ $line == *KEY_A* ]] && break; done
        echo ${line#*type}; kill $COPROC_PID
    """

    assert stick(script).stdout == "1 (EV_KEY), code 30 (KEY_A), value 1\n"


def test_pulling_one_pulls_all(stick):
    script = """
        exec 3<>/dev/ttyACM0 4<>/dev/hidraw0; stty raw -echo <&3
        echo bye >&3
        while [ -e /sys/bus/usb/devices/94-1 ]; do :; done
        ls /dev/hidraw* /dev/input /dev/ttyACM0 2>&1 | grep -c 'No such file'
        cat <&4
    """

    outcome = stick(script)

    assert outcome.stdout == "3\n"
    assert "No such device" in outcome.stderr or "Input/output error" in outcome.stderr


def test_a_taken_node_refuses_the_whole(stick):
    outcome = stick("true", more=",nodes={'raw':'/dev/ttyACM0'}")

    assert outcome.returncode == 2
    assert "/dev/ttyACM0: two devices at one node" in outcome.stderr


def test_a_whole_comes_back(tmp_path):
    models = tmp_path / "stick.py"
    held = "    def connected(self):\n        Hand.held = self\n\n    console = Function"
    models.write_text(
        MODELS.replace("    console = Function", held) + "\n\nclass Hand(Device):\n    def write(self, data):\n"
        "        self.held.unplug() if data == b'0' else self.held.plug()\n"
    )
    program = """
import os

def hand(text):
    with open("/dev/hand", "w") as file:
        file.write(text)

def there():
    nodes = "/dev/hidraw0", "/dev/input/event0", "/dev/ttyACM0", "/sys/class/tty/ttyACM0", "/dev/serial"
    return [os.path.exists(node) for node in nodes]

print(there()); hand("0"); print(there()); hand("1"); print(there())
"""

    outcome = run_devshim(
        sys.executable, "-c", program,
        devices=[f"/dev/ttyACM0={models}:Stick", f"/dev/hand={models}:Hand"], options=["--hide-real"],
    )  # fmt: skip

    assert outcome.stdout.splitlines() == [str([True] * 5), str([False] * 5), str([True] * 5)]
