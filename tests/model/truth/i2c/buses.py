"""The buses on which the transcripts of this folder were taken, as models: 0 is i801, 1 i2c-stub, 2 a plain adapter."""

from devshim import I2cBus
from devshim.devices import At24c02
from devshim.model.i2c_abi import BYTE, BYTE_DATA, I2C_BLOCK_DATA, QUICK, WORD_DATA


class I801(I2cBus):
    """QEMU's i801 with its eight EEPROMs: an SMBus-only adapter."""

    functionality: int = 0x1FFF8008
    name: str = "SMBus I801 adapter at 0700"

    def setup(self):
        for address in range(0x50, 0x58):
            self.add(At24c02(address=address))


class Stub(I2cBus):
    """i2c-stub with chips at 0x1d, 0x48 and 0x68: 256 words each, whatever a transaction's size.

    empty: nothing was written to it yet.  bound: the lm75 driver holds 0x48.
    """

    functionality: int = 0x0C7F0000
    nack: str = "ENODEV"
    name: str = "SMBus stub driver"
    empty: bool = False
    bound: bool = False

    def setup(self):
        for address in (0x1D, 0x48, 0x68):
            self.add(At24c02(address=address, busy=self.bound and address == 0x48))
        self.pointer = dict.fromkeys(self.chips, 0)
        self.words = {address: [0] * 256 for address in self.chips}
        self.words[0x48][0] = 0x1900
        if not self.empty:
            words = self.words[0x1D]
            words[0x20], words[0x30], words[0x40:0x44] = 0xA5, 0xBE00, [0x11, 0x22, 0x33, 0x44]

    def smbus(self, address, flags, reading, command, size, data, pec):
        """stub_xfer of i2c-stub.c, which has no messages beneath."""
        if address not in self.words:
            raise OSError(19, "ENODEV")
        words = self.words[address]
        if size == QUICK:
            return b""
        if size == BYTE and not reading:
            self.pointer[address] = command
            return b""
        if size == BYTE:
            at = self.pointer[address]
            self.pointer[address] = (at + 1) % 256
            return bytes([words[at] & 0xFF])
        if size == BYTE_DATA:
            self.pointer[address] = (command + 1) % 256
            if not reading:
                words[command] = words[command] & 0xFF00 | data[0]
            return bytes([words[command] & 0xFF])
        if size == WORD_DATA:
            if not reading:
                words[command] = int.from_bytes(data[:2], "little")
            return words[command].to_bytes(2, "little")
        if size == I2C_BLOCK_DATA:
            count = min(data[0], 256 - command)
            for at in range(0 if reading else count):
                words[command + at] = words[command + at] & 0xFF00 | data[1 + at]
            return bytes([count, *(word & 0xFF for word in words[command : command + count])])
        raise OSError(95, "EOPNOTSUPP")


class Plain(I2cBus):
    """A plain adapter with a 24C02 at 0x50 and a 24C256 at 0x57."""

    name: str = "devshim ref i2c"

    def setup(self):
        small, large = At24c02(), At24c02(address=0x57, size=32768)
        small.memory = bytes(at ^ 0x5A for at in range(256))
        large.memory = bytes((7 * at + 1) % 256 for at in range(32768))
        self.add(small)
        self.add(large)
