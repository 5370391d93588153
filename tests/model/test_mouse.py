"""Mice at /dev/input/mouseN and /dev/input/mice, beside the event nodes of pointers."""

import os
import re
import select

import pytest

from devshim import Axis, Input
from devshim import input_codes as codes
from devshim.devices import K120, Acme, Xbox360
from devshim.model.device import WAIT
from devshim.model.input_match import is_mouse
from devshim.model.mouse import Mice, Mouse
from devshim.session.session import Session

IMPS2 = bytes((0xF3, 200, 0xF3, 100, 0xF3, 80))
EXPS2 = bytes((0xF3, 200, 0xF3, 200, 0xF3, 80))


class Rodent(Input):
    """A mouse with a wheel and two more buttons."""

    name: str = "Rodent"
    keys = (codes.BTN_LEFT, codes.BTN_RIGHT, codes.BTN_MIDDLE, codes.BTN_SIDE, codes.BTN_EXTRA)
    relative = (codes.REL_X, codes.REL_Y, codes.REL_WHEEL)

    def go(self, x, y, *pressed):
        """Move, and press buttons, in one report."""
        with self.report():
            self.move(codes.REL_X, x)
            self.move(codes.REL_Y, y)
            for key in pressed:
                self.press(key)


class Screen(Input):
    """A touchscreen."""

    keys = (codes.BTN_TOUCH,)
    axes = {codes.ABS_X: Axis(0, 4095), codes.ABS_Y: Axis(0, 4095)}


class Pad(Input):
    """A touchpad, 512 steps wide."""

    keys = (codes.BTN_LEFT, codes.BTN_TOUCH, codes.BTN_TOOL_FINGER)
    axes = {code: Axis(0, 512) for code in (codes.ABS_X, codes.ABS_Y, codes.ABS_PRESSURE, codes.ABS_TOOL_WIDTH)}

    def touch(self, x, y):
        """A finger is here."""
        with self.report():
            self.press(codes.BTN_TOUCH)
            self.axis(codes.ABS_X, x)
            self.axis(codes.ABS_Y, y)


def opened(device):
    return Mouse(device).open(os.O_RDWR)


def packets(file, size=3):
    """All packets that there are."""
    found = []
    while (data := file.read(size)) is not WAIT:
        found.append(tuple(data))
    return found


@pytest.mark.parametrize(
    ("device", "expected"), [(Rodent, True), (Screen, True), (Pad, True), (Xbox360, False), (K120, False)]
)
def test_the_kernels_rules_say_which_devices_are_mice(device, expected):
    assert is_mouse(device()) is expected


def test_a_packet_has_buttons_and_movement_upwards():
    rodent = Rodent()
    file = opened(rodent)
    assert file.read(3) is WAIT and file.poll() == select.POLLOUT

    rodent.go(5, 3, codes.BTN_LEFT)

    assert file.poll() == select.POLLIN | select.POLLOUT
    assert packets(file) == [(0x08 | 1 | 0x20, 5, 256 - 3)]


def test_a_long_way_takes_several_packets():
    rodent = Rodent()
    file = opened(rodent)

    rodent.go(-300, 0)

    assert packets(file) == [(0x18, 256 - 127, 0), (0x18, 256 - 127, 0), (0x18, 256 - 46, 0)]


def test_movement_adds_up_until_it_is_read_and_buttons_are_told_one_after_the_other():
    rodent = Rodent()
    file = opened(rodent)

    rodent.go(1, 0)
    rodent.go(2, -1)
    rodent.press(codes.BTN_RIGHT)
    rodent.release(codes.BTN_RIGHT)

    assert packets(file) == [(0x08, 3, 1), (0x0A, 0, 0), (0x08, 0, 0)]


def test_a_packet_is_read_in_parts():
    rodent = Rodent()
    file = opened(rodent)

    rodent.go(1, -2)

    assert [file.read(1), file.read(1), file.read(10)] == [b"\x08", b"\x01", b"\x02"]


@pytest.mark.parametrize(
    ("knock", "identity", "packet"),
    [(b"", 0, (0x08 | 2, 0, 0)), (IMPS2, 3, (0x08 | 2, 0, 0, 2)), (EXPS2, 4, (0x08, 0, 0, 2 | 0x20))],
)
def test_a_knock_changes_the_protocol(knock, identity, packet):
    rodent = Rodent()
    file = opened(rodent)
    for byte in knock:
        file.write(bytes((byte,)))
        assert file.read(8) == b"\xfa"
    file.write(b"\xf2")
    assert file.read(8) == bytes((0xFA, identity))

    with rodent.report():
        rodent.move(codes.REL_WHEEL, -2)
        rodent.press(codes.BTN_EXTRA)

    assert packets(file, 8) == [packet]


def test_a_knock_may_come_in_one_write():
    file = opened(Rodent())

    assert file.write(IMPS2) == 6
    assert file.read(8) == b"\xfa"
    file.write(b"\xf2")
    assert file.read(8) == b"\xfa\x03"


def test_a_reset_brings_the_first_protocol_back():
    file = opened(Rodent())
    file.write(IMPS2)
    file.write(b"\xff")

    assert file.read(8) == b"\xfa\xaa\x00"
    file.write(b"\xf2")
    assert file.read(8) == b"\xfa\x00"


def test_a_program_may_ask_for_a_packet_and_for_how_the_mouse_is_set():
    rodent = Rodent()
    file = opened(rodent)
    rodent.go(4, 0)

    file.write(b"\xeb")
    assert file.read(8) == b"\xfa\x08\x04\x00"
    file.write(b"\xe9")
    assert file.read(8) == bytes((0xFA, 0x60, 3, 200))


def test_a_touchscreen_moves_to_where_it_is_touched():
    screen = Screen()
    file = opened(screen)

    with screen.report():
        screen.axis(codes.ABS_X, 2100)
        screen.axis(codes.ABS_Y, 2000)
        screen.press(codes.BTN_TOUCH)

    x, y = 2100 * 1024 // 4095 - 512, 768 - 2000 * 768 // 4095 - 384
    assert packets(file) == [(0x09, x, y)]


def test_a_finger_on_a_touchpad_moves_once_it_has_been_there_for_two_reports():
    pad = Pad()
    file = opened(pad)

    pad.touch(100, 100)
    pad.touch(110, 90)
    assert packets(file) == []
    pad.touch(130, 80)

    assert packets(file) == [(0x08, 30 * 256 // 512, 20 * 256 // 512)]


def test_mice_tell_of_all_mice():
    first, second = Rodent(), Rodent()
    mice = Mice(Mouse(first))
    mice.join(Mice(Mouse(second)))
    file = mice.open(os.O_RDONLY)

    first.go(1, 0)
    second.go(2, 0)
    first.press(codes.BTN_LEFT)
    second.press(codes.BTN_RIGHT)

    assert packets(file) == [(0x08, 3, 0), (0x09, 0, 0), (0x0B, 0, 0)]


# ---- Plugged


def names():
    return set(os.listdir("/dev/input")) if os.path.isdir("/dev/input") else set()


def plug_mouse(session, number):
    """A mouse at /dev/input/event<number>, and the node of its own that it has, too; the machine may have some."""
    before = names()
    rodent = session.plug(f"/dev/input/event{number}", Rodent())
    (node,) = (name for name in names() - before if name.startswith("mouse"))
    return rodent, f"/dev/input/{node}"


@pytest.mark.client("od")
def test_programs_read_one_mouse_or_all():
    with Session() as session:
        rodent, node = plug_mouse(session, 4)
        other, _ = plug_mouse(session, 5)
        assert {os.path.basename(node), "mice"} <= set(os.listdir("/sys/class/input"))
        with (
            session.start("od", "-An", "-tx1", "-N3", node) as one,
            session.start("od", "-An", "-tx1", "-N6", "/dev/input/mice") as all_of_them,
        ):
            session.until(lambda: {call.node for call in session.calls} >= {node, "/dev/input/mice"})
            rodent.press(codes.BTN_LEFT)
            other.press(codes.BTN_RIGHT)
            one.wait()
            all_of_them.wait()
    assert one.stdout == b" 09 00 00\n"
    assert all_of_them.stdout == b" 09 00 00 0b 00 00\n"


def test_mice_stay_when_the_last_mouse_has_gone_and_take_in_the_next():
    with Session() as session:
        rodent, node = plug_mouse(session, 4)
        fd = os.open("/dev/input/mice", os.O_RDWR | os.O_NONBLOCK)
        try:
            rodent.unplug()
            assert "mice" in os.listdir("/dev/input") and not os.path.exists(node)
            with pytest.raises(BlockingIOError):
                os.read(fd, 3)
            rodent.plug()
            rodent.go(7, 0)
            assert os.read(fd, 3) == b"\x08\x07\0"
        finally:
            os.close(fd)


def test_a_node_that_somebody_asks_for_is_his():
    with Session() as session:
        session.plug("/dev/input/event4", Rodent())
        acme = session.plug("/dev/input/mice", Acme())
        assert session.devices["/dev/input/mice"] is acme
        session.plug("/dev/input/event5", Rodent())
        assert session.devices["/dev/input/mice"] is acme


def test_every_one_of_many_nodes_has_a_number_of_its_own():
    with Session() as session:
        before = names()
        for number in range(20, 55):
            session.plug(f"/dev/input/event{number}", Rodent())
        numbers = [os.stat(f"/dev/input/{name}").st_rdev for name in names() - before]

    assert len(numbers) >= 70 and len(set(numbers)) == len(numbers)


def test_proc_names_the_nodes_of_a_device():
    with Session() as session:
        _, node = plug_mouse(session, 4)
        session.plug("/dev/input/event6", Xbox360())
        with open("/proc/bus/input/devices") as listing:
            handlers = [line.split("=")[1].split() for line in listing if line.startswith("H:")]
    assert handlers[-2] == [os.path.basename(node), "event4"]
    assert handlers[-1][0] == "event6" and re.fullmatch(r"js\d+", handlers[-1][1])
