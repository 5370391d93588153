"""I2cChip: what the author of an I2C or SMBus chip subclasses."""

from __future__ import annotations

import errno

from devshim.model.device import Device, Plug
from devshim.model.i2c_abi import BLOCK_MAX
from devshim.model.part import Part
from devshim.model.registermap import RegisterFile
from devshim.model.registers import Register
from devshim.model.smbus import crc8
from devshim.model.timing import Timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any, ClassVar


class I2cChip(RegisterFile, Part):
    """A chip on an I2C bus: a file of registers, unless it overrides read() and write().

    A program's write begins with the register's address; what follows is data, and a read goes on from there.
    Cells are class attributes: Register, its bits, Block.  See RegisterFile for addressing and byte order.
    """

    usual_node: ClassVar[str] = "/dev/i2c-1"

    #: Seven bits, as i2cdetect shows it; more than 0x7f only with ten_bit.
    address: int = 0x00
    #: A kernel driver holds the address: I2C_SLAVE gives EBUSY ("UU" in i2cdetect), I2C_SLAVE_FORCE passes.
    busy: bool = False

    ten_bit: ClassVar[bool] = False
    #: The chip appends packet error codes to what it sends and checks those that it gets (addressing = "pointer").
    pec: ClassVar[bool] = False
    #: I2C_FUNC_* bits that the bus must have for this chip, beyond those of a plain adapter.
    functionality: ClassVar[int] = 0

    _bus: Device | None = None
    _writing: Timer | None = None
    _crc = 0

    def attached(self, plug: Plug) -> None:
        """Called by the bus; a busy time that was cut off by pulling the adapter is over."""
        self.ready()
        super().attached(plug)

    def driver_surroundings(self, here: str) -> Mapping[str, Any]:
        """What the kernel's driver of a busy chip shows of it below its directory in /sys, by absolute path.

        Files, links and attributes, as Device.surroundings() returns; for classes to override.
        """
        return {}

    def addresses_used(self) -> Collection[int]:
        """Return the bus addresses that this chip answers; some EEPROMs have several."""
        return (self.address,)

    def started(self, address: int, reading: bool) -> bool:
        """Return whether the chip acknowledges its address now; called at each START, before read() and write().

        An SMBus Quick transaction is this and nothing else: its one bit is `reading`.
        """
        return self._writing is None

    def write(self, data: bytes) -> Any:
        """Take the bytes of one message; return None (all of it), the number acknowledged, or WAIT."""
        if self.pec and self.addressing == "pointer":
            data = self.without_pec(data)
        self.write_cells(self.point(data))

    def read(self, size: int) -> Any:
        """Return the bytes of one message, or WAIT; what is missing to size reaches the program as 0xff."""
        return self.read_cells(size)

    def read_block(self, extra: int) -> Any:
        """Return an SMBus block: its length, that many bytes, and `extra` ones after it (a packet error code).

        By default the chip is read as far as the longest block goes, and what is too much is dropped.  Override
        where reading has an effect on what was not asked for.
        """
        return self.read(1 + BLOCK_MAX + extra)

    def stopped(self) -> None:
        """The transfer is over (STOP)."""

    def busy_for(self, seconds: float) -> None:
        """Give no acknowledge for so long, as an EEPROM does while it writes; has no effect while not plugged."""
        if self._plug is None:
            return
        if self._writing is not None:
            self._writing.cancel()
        self._writing = self.after(seconds, self.ready)

    def ready(self) -> None:
        """The busy time is over."""
        self._writing = None

    def heard(self, data: bytes) -> None:
        """Called by the bus with each byte run of a transfer: what packet error codes are made of."""
        self._crc = crc8(data, self._crc) if self.pec else 0

    def forget(self) -> None:
        """Called by the bus before a transfer: packet error codes begin anew."""
        self._crc = 0

    def without_pec(self, data: bytes) -> bytes:
        """Return a register write without its packet error code; EIO where that is wrong (the chip does not ACK it)."""
        found = self.register_map.find(self, data[0], "w") if data else None
        if found is None or not isinstance(found[0], Register) or len(data) != found[0].size + 2:
            return data
        if crc8(data, self._crc) != 0:
            raise OSError(errno.EIO, f"{type(self).__name__}: wrong packet error code in a write")
        return data[:-1]

    def beyond(self, data: bytes, size: int) -> bytes:
        """Return what follows a register's own bytes: a packet error code, or the same bytes again."""
        if not self.pec:
            return super().beyond(data, size)
        return bytes([crc8(data, self._crc)]).ljust(size, b"\xff")

    def plug_into(self, device: Device | None) -> Device:
        """Join the bus at a node, or make one; return it.  Raises TypeError where no I2C bus is plugged there."""
        from devshim.model.i2c import I2cBus

        if device is None:
            return I2cBus(self)
        if not isinstance(device, I2cBus):
            raise TypeError(f"{type(self).__name__} joins an I2C bus, but a {type(device).__name__} is plugged there")
        device.add(self)
        return device
