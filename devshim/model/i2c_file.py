"""I2cFile: one open of an I2C bus, and the system calls on it, as the kernel's i2c-dev.c answers them."""

from __future__ import annotations

import errno
from ctypes import c_ulong

from devshim.model.device import WAIT, File
from devshim.model.i2c_abi import (
    BLOCK_MAX,
    BYTE,
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
    M_RD,
    M_RECV_LEN,
    M_TEN,
    MOST_BYTES,
    MOST_MESSAGES,
    QUICK,
    SMBUS_DATA,
    SMBUS_LENGTHS,
    SMBUS_READ,
    SMBUS_WRITE,
    I2cMsg,
    I2cRdwrIoctlData,
    I2cSmbusIoctlData,
    Message,
    fail,
)
from devshim.model.ioctl import ioctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.model.i2c import I2cBus

MOST_INT = 2**31 - 1


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
        """Take addresses of ten bits from now on, or of seven."""
        self.ten = M_TEN if on else 0

    @ioctl(I2C_PEC, value=c_ulong, name="I2C_PEC")
    def set_pec(self, on: int) -> None:
        """Use packet error codes in SMBus transactions, or not."""
        self.pec = bool(on)

    @ioctl(I2C_RETRIES, value=c_ulong, name="I2C_RETRIES")
    def set_retries(self, count: int) -> None:
        """How often the adapter polls an absent chip; kept, without effect here.  EINVAL above 31 bits."""
        if count > MOST_INT:
            raise fail(errno.EINVAL)
        self.retries = count

    @ioctl(I2C_TIMEOUT, value=c_ulong, name="I2C_TIMEOUT")
    def set_timeout(self, tens_of_ms: int) -> None:
        """How long the adapter tries; kept, without effect here.  EINVAL above 31 bits."""
        if tens_of_ms > MOST_INT:
            raise fail(errno.EINVAL)
        self.timeout = tens_of_ms

    @ioctl(I2C_FUNCS, c_ulong, access="r", name="I2C_FUNCS", query=True)
    def functions(self) -> c_ulong:
        """What the adapter can do: I2C_FUNC_* bits."""
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
