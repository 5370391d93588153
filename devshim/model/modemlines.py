"""The modem lines of a serial port: two that the program drives, four that the device drives, and their counters."""

from __future__ import annotations

from ctypes import c_int

from devshim.model.device import WAIT, Device
from devshim.model.ioctl import ioctl
from devshim.model.termios import (
    TIOCM_CAR,
    TIOCM_CTS,
    TIOCM_DSR,
    TIOCM_DTR,
    TIOCM_LOOP,
    TIOCM_OUT1,
    TIOCM_OUT2,
    TIOCM_RNG,
    TIOCM_RTS,
    SerialCounters,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

DRIVEN_BY_PROGRAM = TIOCM_DTR | TIOCM_RTS | TIOCM_OUT1 | TIOCM_OUT2 | TIOCM_LOOP
COUNTERS = {TIOCM_CTS: "cts", TIOCM_DSR: "dsr", TIOCM_RNG: "rng", TIOCM_CAR: "dcd"}


class InputLine:
    """One line that the device drives, as an attribute: True is asserted."""

    def __init__(self, mask: int, first: bool) -> None:
        self.mask = mask
        self.first = first

    def __get__(self, instance: Any, owner: type | None = None) -> bool:
        return self.first if instance is None else bool(instance._inputs & self.mask)

    def __set__(self, instance: Any, value: bool) -> None:
        instance._drive(self.mask, bool(value))


class OutputLine:
    """One line that the program drives, as a read-only attribute."""

    def __init__(self, mask: int) -> None:
        self.mask = mask

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else bool(instance._outputs & self.mask)

    def __set__(self, instance: Any, value: bool) -> None:
        raise AttributeError("dtr and rts are driven by the program; a device drives cts, dsr, ri and cd")


def input_line(mask: int, first: bool) -> Any:
    """An InputLine, typed so that `cts: bool = ...` is a parameter for type checkers too."""
    return InputLine(mask, first)


INPUT_MASKS = {"cts": TIOCM_CTS, "dsr": TIOCM_DSR, "ri": TIOCM_RNG, "cd": TIOCM_CAR}


class ModemLines(Device):
    """cts, dsr, ri, cd: set by the device, seen by the program.  dtr, rts: the other way round."""

    cts: bool = input_line(TIOCM_CTS, True)  # clear to send
    dsr: bool = input_line(TIOCM_DSR, True)  # data set ready
    ri: bool = input_line(TIOCM_RNG, False)  # ring indicator
    cd: bool = input_line(TIOCM_CAR, True)  # carrier detect
    dtr = OutputLine(TIOCM_DTR)
    rts = OutputLine(TIOCM_RTS)

    _first_inputs: ClassVar[int] = TIOCM_CTS | TIOCM_DSR | TIOCM_CAR

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, mask in INPUT_MASKS.items():
            value = vars(cls).get(name)
            if isinstance(value, bool):
                setattr(cls, name, InputLine(mask, value))
            cls.parameters[name] = cls.parameters[name].with_default(getattr(cls, name))
        cls._first_inputs = sum(mask for name, mask in INPUT_MASKS.items() if getattr(cls, name))

    def __init__(self, **parameters: Any) -> None:
        self._inputs = type(self)._first_inputs
        self._outputs = 0
        self.counters = SerialCounters()
        #: By what a TIOCMIWAIT waits for: how often those lines had changed when it began to.
        self._waits: dict[int, int] = {}
        super().__init__(**parameters)

    def lines_changed(self) -> None:
        """Override: the program has changed dtr or rts."""

    def _written_before(self) -> None:
        """Let the device have what the program wrote before the call that is being answered."""

    def _input_changed(self, mask: int) -> None:
        """The device has changed one of its lines."""
        self.wake()

    def _drive(self, mask: int, level: bool) -> None:
        """Set one input line.  As a UART does, RI counts when it falls, the others at each change (TERI)."""
        if bool(self._inputs & mask) == level:
            return
        self._inputs ^= mask
        if mask != TIOCM_RNG or not level:
            counter = COUNTERS[mask]
            setattr(self.counters, counter, getattr(self.counters, counter) + 1)
        self._input_changed(mask)

    def _set_outputs(self, outputs: int) -> None:
        """Set the lines that the program drives; lines_changed() follows where dtr or rts is another than before."""
        changed = (self._outputs ^ outputs) & (TIOCM_DTR | TIOCM_RTS)
        self._outputs = outputs & DRIVEN_BY_PROGRAM
        if changed:
            self.lines_changed()

    @ioctl(0x5415, c_int, access="r", name="TIOCMGET")
    def tiocmget(self) -> c_int:
        """All lines."""
        return c_int(self._inputs | self._outputs)

    @ioctl(0x5416, c_int, access="w", name="TIOCMBIS")
    def tiocmbis(self, lines: c_int) -> None:
        """Raise some."""
        self._written_before()
        self._set_outputs(self._outputs | lines.value)

    @ioctl(0x5417, c_int, access="w", name="TIOCMBIC")
    def tiocmbic(self, lines: c_int) -> None:
        """Lower some."""
        self._written_before()
        self._set_outputs(self._outputs & ~lines.value)

    @ioctl(0x5418, c_int, access="w", name="TIOCMSET")
    def tiocmset(self, lines: c_int) -> None:
        """Set all."""
        self._written_before()
        self._set_outputs(lines.value)

    @ioctl(0x545C, value=c_int, name="TIOCMIWAIT")
    def tiocmiwait(self, mask: int) -> Any:
        """Wait until one of some input lines changes.

        A call that is asked again cannot be told from a new one, so what ends a wait is a change since the last
        wait for the same lines began that has not been told.
        """
        changes = sum(getattr(self.counters, name) for line, name in COUNTERS.items() if mask & line)
        if self._waits.setdefault(mask, changes) == changes:
            return WAIT
        del self._waits[mask]
        return None

    @ioctl(0x545D, SerialCounters, access="r", name="TIOCGICOUNT")
    def tiocgicount(self) -> SerialCounters:
        """How often each input line changed, and how many characters went each way."""
        self._written_before()
        return self.counters
