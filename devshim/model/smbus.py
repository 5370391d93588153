"""SMBus on top of I2C messages, as the kernel's i2c-core-smbus.c emulates it, with packet error codes."""

from __future__ import annotations

import errno

from devshim.model.device import WAIT
from devshim.model.i2c_abi import (
    BLOCK_DATA,
    BLOCK_MAX,
    BLOCK_PROC_CALL,
    BYTE,
    BYTE_DATA,
    FUNC_SMBUS_BLOCK_PROC_CALL,
    I2C_BLOCK_DATA,
    M_RD,
    M_RECV_LEN,
    PROC_CALL,
    QUICK,
    WORD_DATA,
    Message,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: I2C_FUNC_SMBUS_* that a transaction needs, by type: (to write, to read).
FUNCTIONS = {
    QUICK: (0x00010000, 0x00010000),
    BYTE: (0x00040000, 0x00020000),
    BYTE_DATA: (0x00100000, 0x00080000),
    WORD_DATA: (0x00400000, 0x00200000),
    PROC_CALL: (0x00800000, 0x00800000),
    BLOCK_DATA: (0x02000000, 0x01000000),
    BLOCK_PROC_CALL: (FUNC_SMBUS_BLOCK_PROC_CALL, FUNC_SMBUS_BLOCK_PROC_CALL),
    I2C_BLOCK_DATA: (0x08000000, 0x04000000),
}


def crc8(data: bytes, crc: int = 0) -> int:
    """Packet error code of bytes, continued from crc: x^8 + x^2 + x + 1 (SMBus 2.0, section 5.4.1)."""
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 if crc & 0x80 else crc << 1) & 0xFF
    return crc


def address_byte(message: Message) -> bytes:
    """The byte that a START sends: seven bits of address, and the direction."""
    return bytes([message.address << 1 & 0xFF | message.reads])


def emulate(
    transfer: Callable[[list[Message]], Any],
    address: int,
    flags: int,
    reading: bool,
    command: int,
    size: int,
    data: bytes,
    pec: bool,
) -> Any:
    """Do one SMBus transaction as messages; return what was read, laid out as union i2c_smbus_data, or WAIT.

    data: the union's bytes as the program gave them.  Raises OSError: EINVAL for a block of more than 32 bytes,
    EPROTO for one that the chip sends, EBADMSG for a wrong packet error code, and what transfer raises.
    """
    messages = compose(address, flags, reading, command, size, data)
    pec = pec and size not in (QUICK, I2C_BLOCK_DATA)
    if pec:
        ask_for_pec(messages)
    if transfer(messages) is WAIT:
        return WAIT
    answer = messages[-1]
    if not answer.reads or size == QUICK:
        return b""
    received = check_pec(messages) if pec else answer.data
    if size == I2C_BLOCK_DATA:
        return bytes([len(received)]) + received
    if size in (BLOCK_DATA, BLOCK_PROC_CALL):
        if received[0] > BLOCK_MAX:
            raise OSError(errno.EPROTO, f"the chip announced a block of {received[0]} bytes, more than {BLOCK_MAX}")
        return received[: received[0] + 1]
    return received


def compose(address: int, flags: int, reading: bool, command: int, size: int, data: bytes) -> list[Message]:
    """The messages of one transaction, without its packet error code."""
    write = Message(address, flags, bytes([command]))
    read = Message(address, flags | M_RD)
    if size == QUICK:
        return [read if reading else Message(address, flags)]
    if size == BYTE:
        read.length = 1
        return [read if reading else write]
    if size in (BYTE_DATA, WORD_DATA):
        read.length = width = 1 if size == BYTE_DATA else 2
        write.data += b"" if reading else data[:width]
        return [write, read] if reading else [write]
    if size == PROC_CALL:
        write.data += data[:2]
        read.length = 2
        return [write, read]
    if size == I2C_BLOCK_DATA:
        read.length = checked(data[0])
        write.data += b"" if reading else data[1 : 1 + data[0]]
        return [write, read] if reading else [write]
    read.flags |= M_RECV_LEN
    read.length = 1
    if size == BLOCK_PROC_CALL or not reading:
        write.data += data[: 1 + checked(data[0])]
    return [write, read] if size == BLOCK_PROC_CALL or reading else [write]


def checked(count: int) -> int:
    """A block's length as the program gives it; EINVAL above 32."""
    if count > BLOCK_MAX:
        raise OSError(errno.EINVAL, f"a block of {count} bytes, more than {BLOCK_MAX}")
    return count


def ask_for_pec(messages: list[Message]) -> None:
    """Append a packet error code to what is written, or ask the chip for one."""
    last = messages[-1]
    if last.flags & M_RECV_LEN:
        last.extra = 1
    elif last.reads:
        last.length += 1
    else:
        last.data += bytes([crc8(address_byte(last) + last.data)])


def check_pec(messages: list[Message]) -> bytes:
    """Return what was read without its packet error code; EBADMSG where that is wrong."""
    last = messages[-1]
    crc = 0
    for message in messages[:-1]:
        crc = crc8(address_byte(message) + message.data, crc)
    expected = crc8(address_byte(last) + last.data[:-1], crc)
    if last.data[-1] != expected:
        raise OSError(errno.EBADMSG, f"packet error code {last.data[-1]:#04x} from the chip, expected {expected:#04x}")
    return last.data[:-1]
