"""Serial: a device on a serial port, written as what it says and what it answers."""

from __future__ import annotations

import os
import re
from ctypes import c_int
from functools import partial

from devshim.model.device import WAIT
from devshim.model.dialogue import Answers, Frames, LineSplitter, Pause, collect_commands, command, pause
from devshim.model.ioctl import ioctl
from devshim.model.serial_sysfs import companions, surroundings
from devshim.model.serialsettings import SerialSettings
from devshim.model.termios import CLOCAL, TIOCM_CTS, TIOCM_DTR, TIOCM_RTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar, Protocol

    from devshim.model.attribute import Picture
    from devshim.model.companion import Companion

    class TtyPlug(Protocol):
        """What carries a serial port's data while it is plugged; the host's TtyCarrier is one."""

        def send(self, data: bytes) -> None:
            """Hand bytes to the program; dropped while nobody has the port open."""

        def catch_up(self) -> None:
            """Hand the device what the program has written so far."""

        def apply_termios(self) -> None:
            """Follow the device's termios, paced and may_transmit."""

        def flush(self, queue: int) -> None:
            """Drop a queue: TCIFLUSH, TCOFLUSH or TCIOFLUSH."""

        def output_queue(self) -> int:
            """Bytes that the program wrote and the device has not got yet."""


__all__ = ["Pause", "Serial", "characters", "command", "pause"]

#: What the pty's own kernel code answers, or refuses, as a serial port's would (asm-generic/ioctls.h, tty_ioctl); the
#: last ones tell a console from other terminals (linux/kd.h, linux/vt.h).
NATIVE = {
    0x540A: "TCXONC",
    0x540E: "TIOCSCTTY",
    0x540F: "TIOCGPGRP",
    0x5410: "TIOCSPGRP",
    0x5412: "TIOCSTI",
    0x5413: "TIOCGWINSZ",
    0x5414: "TIOCSWINSZ",
    0x541B: "FIONREAD",
    0x541C: "TIOCLINUX",
    0x541D: "TIOCCONS",
    0x5420: "TIOCPKT",
    0x5421: "FIONBIO",
    0x5422: "TIOCNOTTY",
    0x5423: "TIOCSETD",
    0x5424: "TIOCGETD",
    0x5429: "TIOCGSID",
    0x542E: "TIOCGRS485",
    0x542F: "TIOCSRS485",
    0x5437: "TIOCVHANGUP",
    0x5441: "TIOCGPTPEER",
    0x5450: "FIONCLEX",
    0x5451: "FIOCLEX",
    0x5452: "FIOASYNC",
    0x5456: "TIOCGLCKTRMIOS",
    0x5457: "TIOCSLCKTRMIOS",
    0x80045430: "TIOCGPTN",
    0x40045431: "TIOCSPTLCK",
    0x80045438: "TIOCGPKT",
    0x80045439: "TIOCGPTLCK",
    0x4B31: "KDGETLED",
    0x4B33: "KDGKBTYPE",
    0x4B3B: "KDGETMODE",
    0x4B44: "KDGKBMODE",
    0x5600: "VT_OPENQRY",
    0x5601: "VT_GETMODE",
    0x5603: "VT_GETSTATE",
}


#: Names of ports with their major number and first minor (Documentation/admin-guide/devices.txt).
NUMBERS = {
    "ttyS": (4, 64),
    "ttyACM": (166, 0),
    "ttyUSB": (188, 0),
    "ttyAMA": (204, 64),
    "rfcomm": (216, 0),
}


class characters(float):
    """A time given in characters at the port's baud rate: `silence = characters(3.5)`."""


class Serial(SerialSettings):
    """A device on a serial port.

    Text devices have @command methods, binary ones framed() with frame() or silence, all others received().
    send() speaks unasked.  Settings (baud_rate, parity, ...), lines (dtr, rts; cts, dsr, ri, cd) and break_on
    are attributes; configured(), lines_changed(), break_received(), opened() and closed() are there to override.
    """

    usual_node: ClassVar[str] = "/dev/ttyUSB0"

    carrier = "tty"
    native_ioctls: ClassVar[tuple[int, ...]] = tuple(NATIVE)

    #: Ends each text answer.  CR and LF: a line of the program may end with either or both.
    newline: ClassVar[str] = "\r\n"
    encoding: ClassVar[str] = "utf-8"
    #: A silence of so many seconds, or characters(), ends a frame; None: only frame() says where one ends.
    silence: ClassVar[float | None] = None
    #: The longest line or frame that is waited for; what has no end until then is dropped.
    longest: ClassVar[int] = 65536

    #: Send back all that is received, as it comes.
    echo: bool = False
    #: Let characters take their time, at the baud rate, both ways.
    paced: bool = False
    #: At a node such as ttyUSB0 or ttyACM0, the adapter that /sys shows: "0403:6015", and its texts; "": a common one.
    usb_id: str = ""
    usb_manufacturer: str = ""
    usb_product: str = ""
    usb_serial: str = ""

    #: In milliseconds, as the program sets it in the /sys of an FTDI adapter.
    latency_timer = 16

    _commands: ClassVar[tuple[tuple[re.Pattern[str], str], ...]] = ()
    _binary: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._commands = collect_commands(cls)
        cls._binary = cls.framed is not Serial.framed
        if cls._binary and cls.frame is Serial.frame and cls.silence is None:
            cls.silence = characters(3.5)

    def __init__(self, **parameters: Any) -> None:
        self._answers = Answers(self)
        self._lines = LineSplitter()
        self._frames = Frames(self)
        self.is_open = self.break_on = False
        self._tty: TtyPlug | None = None
        super().__init__(**parameters)

    def numbers(self, node: str) -> tuple[int | None, int | None]:
        """The numbers that Linux gives a port of this name, such as ttyUSB0; else any that are free."""
        match = re.fullmatch(r"(\D+)(\d+)", node.rpartition("/")[2])
        name, number = match.groups() if match else ("", "")
        if name in NUMBERS and self.major is None:
            major, first = NUMBERS[name]
            return major, first + int(number)
        return super().numbers(node)

    def surroundings(self, node: str, major: int, minor: int) -> Picture:
        """What /sys and udev show of the port and of the adapter that it is on."""
        return surroundings(self, node, major, minor)

    def _companions(self, node: str) -> Mapping[str, Companion]:
        """The node of the USB device of the adapter that it is on."""
        return companions(self, node)

    # ---- What an author overrides -------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        """Take what the program wrote, in whatever pieces it comes: into frames or lines, unless overridden."""
        if self._binary:
            self._frames.feed(data)
            if len(self._frames.buffer) > self.longest:
                self._frames.clear()
            return
        lines = self._lines.feed(data, self.newline.encode(self.encoding))
        if len(self._lines.rest) > self.longest:
            self._lines.clear()
        texts = [line.decode(self.encoding, "surrogateescape") for line in lines]
        self._answers.ask(*[partial(self._answer, text) for text in texts])

    def frame(self, received: bytes) -> int:
        """Return the length of the frame at the start of received, which is not empty.

        0: more is needed.  -n: the first n bytes begin no frame and are dropped.
        """
        return 0

    def framed(self, frame: bytes) -> Any:
        """Answer one whole frame, as a command does."""
        return None

    def unknown(self, line: str) -> Any:
        """Answer a line that no command took (an empty one is passed over); by default with nothing."""
        return None

    def opened(self) -> None:
        """A program has opened the port, which nobody had open."""

    def closed(self) -> None:
        """Nobody has the port open any more."""

    def break_received(self) -> None:
        """The program has begun to send a break."""

    @property
    def silence_seconds(self) -> float | None:
        """How long a silence ends a frame; None where none does."""
        if isinstance(self.silence, characters):
            return self.silence * self.character_time
        return self.silence

    # ---- What an author calls -----------------------------------------------------------------------

    def send(self, data: bytes | str) -> None:
        """Send bytes, or text in self.encoding, to the program; lost while nobody has the port open."""
        if isinstance(data, str):
            data = data.encode(self.encoding, "surrogateescape")
        if self._plug is not None:
            self._plug.send(data)

    def say(self, answer: Any) -> None:
        """Send one answer: text and a newline, bytes as they are, None for nothing.

        Raises TypeError for anything else.
        """
        if answer is None:
            return
        if isinstance(answer, str):
            self.send(answer + self.newline)
        elif isinstance(answer, (bytes, bytearray, memoryview)):
            self.send(bytes(answer))
        else:
            raise TypeError(f"{type(self).__name__}: an answer is str, bytes, None or several of them, not {answer!r}")

    # ---- What the host calls ------------------------------------------------------------------------

    def open(self, flags: int) -> Any:
        """Raise DTR and RTS; wait for a carrier unless CLOCAL or O_NONBLOCK says not to (tty_port_block_til_ready)."""
        if self.baud_rate:
            self._set_outputs(self._outputs | TIOCM_DTR | TIOCM_RTS)
        if self.cd or self.termios.c_cflag & CLOCAL or flags & os.O_NONBLOCK:
            return self
        return WAIT

    def close(self) -> None:
        """The last close: hang up."""
        self.is_open = self.break_on = False
        self._hang_up_lines()
        self.closed()

    def write(self, data: bytes) -> None:
        """Data that the program wrote comes out at the device's end of the line."""
        self.counters.tx = (self.counters.tx + len(data)) & 0x7FFFFFFF
        if self.echo:
            self.send(data)
        self.received(data)

    def carried_by(self, tty: TtyPlug) -> None:
        """From now on, tty carries the data."""
        self._tty = tty

    def detached(self) -> None:
        """The port was pulled out: forget what was going on, without hooks; unplugged() tells the author."""
        self.is_open = self.break_on = self.exclusive = False
        self._outputs = 0
        self._tty = None
        self._answers.clear()
        self._frames.clear()
        self._lines.clear()

    def _written_before(self) -> None:
        if self._tty is not None:
            self._tty.catch_up()

    def _apply_termios(self) -> None:
        if self._tty is not None:
            self._tty.apply_termios()

    def _flush(self, queue: int) -> None:
        if self._tty is not None:
            self._tty.flush(queue)

    def _output_queue(self) -> int:
        return self._tty.output_queue() if self._tty is not None else 0

    def _input_changed(self, mask: int) -> None:
        if mask == TIOCM_CTS and self.rtscts:
            self._apply_termios()
        super()._input_changed(mask)

    def _answer(self, line: str) -> Any:
        """The answer to one line: of the first command that matches it, else of unknown()."""
        for pattern, name in self._commands:
            match = pattern.fullmatch(line)
            if match is not None:
                named = match.groupdict()
                return getattr(self, name)(**named) if named else getattr(self, name)(*match.groups())
        return self.unknown(line) if line else None

    # ---- Break --------------------------------------------------------------------------------------

    def _begin_break(self) -> None:
        """The line goes to space."""
        self._written_before()
        self.break_on = True
        self.break_received()

    @ioctl(0x5427, name="TIOCSBRK")
    def tiocsbrk(self) -> None:
        """Begin a break."""
        self._begin_break()

    @ioctl(0x5428, name="TIOCCBRK")
    def tioccbrk(self) -> None:
        """End it."""
        self.break_on = False

    @ioctl(0x5409, value=c_int, name="TCSBRK")
    def tcsbrk(self, drain: int) -> Any:
        """tcsendbreak() with 0, tcdrain() with anything else."""
        if not self._drained():
            return WAIT
        if not drain:
            self._begin_break()
            self.break_on = False
        return None

    @ioctl(0x5425, value=c_int, name="TCSBRKP")
    def tcsbrkp(self, tenths: int) -> Any:
        """tcsendbreak() with a duration, in tenths of a second."""
        return self.tcsbrk(0)
