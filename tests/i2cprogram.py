"""What a program does with an open I2C bus, called on the bus's file itself, and the errno that it gets."""

from __future__ import annotations

import errno
from types import SimpleNamespace, TracebackType

from devshim.model import i2c_abi as abi
from devshim.model.i2c import I2cBus, I2cChip, I2cFile


class RaisesErrno:
    """with raises_errno(ENXIO): what follows must fail with that errno."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __enter__(self) -> RaisesErrno:
        return self

    def __exit__(self, kind: type | None, problem: BaseException | None, trace: TracebackType | None) -> bool:
        wanted = errno.errorcode[self.number]
        if problem is not None and not isinstance(problem, OSError):
            return False
        assert problem is not None, f"expected {wanted}, but nothing failed"
        assert errno.errorcode[problem.errno] == wanted
        return True


raises_errno = RaisesErrno


def opened(chip: I2cChip) -> I2cFile:
    """A bus with this chip alone, open and with its address chosen."""
    file = I2cBus(chip).open(0)
    file.set_address(chip.address)
    return file


def smbus(file: I2cFile, read_write: int, size: int, command: int = 0, data: bytes | None = b"") -> bytes | None:
    """Call I2C_SMBUS; return union i2c_smbus_data as it stands afterwards."""
    union = bytearray(data.ljust(abi.SMBUS_DATA, b"\0")) if data is not None else None
    view = memoryview(union)[: abi.SMBUS_LENGTHS.get(size, 0)] if union is not None else None
    assert file.smbus(SimpleNamespace(read_write=read_write, command=command, size=size, data=view)) is None
    return bytes(union) if union is not None else None


def rdwr(file: I2cFile, *messages: tuple[int, int, bytes]) -> tuple[int, list[bytes]]:
    """Call I2C_RDWR with (address, flags, buffer) for each message; return its result and the buffers."""
    msgs = []
    for address, flags, content in messages:
        room = bytearray(content)
        msgs.append(SimpleNamespace(addr=address, flags=flags, len=len(room), buf=memoryview(room)))
    result = file.combined(SimpleNamespace(msgs=msgs, nmsgs=len(msgs)))
    return result, [bytes(msg.buf) for msg in msgs]


def burst(file: I2cFile, register: int, size: int) -> bytes:
    """Read so many bytes from a register onwards, as one transfer."""
    return rdwr(file, (file.address, 0, bytes([register])), (file.address, abi.M_RD, bytes(size)))[1][1]
