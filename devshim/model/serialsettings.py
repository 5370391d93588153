"""The settings of a serial port: termios as the program set it, and what a pty cannot keep of it."""

from __future__ import annotations

import errno
import os
from ctypes import c_int

from devshim.model.device import WAIT
from devshim.model.ioctl import IOR, IOW, ioctl
from devshim.model.modemlines import ModemLines
from devshim.model.termios import (
    ASYNC_SPD_CUST,
    B38400,
    CBAUD,
    CLOCAL,
    CMSPAR,
    CRTSCTS,
    CSIZE,
    CSTOPB,
    HUPCL,
    IXON,
    PARENB,
    PARODD,
    PORT_16550A,
    TCIFLUSH,
    TCIOFLUSH,
    TIOCM_DTR,
    TIOCM_RTS,
    SerialStruct,
    Termio,
    Termios,
    Termios2,
    as_termio,
    as_termios,
    changed_by,
    first_termios,
    output_speed,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class SerialSettings(ModemLines):
    """termios and serial_struct, kept over closes as the serial core keeps them; friendly names for both."""

    def __init__(self, **parameters: Any) -> None:
        self.termios = first_termios()
        self.serial_info = SerialStruct(
            type=PORT_16550A, xmit_fifo_size=16, baud_base=115200, close_delay=50, closing_wait=3000
        )
        self.exclusive = False
        super().__init__(**parameters)

    def configured(self) -> None:
        """Override: the program has set termios.  What is changed in self.termios here is what it gets back."""

    def _apply_termios(self) -> None:
        """Pass the settings on to what carries the data."""

    def _flush(self, queue: int) -> None:
        """Drop what waits to be read (TCIFLUSH), to be sent (TCOFLUSH), or both."""

    def _output_queue(self) -> int:
        """Bytes that the program wrote and the line has not sent yet."""
        return 0

    # ---- For the device's author ------------------------------------------------------------------

    @property
    def baud_rate(self) -> int:
        """Bits a second; 0 is hung up (B0)."""
        custom = self.serial_info.flags & ASYNC_SPD_CUST == ASYNC_SPD_CUST and self.serial_info.custom_divisor
        if custom and self.termios.c_cflag & CBAUD == B38400:
            return int(self.serial_info.baud_base // self.serial_info.custom_divisor)
        return output_speed(self.termios)

    @property
    def data_bits(self) -> int:
        """5 to 8."""
        return int(5 + ((self.termios.c_cflag & CSIZE) >> 4))

    @property
    def stop_bits(self) -> int:
        """1 or 2."""
        return 2 if self.termios.c_cflag & CSTOPB else 1

    @property
    def parity(self) -> str:
        """N(one), E(ven), O(dd), M(ark) or S(pace)."""
        flags = self.termios.c_cflag
        if not flags & PARENB:
            return "N"
        return ("EO", "SM")[bool(flags & CMSPAR)][bool(flags & PARODD)]

    @property
    def settings(self) -> str:
        """All of it as people write it: "9600 8N1"."""
        return f"{self.baud_rate} {self.data_bits}{self.parity}{self.stop_bits}"

    @property
    def rtscts(self) -> bool:
        """Whether the program asked for flow control by RTS and CTS."""
        return bool(self.termios.c_cflag & CRTSCTS)

    @property
    def xonxoff(self) -> bool:
        """Whether XOFF and XON from the device stop and start the program's output."""
        return bool(self.termios.c_iflag & IXON)

    @property
    def character_time(self) -> float:
        """Seconds that one character takes on the line; at B0 as at 9600."""
        bits = 1 + self.data_bits + (self.parity != "N") + self.stop_bits
        return bits / (self.baud_rate or 9600)

    @property
    def may_transmit(self) -> bool:
        """Whether the program's output may go out: always, unless it asked for RTS/CTS and CTS is off."""
        return self.cts or not self.rtscts

    # ---- termios ----------------------------------------------------------------------------------

    def _set_termios(self, new: Termios | Termios2 | Termio) -> None:
        """Take new settings; to B0 drops DTR and RTS, from B0 raises them (uart_change_line_settings)."""
        self._written_before()
        before = self.baud_rate
        self.termios = changed_by(self.termios, new)
        self.configured()
        self._apply_termios()
        after = self.baud_rate
        if bool(before) != bool(after):
            lines = TIOCM_DTR | TIOCM_RTS
            self._set_outputs(self._outputs | lines if after else self._outputs & ~lines)

    def _drained(self) -> bool:
        """Whether all that the program wrote has gone out."""
        self._written_before()
        return self._output_queue() == 0

    def _set_drained(self, new: Termios | Termios2 | Termio, flush: bool = False) -> Any:
        """The W and F variants: after the output has gone out, F dropping what was not read."""
        if not self._drained():
            return WAIT
        if flush:
            self._flush(TCIFLUSH)
        self._set_termios(new)
        return None

    @ioctl(0x5401, Termios, access="r", name="TCGETS", query=True)
    def tcgets(self) -> Termios:
        """The settings."""
        return as_termios(self.termios)

    @ioctl(0x5402, Termios, access="w", name="TCSETS")
    def tcsets(self, new: Termios) -> None:
        """Set them now."""
        self._set_termios(new)

    @ioctl(0x5403, Termios, access="w", name="TCSETSW")
    def tcsetsw(self, new: Termios) -> Any:
        """Set them once the output is out."""
        return self._set_drained(new)

    @ioctl(0x5404, Termios, access="w", name="TCSETSF")
    def tcsetsf(self, new: Termios) -> Any:
        """The same, and drop the input."""
        return self._set_drained(new, flush=True)

    @ioctl(IOR("T", 0x2A, Termios2), name="TCGETS2", query=True)
    def tcgets2(self) -> Termios2:
        """The settings, baud rates as numbers."""
        return self.termios

    @ioctl(IOW("T", 0x2B, Termios2), name="TCSETS2")
    def tcsets2(self, new: Termios2) -> None:
        """Set them now."""
        self._set_termios(new)

    @ioctl(IOW("T", 0x2C, Termios2), name="TCSETSW2")
    def tcsetsw2(self, new: Termios2) -> Any:
        """Set them once the output is out."""
        return self._set_drained(new)

    @ioctl(IOW("T", 0x2D, Termios2), name="TCSETSF2")
    def tcsetsf2(self, new: Termios2) -> Any:
        """The same, and drop the input."""
        return self._set_drained(new, flush=True)

    @ioctl(0x5405, Termio, access="r", name="TCGETA", query=True)
    def tcgeta(self) -> Termio:
        """The settings, in System V's short form."""
        return as_termio(self.termios)

    @ioctl(0x5406, Termio, access="w", name="TCSETA")
    def tcseta(self, new: Termio) -> None:
        """Set them now."""
        self._set_termios(new)

    @ioctl(0x5407, Termio, access="w", name="TCSETAW")
    def tcsetaw(self, new: Termio) -> Any:
        """Set them once the output is out."""
        return self._set_drained(new)

    @ioctl(0x5408, Termio, access="w", name="TCSETAF")
    def tcsetaf(self, new: Termio) -> Any:
        """The same, and drop the input."""
        return self._set_drained(new, flush=True)

    @ioctl(0x5419, c_int, access="r", name="TIOCGSOFTCAR", query=True)
    def tiocgsoftcar(self) -> c_int:
        """Whether CLOCAL is set."""
        return c_int(bool(self.termios.c_cflag & CLOCAL))

    @ioctl(0x541A, c_int, access="w", name="TIOCSSOFTCAR")
    def tiocssoftcar(self, on: c_int) -> None:
        """Set or clear CLOCAL."""
        new = as_termios(self.termios)
        new.c_cflag = new.c_cflag & ~CLOCAL | (CLOCAL if on.value else 0)
        self._set_termios(new)

    # ---- Queues -----------------------------------------------------------------------------------

    @ioctl(0x540B, value=c_int, name="TCFLSH")
    def tcflsh(self, queue: int) -> None:
        """Drop what is queued."""
        if not TCIFLUSH <= queue <= TCIOFLUSH:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._written_before()
        self._flush(queue)

    @ioctl(0x5411, c_int, access="r", name="TIOCOUTQ")
    def tiocoutq(self) -> c_int:
        """Bytes still to be sent."""
        self._written_before()
        return c_int(self._output_queue())

    # ---- The port itself --------------------------------------------------------------------------

    @ioctl(0x541E, SerialStruct, access="r", name="TIOCGSERIAL", query=True)
    def tiocgserial(self) -> SerialStruct:
        """What setserial shows."""
        return self.serial_info

    @ioctl(0x541F, SerialStruct, access="w", name="TIOCSSERIAL")
    def tiocsserial(self, new: SerialStruct) -> None:
        """What setserial, and low latency modes, set."""
        self.serial_info = SerialStruct.from_buffer_copy(new)

    @ioctl(0x540C, name="TIOCEXCL")
    def tiocexcl(self) -> None:
        """No further opens, until the last close."""
        self.exclusive = True

    @ioctl(0x540D, name="TIOCNXCL")
    def tiocnxcl(self) -> None:
        """Further opens again."""
        self.exclusive = False

    @ioctl(IOR("T", 0x40, c_int), name="TIOCGEXCL", query=True)
    def tiocgexcl(self) -> c_int:
        """Whether further opens are refused."""
        return c_int(self.exclusive)

    def _hang_up_lines(self) -> None:
        """At last close: drop DTR and RTS where HUPCL says so, and the exclusive use."""
        self.exclusive = False
        if self.termios.c_cflag & HUPCL:
            self._set_outputs(self._outputs & ~(TIOCM_DTR | TIOCM_RTS))
