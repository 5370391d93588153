"""I2cBus: an adapter with chips, as the kernel's i2c-dev.c gives it to programs (/dev/i2c-N)."""

from __future__ import annotations

import errno

from devshim.model import smbus
from devshim.model.device import WAIT, Device, Plug
from devshim.model.i2c_abi import (
    BLOCK_MAX,
    FUNC_10BIT_ADDR,
    FUNC_I2C,
    FUNC_NOSTART,
    FUNC_PROTOCOL_MANGLING,
    FUNC_SMBUS_PEC,
    FUNC_SMBUS_READ_BLOCK_DATA,
    M_IGNORE_NAK,
    M_NOSTART,
    M_RD,
    M_RECV_LEN,
    M_STOP,
    M_TEN,
    PLAIN,
    Message,
    fail,
)
from devshim.model.i2c_chip import I2cChip
from devshim.model.i2c_file import I2cFile
from devshim.model.i2c_sysfs import surroundings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, ClassVar

    from devshim.model.attribute import Picture

__all__ = ["AddressTaken", "I2cBus", "I2cChip", "I2cFile", "Message"]

#: I2C_FUNC_* that a flag of a message needs.
NEEDED = {M_TEN: FUNC_10BIT_ADDR, M_RECV_LEN: FUNC_SMBUS_READ_BLOCK_DATA, M_NOSTART: FUNC_NOSTART}


class AddressTaken(ValueError):
    """Two chips of one bus have the same address."""


class I2cBus(Device):
    """A bus with chips: `I2cBus(Tmp102(celsius=80), Bme280()).chips[0x48]`.

    functionality  what I2C_FUNCS answers (I2C_FUNC_* of linux/i2c.h); without I2C_FUNC_I2C it is an SMBus-only
                   adapter, which refuses I2C_RDWR, read and write with EOPNOTSUPP
    nack           the errno, by name, for an address at which no chip acknowledges; it is the adapter's: most
                   give ENXIO, i2c-stub ENODEV, others EREMOTEIO or EIO
    name           what /sys and i2cdetect -l show of the adapter
    """

    usual_node: ClassVar[str] = "/dev/i2c-1"

    functionality: int = PLAIN
    nack: str = "ENXIO"
    name: str = ""

    major: ClassVar[int | None] = 89  # I2C_MAJOR; the minor is the node's number

    def __init__(self, *chips: I2cChip, **parameters: Any) -> None:
        self.chips: dict[int, I2cChip] = {}
        super().__init__(**parameters)
        if not hasattr(errno, self.nack):
            raise ValueError(f'{type(self).__name__}: nack="{self.nack}" is no errno; take ENXIO, ENODEV or EREMOTEIO')
        for chip in chips:
            self.add(chip)

    def add(self, chip: I2cChip) -> I2cChip:
        """Connect one more chip and return it.  Raises AddressTaken, or ValueError for an address that cannot be."""
        name = type(chip).__name__
        bits = 10 if chip.ten_bit else 7
        for address in chip.addresses_used():
            if not 0 < address < 1 << bits:
                raise ValueError(f"{name}: {address:#x} is no address of {bits} bits; set address=")
            other = self.chips.get(address)
            if other is not None:
                raise AddressTaken(
                    f"two chips at {address:#04x}: {type(other).__name__} and {name}; give one another address="
                )
        self.chips |= dict.fromkeys(chip.addresses_used(), chip)
        self.functionality |= chip.functionality
        if self._plug is not None:
            chip.attached(self._plug)
        return chip

    def attached(self, plug: Plug) -> None:
        """Called by the host; the chips' timers run from now on too."""
        super().attached(plug)
        for chip in self.each_chip():
            chip.attached(plug)

    def unplugged(self) -> None:
        """The adapter was pulled: tell the chips."""
        for chip in self.each_chip():
            chip.unplugged()

    def each_chip(self) -> Iterator[I2cChip]:
        """Every chip once, also one that has several addresses."""
        yield from {id(chip): chip for chip in self.chips.values()}.values()

    def open(self, flags: int) -> I2cFile:
        """Return a file of its own for each open: it holds the address that I2C_SLAVE chose."""
        return I2cFile(self)

    def surroundings(self, node: str, major: int, minor: int) -> Picture:
        """What /sys shows of the adapter."""
        return surroundings(self, node, major, minor)

    def chip_at(self, message: Message) -> I2cChip | None:
        """The chip that a message is for; nobody answers the general call at 0."""
        chip = self.chips.get(message.address)
        return chip if chip is not None and chip.ten_bit == bool(message.flags & M_TEN) else None

    def absent(self, message: Message) -> OSError:
        """The error for an address at which no chip acknowledges."""
        here = ", ".join(f"{address:#04x} ({type(chip).__name__})" for address, chip in sorted(self.chips.items()))
        number: int = getattr(errno, self.nack)
        return fail(number, f"nothing answers at {message.address:#04x}; plugged here: {here or 'no chip'}")

    def transfer(self, messages: list[Message]) -> Any:
        """Carry messages from START to STOP, with repeated STARTs between them (the driver's master_xfer).

        What was read stands in the messages' data afterwards.  Returns None, or WAIT if the first message's chip
        does.  Raises OSError: EOPNOTSUPP for what the adapter cannot do, `nack` where no chip acknowledges.
        """
        if not self.functionality & FUNC_I2C:
            raise fail(errno.EOPNOTSUPP)
        for message in messages:
            if message.flags & ~M_RD and not self.can(message.flags):
                raise fail(errno.EOPNOTSUPP)
        return self.exchange(messages)

    def can(self, flags: int) -> bool:
        """Whether the adapter has the functions that a message's flags need."""
        return all(self.functionality & function for flag, function in NEEDED.items() if flags & flag)

    def exchange(self, messages: list[Message]) -> Any:
        """Carry messages without asking what the adapter can do."""
        used: dict[int, I2cChip] = {}
        try:
            for run in runs(messages):
                chip = self.start(run[0], used)
                if chip is not None and self.carry(chip, run) is WAIT:
                    if run[0] is not messages[0]:
                        raise TypeError(f"{type(chip).__name__} answered WAIT in the middle of a transfer")
                    return WAIT
                if run[-1].flags & M_STOP and self.functionality & FUNC_PROTOCOL_MANGLING:
                    stop(used)
        finally:
            stop(used)
        return None

    def start(self, message: Message, used: dict[int, I2cChip]) -> I2cChip | None:
        """Send a START and an address; return the chip that acknowledges, None where a NACK is to be ignored."""
        chip = self.chip_at(message)
        if chip is not None:
            if id(chip) not in used:
                chip.forget()
            chip.heard(smbus.address_byte(message))
            if chip.started(message.address, message.reads):
                used[id(chip)] = chip
                return chip
        if message.flags & M_IGNORE_NAK and self.functionality & FUNC_PROTOCOL_MANGLING:
            return None
        raise self.absent(message)

    def carry(self, chip: I2cChip, run: list[Message]) -> Any:
        """Carry the bytes behind one address: those of a message, and of the ones that follow it without a START."""
        first, alone = run[0], len(run) == 1
        if not first.reads:
            data = first.data if alone else b"".join(message.data for message in run)
            return written(chip, data) if data else None
        if first.flags & M_RECV_LEN:
            return read_block(chip, first)
        size = first.length if alone else sum(message.length for message in run)
        data = chip.read(size) if size else b""
        if data is WAIT:
            return WAIT
        data = padded(chip, data, size)
        chip.heard(data)
        if alone:
            first.data = data
            return None
        for message in run:
            message.data, data = data[: message.length], data[message.length :]
        return None

    def smbus(self, address: int, flags: int, reading: bool, command: int, size: int, data: bytes, pec: bool) -> Any:
        """Do an SMBus transaction (the driver's smbus_xfer); return union i2c_smbus_data's bytes as read, or WAIT.

        Override it for an adapter with an SMBus behaviour of its own.  By default it is emulated as messages.
        """
        if self.functionality & FUNC_I2C:
            return smbus.emulate(self.transfer, address, flags, reading, command, size, data, pec)
        if not smbus.FUNCTIONS[size][reading] & self.functionality:
            raise fail(errno.EOPNOTSUPP)
        pec = pec and bool(self.functionality & FUNC_SMBUS_PEC)
        return smbus.emulate(self.exchange, address, flags, reading, command, size, data, pec)


def runs(messages: list[Message]) -> Iterator[list[Message]]:
    """Messages by the START that they share: M_NOSTART goes on where the one before it ended."""
    run: list[Message] = []
    for message in messages:
        if run and not (message.flags & M_NOSTART and message.reads == run[0].reads):
            yield run
            run = []
        run.append(message)
    if run:
        yield run


def stop(used: dict[int, I2cChip]) -> None:
    """Send a STOP: every chip that took part hears it."""
    while used:
        used.popitem()[1].stopped()


def written(chip: I2cChip, data: bytes) -> Any:
    """Hand data to a chip; EIO where it did not acknowledge all of it."""
    taken = chip.write(data)
    if taken is WAIT:
        return WAIT
    if taken is not None and not isinstance(taken, int):
        raise TypeError(f"{type(chip).__name__}.write() returned {taken!r}; return None, a number of bytes, or WAIT")
    chip.heard(data)
    if taken is not None and taken < len(data):
        raise fail(errno.EIO, f"{type(chip).__name__} acknowledged {taken} of {len(data)} bytes")
    return None


def read_block(chip: I2cChip, message: Message) -> Any:
    """Read a block whose length the chip sends first; EPROTO for a length that SMBus does not allow."""
    data = chip.read_block(message.extra)
    if data is WAIT:
        return WAIT
    data = bytes(data)
    if not data or not 0 < data[0] <= BLOCK_MAX:
        raise fail(errno.EPROTO, f"{type(chip).__name__} announced a block of {data[:1].hex() or 'no'} bytes")
    message.data = data[: 1 + data[0] + message.extra].ljust(1 + data[0] + message.extra, b"\xff")
    return None


def padded(chip: I2cChip, data: Any, size: int) -> bytes:
    """A chip's answer, with 0xff where it sends nothing: nobody pulls the line down then."""
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"{type(chip).__name__}.read() returned {data!r}; return bytes, or WAIT")
    if len(data) > size:
        raise ValueError(f"{type(chip).__name__}.read({size}) returned {len(data)} bytes")
    return bytes(data).ljust(size, b"\xff")
