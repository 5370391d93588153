"""Serial, as a device author writes it and as a program's ioctls see it; the clock is the test's."""

import errno
import os
from ctypes import c_int

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tabletop import Tabletop

from devshim.model.device import WAIT
from devshim.model.dialogue import LineSplitter
from devshim.model.naming import NameTaken
from devshim.model.serial import Serial, characters, command, pause
from devshim.model.termios import (
    B38400,
    BAUD_CODES,
    BOTHER,
    CBAUD,
    CLOCAL,
    CMSPAR,
    CRTSCTS,
    CS5,
    CS7,
    CSIZE,
    CSTOPB,
    HUPCL,
    IXON,
    PARENB,
    PARODD,
    TIOCM_CAR,
    TIOCM_CTS,
    TIOCM_DSR,
    TIOCM_DTR,
    TIOCM_RNG,
    TIOCM_RTS,
    SerialStruct,
    Termio,
    Termios2,
    as_termios,
)


def plug(device):
    return Tabletop.plug(device, "/dev/ttyS9")


def configure(device, baud=None, **flags):
    """Set termios as a program does: baud by its code, and flags of c_cflag on or off."""
    new = as_termios(device.termios)
    if baud is not None:
        new.c_cflag = new.c_cflag & ~CBAUD | BAUD_CODES[baud]
    for name, on in flags.items():
        flag = {"clocal": CLOCAL, "crtscts": CRTSCTS, "hupcl": HUPCL, "cstopb": CSTOPB}[name]
        new.c_cflag = new.c_cflag | flag if on else new.c_cflag & ~flag
    device.tcsets(new)


# ---- Text


class Supply(Serial):
    volts: float = 5.0

    @command(r"VOLT (\d+\.?\d*)")
    def set_volts(self, volts):
        self.volts = float(volts)

    @command(r"VOLT\?")
    def get_volts(self):
        return f"{self.volts:.1f}"

    @command(r"RAMP (?P<start>\d+) (?P<end>\d+)")
    def ramp(self, end, start):
        for volts in range(int(start), int(end)):
            yield f"{volts}"
            yield pause(1)
        yield b"done\n"

    @command("BOTH")
    def both(self):
        return ["one", "two"]

    def unknown(self, line):
        return f"? {line}"


def test_a_command_answers_a_line_with_a_line():
    table = plug(supply := Supply())
    supply.write(b"VOLT?\nVOLT 3.3\nVOLT?\n")
    assert table.sent == b"5.0\r\n3.3\r\n"


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_line_ends_with_whatever_the_terminal_made_of_it(end):
    table = plug(supply := Supply())
    for byte in b"VOLT?" + end + b"VOLT?" + end:
        supply.write(bytes([byte]))
    assert table.sent == b"5.0\r\n5.0\r\n"


def test_an_unknown_line_is_asked_for_and_an_empty_one_passed_over():
    table = plug(supply := Supply())
    supply.write(b"\n\nAMPS?\n")
    assert table.sent == b"? AMPS?\r\n"


def test_several_answers_come_with_pauses_and_what_follows_waits():
    table = plug(supply := Supply())
    supply.write(b"RAMP 1 3\nVOLT?\n")
    assert table.sent == b"1\r\n"
    table.advance(1)
    assert table.sent == b"1\r\n2\r\n"
    table.advance(1)
    assert table.sent == b"1\r\n2\r\ndone\n5.0\r\n"


def test_a_list_is_several_answers():
    table = plug(supply := Supply())
    supply.write(b"BOTH\n")
    assert table.sent == b"one\r\ntwo\r\n"


def test_a_subclass_answers_in_its_bases_stead():
    class Broken(Supply):
        def get_volts(self):
            return "--"

        @command("VOLT 0")
        def off(self):
            return "off"

    table = plug(broken := Broken())
    broken.write(b"VOLT?\nVOLT 0\n")
    assert table.sent == b"--\r\noff\r\n"


def test_a_command_may_have_several_patterns():
    class Two(Serial):
        @command("HI")
        @command("HELLO (.*)")
        def greet(self, name=None):
            return f"hi {name}"

    table = plug(two := Two())
    two.write(b"HI\nHELLO you\n")
    assert table.sent == b"hi None\r\nhi you\r\n"


def test_dispatch_goes_through_the_instance(monkeypatch):
    table = plug(supply := Supply())
    monkeypatch.setattr(supply, "get_volts", lambda: "patched")
    supply.write(b"VOLT?\n")
    assert table.sent == b"patched\r\n"


def test_another_newline_ends_lines_both_ways():
    class Tesla(Supply):
        newline = ";"

    table = plug(tesla := Tesla())
    tesla.write(b"VOLT 2;VOL")
    tesla.write(b"T?;\r\n")
    assert table.sent == b"2.0;"


def test_bytes_that_are_no_text_reach_the_command_and_go_back_unharmed():
    class Parrot(Serial):
        @command("(?s)(.*)")
        def again(self, text):
            return text

    table = plug(parrot := Parrot())
    parrot.write(b"\xff\x80 \xc3\xa4\n")
    assert table.sent == b"\xff\x80 \xc3\xa4\r\n"


def test_a_wrong_answer_is_refused_by_name():
    class Wrong(Serial):
        @command("X")
        def number(self):
            return 5

    plug(wrong := Wrong())
    with pytest.raises(TypeError, match="Wrong: an answer is str, bytes, None"):
        wrong.write(b"X\n")


def test_a_command_that_raises_does_not_hold_up_the_next():
    class Faulty(Serial):
        @command("BAD")
        def bad(self):
            yield "about to"
            raise RuntimeError("bug")

        @command("GOOD")
        def good(self):
            return "good"

    table = plug(faulty := Faulty())
    with pytest.raises(RuntimeError, match="bug"):
        faulty.write(b"BAD\n")
    faulty.write(b"GOOD\n")
    assert table.sent == b"about to\r\ngood\r\n"


def test_a_command_under_the_name_of_a_base_method_is_refused():
    with pytest.raises(NameTaken, match=r"send.*would hide"):

        class Bad(Serial):
            @command("S")
            def send(self):
                return "no"


def test_echo_comes_before_the_answer():
    table = plug(supply := Supply(echo=True))
    supply.write(b"VOLT?\n")
    assert table.sent == b"VOLT?\n5.0\r\n"


def test_a_line_without_end_is_not_kept_for_ever():
    plug(supply := Supply())
    for _ in range(100):
        supply.write(b"x" * 10_000)
    assert len(supply._lines.rest) <= supply.longest


@given(st.lists(st.sampled_from([b"", b"a", b"bc", b"def"]), max_size=8), st.data())
def test_lines_are_the_same_however_they_are_cut(lines, data):
    whole = b"".join(line + data.draw(st.sampled_from([b"\r\n", b"\n", b"\r"])) for line in lines)
    once = LineSplitter().feed(whole, b"\r\n")
    splitter, parts, rest = LineSplitter(), [], whole
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        parts += splitter.feed(rest[:size], b"\r\n")
        rest = rest[size:]
    assert parts == once


# ---- Frames


class ByLength(Serial):
    """Frames that begin with $ and their length."""

    def frame(self, received):
        if received[0] != 0x24:
            return -1
        return received[1] + 2 if len(received) > 1 else 0

    def framed(self, frame):
        return frame[:1:-1]


def test_frames_by_length_are_cut_out_of_whatever_comes():
    table = plug(device := ByLength())
    for piece in (b"$", b"\3a", b"bc$\2", b"xy", b"rubbish$\1", b"z"):
        device.write(piece)
    assert table.sent == b"cbayxz"


def test_frames_by_length_wait_for_their_end_however_long_it_takes():
    table = plug(device := ByLength())
    device.write(b"$\2a")
    table.advance(1000)
    device.write(b"b")
    assert table.sent == b"ba"


class BySilence(Serial):
    def framed(self, frame):
        return b"<" + frame + b">"


def test_silence_ends_a_frame_after_the_time_that_it_takes_on_the_line():
    table = plug(device := BySilence())
    device.write(b"0123")
    table.advance(0.001)
    device.write(b"456789")
    table.advance((10 + 3.4) * device.character_time)
    assert table.sent == b""
    table.advance(0.2 * device.character_time)
    assert table.sent == b"<0123456789>"


def test_silence_may_be_given_in_seconds():
    class Slow(BySilence):
        silence = 2.0

    table = plug(device := Slow())
    device.write(b"a")
    table.advance(2.0)
    assert table.sent == b""
    table.advance(0.01)
    assert table.sent == b"<a>"


def test_with_a_length_and_silence_the_first_of_both_ends_a_frame():
    class Both(ByLength):
        silence = characters(3.5)

        def frame(self, received):
            return super().frame(received) if received[0] == 0x24 else 0

    table = plug(device := Both())
    device.write(b"$\1a???")
    assert table.sent == b"a"
    table.advance(1)
    assert table.sent == b"a?"


# ---- Settings


def test_a_fresh_port_is_as_the_serial_core_makes_it():
    device = Serial()
    assert device.settings == "9600 8N1"
    assert device.tcgets().c_cflag == 0o15 | 0o60 | 0o200 | HUPCL | CLOCAL
    assert bytes(device.tcgets()).hex() == "0005000005000000bd0c00003b8a000000031c7f150400010011131a00120f1716000000"


@pytest.mark.parametrize(
    ("flags", "settings"),
    [
        (0o15 | CS7 | PARENB, "9600 7E1"),
        (0o15 | CS7 | PARENB | PARODD | CSTOPB, "9600 7O2"),
        (0o10002 | CS5 | PARENB | CMSPAR, "115200 5S1"),
        (0o10017 | CSIZE | PARENB | CMSPAR | PARODD, "4000000 8M1"),
        (0, "0 5N1"),
    ],
)
def test_settings_are_shown_as_people_write_them(flags, settings):
    device = Serial()
    new = device.tcgets()
    new.c_cflag = flags
    device.tcsets(new)
    assert device.settings == settings
    assert device.tcgets().c_cflag == flags


def test_any_baud_rate_goes_by_termios2_and_stays_for_termios():
    device = Serial()
    new = Termios2.from_buffer_copy(device.tcgets2())
    new.c_cflag = new.c_cflag & ~CBAUD | BOTHER
    new.c_ispeed = new.c_ospeed = 250_000
    device.tcsets2(new)
    assert device.baud_rate == 250_000
    device.tcsets(device.tcgets())
    assert device.baud_rate == 250_000
    configure(device, baud=19200)
    assert (device.tcgets2().c_ospeed, device.tcgets2().c_ispeed) == (19200, 19200)


def test_system_v_termio_changes_the_low_half_only():
    device = Serial()
    configure(device, baud=9600, crtscts=True)
    new = Termio.from_buffer_copy(device.tcgeta())
    new.c_iflag &= ~IXON
    device.tcseta(new)
    assert device.rtscts
    assert not device.xonxoff
    assert bytes(device.termios.c_cc).hex() == "031c7f150400010011131a00120f1716000000"


def test_a_custom_divisor_gives_a_rate_of_its_own():
    device = Serial()
    configure(device, baud=38400)
    new = SerialStruct.from_buffer_copy(device.tiocgserial())
    new.flags |= 0x30
    new.custom_divisor = 4
    device.tiocsserial(new)
    assert device.termios.c_cflag & CBAUD == B38400
    assert device.baud_rate == 28800


def test_what_configured_changes_is_what_the_program_gets_back():
    class OnlyEightBits(Serial):
        def configured(self):
            self.termios.c_cflag |= CSIZE

    device = OnlyEightBits()
    new = device.tcgets()
    new.c_cflag &= ~CSIZE
    device.tcsets(new)
    assert device.data_bits == 8
    assert device.tcgets().c_cflag & CSIZE == CSIZE


def test_tcflsh_knows_three_queues():
    with pytest.raises(OSError, match="Invalid") as refused:
        Serial().tcflsh(3)
    assert refused.value.errno == errno.EINVAL


def test_soft_carrier_is_clocal():
    device = Serial()
    assert device.tiocgsoftcar().value == 1
    device.tiocssoftcar(c_int(0))
    assert not device.termios.c_cflag & CLOCAL


# ---- Lines


class Lines(Serial):
    def setup(self):
        self.seen = []

    def lines_changed(self):
        self.seen.append((self.dtr, self.rts))


def test_the_program_sets_its_lines_and_the_device_hears_of_each_change():
    device = Lines()
    device.open(os.O_RDWR)
    device.tiocmbic(c_int(TIOCM_DTR))
    device.tiocmbis(c_int(TIOCM_DTR))
    device.tiocmbis(c_int(TIOCM_DTR))
    device.tiocmset(c_int(TIOCM_RTS))
    assert device.seen == [(True, True), (False, True), (True, True), (False, True)]
    assert device.tiocmget().value == TIOCM_RTS | TIOCM_CTS | TIOCM_DSR | TIOCM_CAR


def test_the_program_cannot_set_the_devices_lines_nor_the_device_the_programs():
    device = Lines(cts=False)
    device.tiocmset(c_int(0xFFFF))
    assert not device.cts
    assert not device.ri
    with pytest.raises(AttributeError, match="driven by the program"):
        device.dtr = False


def test_first_levels_are_parameters_and_class_attributes():
    class ThreeWires(Serial):
        cts = dsr = cd = False

    assert ThreeWires().tiocmget().value == 0
    device = ThreeWires(cd=True)
    assert device.tiocmget().value == TIOCM_CAR
    device.cts = True
    assert device.tiocmget().value == TIOCM_CAR | TIOCM_CTS
    assert not ThreeWires().cts


def test_baud_rate_0_hangs_up_and_another_one_comes_back():
    device = Lines()
    device.open(os.O_RDWR)
    configure(device, baud=0)
    assert not device.dtr
    assert not device.rts
    configure(device, baud=9600)
    assert device.dtr
    assert device.rts


def test_the_last_close_drops_the_lines_only_with_hupcl():
    device = Lines()
    device.open(os.O_RDWR)
    configure(device, hupcl=False)
    device.close()
    assert device.dtr
    configure(device, hupcl=True)
    device.close()
    assert not device.dtr


def test_an_open_waits_for_carrier_detect_without_clocal():
    device = Lines(cd=False)
    plug(device)
    configure(device, clocal=False)
    assert device.open(os.O_RDWR) is WAIT
    assert device.dtr  # raised meanwhile, so that the other end can answer
    assert device.open(os.O_RDWR | os.O_NONBLOCK) is device
    device.cd = True
    assert device.open(os.O_RDWR) is device


def test_a_change_ends_the_wait_for_its_line_and_wakes():
    table = plug(device := Lines())
    assert device.tiocmiwait(TIOCM_CTS | TIOCM_RNG) is WAIT
    device.dsr = False
    assert device.tiocmiwait(TIOCM_CTS | TIOCM_RNG) is WAIT
    device.cts = False
    assert table.wakes == 2
    assert device.tiocmiwait(TIOCM_CTS | TIOCM_RNG) is None
    assert device.tiocmiwait(TIOCM_CTS | TIOCM_RNG) is WAIT


def test_a_ring_counts_when_it_ends():
    plug(device := Lines())
    assert device.tiocmiwait(TIOCM_RNG) is WAIT
    device.ri = True
    assert device.tiocmiwait(TIOCM_RNG) is WAIT
    device.ri = False
    assert device.tiocmiwait(TIOCM_RNG) is None
    assert device.tiocgicount().rng == 1


def test_counters_count_changes_not_settings():
    plug(device := Lines())
    for level in (True, False, False, True, True):
        device.cts = level
    assert device.tiocgicount().cts == 2


def test_exclusive_use_is_kept_and_told():
    device = Serial()
    device.tiocexcl()
    assert device.tiocgexcl().value == 1
    device.tiocnxcl()
    assert device.tiocgexcl().value == 0


def test_a_break_is_heard_in_each_of_its_forms():
    class Listener(Serial):
        breaks = 0

        def break_received(self):
            assert self.break_on
            self.breaks += 1

    device = Listener()
    device.tiocsbrk()
    assert device.break_on
    device.tioccbrk()
    device.tcsbrk(0)
    device.tcsbrkp(5)
    device.tcsbrk(1)  # that one is tcdrain()
    assert device.breaks == 3
    assert not device.break_on


def test_the_first_level_that_a_class_gives_is_its_parameters_default():
    class Quiet(Serial):
        cd = False

    class Quieter(Quiet):
        dsr = False

    assert {name: Quieter.parameters[name].default for name in ("cts", "dsr", "ri", "cd")} == {
        "cts": True,
        "dsr": False,
        "ri": False,
        "cd": False,
    }
    assert Quieter(dsr=True).dsr
