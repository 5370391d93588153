"""I2cBus: an adapter with chips, as the kernel's i2c-dev.c gives it to programs (/dev/i2c-N)."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from ctypes import c_ulong
from typing import Any, ClassVar

from devshim.model import smbus
from devshim.model.device import WAIT, Device, File, Plug
from devshim.model.i2c_abi import (
    BLOCK_MAX,
    BYTE,
    FUNC_10BIT_ADDR,
    FUNC_I2C,
    FUNC_NOSTART,
    FUNC_PROTOCOL_MANGLING,
    FUNC_SMBUS_PEC,
    FUNC_SMBUS_READ_BLOCK_DATA,
    I2C_BLOCK_BROKEN,
    I2C_BLOCK_DATA,
    I2C_FUNCS,
    I2C_PEC,
    I2C_RDWR,
    I2C_RETRIES,
    I2C_SLAVE,
    I2C_SLAVE_FORCE,
    I2C_SMBUS,
    I2C_TENBIT,
    I2C_TIMEOUT,
    M_IGNORE_NAK,
    M_NOSTART,
    M_RD,
    M_RECV_LEN,
    M_STOP,
    M_TEN,
    MOST_BYTES,
    MOST_MESSAGES,
    PLAIN,
    QUICK,
    SMBUS_DATA,
    SMBUS_LENGTHS,
    SMBUS_READ,
    SMBUS_WRITE,
    I2cMsg,
    I2cRdwrIoctlData,
    I2cSmbusIoctlData,
    Message,
)
from devshim.model.i2c_chip import I2cChip
from devshim.model.ioctl import ioctl

__all__ = ["AddressTaken", "I2cBus", "I2cChip", "I2cFile", "Message"]

MOST_INT = 2**31 - 1


class AddressTaken(ValueError):
    """Two chips of one bus have the same address."""


def fail(number: int, why: str = "") -> OSError:
    """An OSError with a text, for raising."""
    return OSError(number, why or os.strerror(number))


class I2cBus(Device):
    """A bus with chips: `I2cBus(Tmp102(celsius=80), Bme280()).chips[0x48]`.

    functionality  what I2C_FUNCS answers (I2C_FUNC_* of linux/i2c.h); without I2C_FUNC_I2C it is an SMBus-only
                   adapter, which refuses I2C_RDWR, read and write with EOPNOTSUPP
    nack           the errno, by name, for an address at which no chip acknowledges; it is the adapter's: most
                   give ENXIO, i2c-stub ENODEV, others EREMOTEIO or EIO
    """

    functionality: int = PLAIN
    nack: str = "ENXIO"

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
        needed = {M_TEN: FUNC_10BIT_ADDR, M_RECV_LEN: FUNC_SMBUS_READ_BLOCK_DATA, M_NOSTART: FUNC_NOSTART}
        for flag, function in needed.items():
            if any(message.flags & flag for message in messages) and not self.functionality & function:
                raise fail(errno.EOPNOTSUPP)
        return self.exchange(messages)

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
        if not run[0].reads:
            data = b"".join(message.data for message in run)
            return written(chip, data) if data else None
        if run[0].flags & M_RECV_LEN:
            return read_block(chip, run[0])
        size = sum(message.length for message in run)
        data = chip.read(size) if size else b""
        if data is WAIT:
            return WAIT
        data = padded(chip, data, size)
        chip.heard(data)
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


class I2cFile(File):
    """One open of a bus, with the address, ten-bit and PEC settings that its ioctls made (i2c-dev.c)."""

    def __init__(self, bus: I2cBus) -> None:
        self.device = bus
        self.address = 0
        self.ten = 0
        self.pec = False
        self.retries = 0
        self.timeout = 100

    def read(self, size: int) -> Any:
        """i2cdev_read: one message from the chosen chip, at most 8192 bytes."""
        message = Message(self.address, M_RD | self.ten, length=min(size, MOST_BYTES))
        return WAIT if self.device.transfer([message]) is WAIT else message.data

    def write(self, data: bytes) -> Any:
        """i2cdev_write: one message to the chosen chip, at most 8192 bytes; none at all is just its address."""
        message = Message(self.address, self.ten, bytes(data[:MOST_BYTES]))
        return WAIT if self.device.transfer([message]) is WAIT else len(message.data)

    @ioctl(I2C_SLAVE, value=c_ulong, name="I2C_SLAVE")
    def set_address(self, address: int) -> None:
        """Choose the chip; EBUSY where a kernel driver has it."""
        self.check_address(address)
        chip = self.device.chips.get(address)
        if chip is not None and chip.busy:
            raise fail(errno.EBUSY)
        self.address = address

    @ioctl(I2C_SLAVE_FORCE, value=c_ulong, name="I2C_SLAVE_FORCE")
    def force_address(self, address: int) -> None:
        """Choose the chip, also where a kernel driver has it."""
        self.check_address(address)
        self.address = address

    def check_address(self, address: int) -> None:
        """EINVAL for an address of more bits than are in use."""
        if address > (0x3FF if self.ten else 0x7F):
            raise fail(errno.EINVAL)

    @ioctl(I2C_TENBIT, value=c_ulong, name="I2C_TENBIT")
    def set_ten_bit(self, on: int) -> None:
        self.ten = M_TEN if on else 0

    @ioctl(I2C_PEC, value=c_ulong, name="I2C_PEC")
    def set_pec(self, on: int) -> None:
        self.pec = bool(on)

    @ioctl(I2C_RETRIES, value=c_ulong, name="I2C_RETRIES")
    def set_retries(self, count: int) -> None:
        if count > MOST_INT:
            raise fail(errno.EINVAL)
        self.retries = count

    @ioctl(I2C_TIMEOUT, value=c_ulong, name="I2C_TIMEOUT")
    def set_timeout(self, tens_of_ms: int) -> None:
        if tens_of_ms > MOST_INT:
            raise fail(errno.EINVAL)
        self.timeout = tens_of_ms

    @ioctl(I2C_FUNCS, c_ulong, access="r", name="I2C_FUNCS")
    def functions(self) -> c_ulong:
        return c_ulong(self.device.functionality)

    @ioctl(I2C_RDWR, I2cRdwrIoctlData, access="rw", name="I2C_RDWR")
    def combined(self, argument: Any) -> Any:
        """Several messages as one transfer; returns their number (i2cdev_ioctl_rdwr)."""
        if argument.msgs is None or not 0 < argument.nmsgs <= MOST_MESSAGES:
            raise fail(errno.EINVAL)
        messages = [message_of(given) for given in argument.msgs]
        if self.device.transfer(messages) is WAIT:
            return WAIT
        for given, message in zip(argument.msgs, messages, strict=True):
            if message.reads:
                given.buf[: len(message.data)] = message.data
        return len(messages)

    @ioctl(I2C_SMBUS, I2cSmbusIoctlData, access="w", name="I2C_SMBUS")
    def smbus(self, argument: Any) -> Any:
        """One SMBus transaction (i2cdev_ioctl_smbus); the union is written back where the program reads."""
        size, reading = argument.size, argument.read_write == SMBUS_READ
        if (size != QUICK and size not in SMBUS_LENGTHS) or argument.read_write not in (SMBUS_READ, SMBUS_WRITE):
            raise fail(errno.EINVAL)
        ignored = size == QUICK or (size == BYTE and not reading)
        if argument.data is None and not ignored:
            raise fail(errno.EINVAL)
        data = b"" if ignored else bytes(argument.data).ljust(SMBUS_DATA, b"\0")
        if size == I2C_BLOCK_BROKEN:  # i2c-dev.c keeps old programs alive: their reads have no length
            size = I2C_BLOCK_DATA
            data = bytes([BLOCK_MAX]) + data[1:] if reading else data
        answer = self.device.smbus(self.address, self.ten, reading, argument.command, size, data, self.pec)
        if answer is WAIT:
            return WAIT
        if answer:
            argument.data[: len(answer)] = answer
        return None


def message_of(given: I2cMsg) -> Message:
    """A message as models see it; EINVAL for one that i2c-dev.c does not accept."""
    if given.len > MOST_BYTES:
        raise fail(errno.EINVAL)
    message = Message(given.addr, given.flags, length=given.len)
    if not message.reads:
        message.data = bytes(given.buf)
    if given.flags & M_RECV_LEN:
        # The first byte says how many bytes the program wants besides the block itself: its length, and a PEC.
        if not message.reads or given.len < 1 or given.buf[0] < 1 or given.len < given.buf[0] + BLOCK_MAX:
            raise fail(errno.EINVAL)
        message.extra = given.buf[0] - 1
    return message
