"""The devices that the benchmark plugs.  They do next to nothing: what is measured is the way to them and back."""

import threading
from ctypes import Structure, c_int, c_int32, c_int64
from typing import Any

from devshim import IO, IOR, IOWR, Device, Hidraw, I2cChip, Input, Register, Serial, command, ioctl
from devshim import input_codes as codes

BULK = 1 << 20
"""Bytes of one bulk transfer."""


class Pair(Structure):
    """8 bytes."""

    _fields_ = [("position", c_int32), ("speed", c_int32)]


class Four(Structure):
    """32 bytes."""

    _fields_ = [("a", c_int64), ("b", c_int64), ("c", c_int64), ("d", c_int64)]


class Computed(Device):
    """Reads, writes and ioctls, each answered by a method."""

    position = speed = 0

    def read(self, size: int) -> bytes:
        return b"12345678"

    def write(self, data: bytes) -> None:
        self.last = data

    @ioctl(IOR("M", 1, Pair))
    def pair(self) -> Pair:
        return Pair(self.position, self.speed)

    @ioctl(IOR("M", 2, Four))
    def four(self) -> Four:
        return Four(1, 2, 3, 4)

    @ioctl(IOR("M", 5, Pair), query=True)
    def asked(self) -> Pair:
        return Pair(self.position, self.speed)

    @ioctl(IOWR("M", 6, Four), query=True)
    def told(self, four: Four) -> None:
        four.d = 4

    @ioctl(IO("M", 4), value=c_int)
    def select(self, number: int) -> None:
        self.selected = number


class Thermometer(I2cChip):
    """A chip with one register of two bytes."""

    address: int = 0x48
    addressing, byteorder = "pointer", "big"
    temperature = Register(0x00, size=2, reset=0x1580)


class Meter(Serial):
    """Answers each query, whatever it is, as soon as its newline has come; and moves bytes in bulk."""

    expected = 0

    def received(self, data: bytes) -> None:
        """S: send BULK bytes.  W: take as many, then acknowledge."""
        if self.expected:
            self.take(data)
        elif data == b"S":
            self.send(bytes(BULK))
        elif data.startswith(b"W"):
            self.expected = BULK
            self.take(data[1:])
        elif data.endswith(b"\n"):
            self.send(b"12.3456\n")

    def take(self, data: bytes) -> None:
        self.expected -= len(data)
        if not self.expected:
            self.send(b"A")


class TextMeter(Serial):
    """The same answer, through the line commands that text devices are written with."""

    newline = "\n"

    @command(r"MEAS\?")
    def measure(self) -> Any:
        return "12.3456"


class Busy(Computed):
    """The same beside a thread of Python that never rests, as a model may have one."""

    def plugged(self) -> None:
        threading.Thread(target=self.compute, daemon=True).start()

    def compute(self) -> None:
        number = 0
        while True:
            number += 1


class Mouse(Input):
    """Moves 160 times when a sound is asked for."""

    relative = [codes.REL_X, codes.REL_Y]
    sounds = [codes.SND_TONE]
    report_size = 64
    MOVES = [(codes.EV_REL, codes.REL_X, 1), (codes.EV_REL, codes.REL_Y, 2), (codes.EV_SYN, codes.SYN_REPORT, 0)] * 160

    def sound_changed(self, sound: int, value: int) -> None:
        self.play(self.MOVES)


REPORT = bytes(8)
REPORTS_A_BURST = 60


class Gadget(Hidraw):
    """Sends 60 reports of eight bytes for each output report."""

    report_descriptor = bytes.fromhex("0600ff 0901 a101 0901 1500 26ff00 7508 9508 8102 0901 9508 9102 c0")

    def output(self, report: bytes) -> None:
        self.send_inputs([REPORT] * REPORTS_A_BURST)
