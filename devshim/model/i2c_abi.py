"""Numbers and layouts of <linux/i2c.h> and <linux/i2c-dev.h>, and one message as models see it."""

from __future__ import annotations

import os
from ctypes import Structure, c_uint8, c_uint16, c_uint32

from devshim.model.ioctl import pointer

I2C_RETRIES, I2C_TIMEOUT, I2C_SLAVE, I2C_TENBIT = 0x0701, 0x0702, 0x0703, 0x0704
I2C_FUNCS, I2C_SLAVE_FORCE, I2C_RDWR, I2C_PEC, I2C_SMBUS = 0x0705, 0x0706, 0x0707, 0x0708, 0x0720

M_RD, M_TEN, M_RECV_LEN, M_IGNORE_NAK, M_NOSTART, M_STOP = 0x0001, 0x0010, 0x0400, 0x1000, 0x4000, 0x8000

FUNC_I2C, FUNC_10BIT_ADDR, FUNC_PROTOCOL_MANGLING, FUNC_SMBUS_PEC, FUNC_NOSTART = 0x01, 0x02, 0x04, 0x08, 0x10
FUNC_SMBUS_BLOCK_PROC_CALL = 0x00008000
FUNC_SMBUS_READ_BLOCK_DATA = 0x01000000
#: What i2c-core emulates on any adapter that transfers messages; PEC included, block reads not.
FUNC_SMBUS_EMUL = 0x0EFF0008
#: A plain adapter: messages, and SMBus emulated on top of them.
PLAIN = FUNC_I2C | FUNC_SMBUS_EMUL

QUICK, BYTE, BYTE_DATA, WORD_DATA, PROC_CALL, BLOCK_DATA, I2C_BLOCK_BROKEN, BLOCK_PROC_CALL, I2C_BLOCK_DATA = range(9)
SMBUS_WRITE, SMBUS_READ = 0, 1
BLOCK_MAX = 32  # I2C_SMBUS_BLOCK_MAX
SMBUS_DATA = BLOCK_MAX + 2  # sizeof(union i2c_smbus_data)

MOST_MESSAGES = 42  # I2C_RDWR_IOCTL_MAX_MSGS
MOST_BYTES = 8192  # i2c-dev.c: the largest message and the largest read or write

#: The bytes of union i2c_smbus_data that i2c-dev.c copies, by transaction type.
SMBUS_LENGTHS = {
    BYTE: 1, BYTE_DATA: 1, WORD_DATA: 2, PROC_CALL: 2, BLOCK_DATA: SMBUS_DATA, I2C_BLOCK_BROKEN: SMBUS_DATA,
    BLOCK_PROC_CALL: SMBUS_DATA, I2C_BLOCK_DATA: SMBUS_DATA,
}  # fmt: skip


class I2cMsg(Structure):
    """struct i2c_msg."""

    _fields_ = [
        ("addr", c_uint16),
        ("flags", c_uint16),
        ("len", c_uint16),
        ("buf", pointer(c_uint8, length="len", access="rw")),
    ]


class I2cRdwrIoctlData(Structure):
    """struct i2c_rdwr_ioctl_data."""

    _fields_ = [("msgs", pointer(I2cMsg, length="nmsgs", access="rw", optional=True)), ("nmsgs", c_uint32)]


class I2cSmbusIoctlData(Structure):
    """struct i2c_smbus_ioctl_data."""

    _fields_ = [
        ("read_write", c_uint8),
        ("command", c_uint8),
        ("size", c_uint32),
        ("data", pointer(c_uint8, length=("size", SMBUS_LENGTHS), access="rw", optional=True)),
    ]


class Message:
    """One message of a transfer: bytes to write, or how many to read and, afterwards, what was read.

    reads  whether the chip sends
    extra  with M_RECV_LEN: bytes that follow the block itself (a PEC)
    """

    def __init__(self, address: int, flags: int = 0, data: bytes = b"", length: int = 0) -> None:
        self.address = address
        self.flags = flags
        self.data = data
        self.length = length
        self.reads = bool(flags & M_RD)
        self.extra = 0

    def __repr__(self) -> str:
        return f"Message({self.address:#04x}, {self.flags:#x}, {self.data!r}, {self.length})"


def fail(number: int, why: str = "") -> OSError:
    """An OSError with a text, for raising."""
    return OSError(number, why or os.strerror(number))
