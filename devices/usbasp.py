"""USBasp programmer with an ATmega328P.  Sources: usbasp.2011-05-28 of fischl.de; Microchip DS40002061B, 27.8."""

from devshim import Interface, UsbDevice, control

SIGNATURE = bytes.fromhex("1e950f")
FLASH, EEPROM, PAGE = 32768, 1024, 128  # bytes, of which a page of flash is 64 words
EESAVE = 0x08  # of hfuse: erasing leaves the EEPROM where it is 0
FIRST, LAST = 1, 2  # of what a write is part of


class Usbasp(UsbDevice):
    """Requests of the firmware on one side, serial programming instructions on the other."""

    lfuse: int = 0x62
    hfuse: int = 0xD9
    efuse: int = 0xFF
    lock: int = 0xFF

    vendor_id: int = 0x16C0
    product_id: int = 0x05DC
    release: int = 0x0104
    manufacturer: str = "www.fischl.de"
    product: str = "USBasp"

    speed = "low"
    usb_release = 0x0110
    kind = (0xFF, 0, 0)
    interfaces = [Interface((0, 0, 0))]

    enabled = False  # the chip listens to instructions
    long_address = None
    filled = size = 0  # of the page that is being written

    FUSES = {0x5000: "lfuse", 0x5808: "hfuse", 0x5008: "efuse", 0x5800: "lock"}
    WRITTEN = {0xACA0: "lfuse", 0xACA8: "hfuse", 0xACA4: "efuse", 0xACE0: "lock"}

    def setup(self):
        self.flash, self.eeprom = bytearray(b"\xff" * FLASH), bytearray(b"\xff" * EEPROM)
        self.page = bytearray(b"\xff" * PAGE)

    # ---- The programmer

    @control(0xC0, 1)
    def connect(self, setup):
        self.enabled, self.long_address = False, None
        return b""

    disconnect = control(0xC0, 2)(lambda self, setup: self.connect(setup))

    @control(0xC0, 3)
    def transmit(self, setup):
        return self.instruct((setup.value & 0xFF) << 8 | setup.value >> 8, setup.index & 0xFF, setup.index >> 8)

    @control(0xC0, 5)
    def enable(self, setup):
        return bytes([self.instruct(0xAC53, 0, 0)[2] != 0x53])

    @control(0xC0, 4)
    def read_flash(self, setup):
        return self.read(self.flash, setup)

    @control(0xC0, 7)
    def read_eeprom(self, setup):
        return self.read(self.eeprom, setup)

    def read(self, memory, setup):
        at = self.address(setup, setup.length)
        return bytes(memory[at : at + setup.length]).ljust(setup.length, b"\xff")

    @control(0x40, 6)
    def write_flash(self, setup, data):
        at, flags = self.address(setup, len(data)), setup.index >> 8
        if flags & FIRST:
            self.filled, self.size = 0, setup.index & 0xFF | flags << 4 & 0xF00
        for byte in data:
            self.page[at % PAGE] = byte
            self.filled, at = self.filled + 1, at + 1
            if self.filled == self.size:
                self.write_page(at - 1)
        if flags & LAST and self.filled:
            self.write_page(at - 1)

    @control(0x40, 8)
    def write_eeprom(self, setup, data):
        at = self.address(setup, len(data))
        self.eeprom[at : at + len(data)] = data

    @control(0xC0, 9)
    def set_long_address(self, setup):
        self.long_address = setup.index << 16 | setup.value
        return b""

    @control(0xC0, 10)
    def set_clock(self, setup):
        return b"\0"

    @control(0xC0, 127)
    def capabilities(self, setup):
        return bytes(4)

    def address(self, setup, size):
        if self.long_address is None:
            return setup.value
        at, self.long_address = self.long_address, self.long_address + size
        return at

    # ---- The chip

    def instruct(self, head, third, fourth):
        """An instruction of four bytes, the first two of them together; what comes back meanwhile is one byte late."""
        echo, word = bytes((0, head >> 8, head & 0xFF)), (head & 0xFF) << 8 | third
        if head == 0xAC53:
            self.enabled = True
        if not self.enabled:
            return b"\xff\xff\xff\xff"
        return echo + bytes([self.execute(head, word, third, fourth)])

    def execute(self, head, word, third, fourth):
        code = head >> 8
        if head & 0xFFE0 == 0xAC80:
            self.flash, self.lock = bytearray(b"\xff" * FLASH), 0xFF
            if self.hfuse & EESAVE:
                self.eeprom = bytearray(b"\xff" * EEPROM)
        elif head in self.WRITTEN:
            setattr(self, self.WRITTEN[head], fourth)
        elif head in self.FUSES:
            return getattr(self, self.FUSES[head])
        elif code == 0x30:
            return SIGNATURE[third & 3] if third & 3 < 3 else 0xFF
        elif code in (0x20, 0x28):
            return self.flash[(word * 2 + (code == 0x28)) % FLASH]
        elif code in (0x40, 0x48):
            self.page[(word * 2 + (code == 0x48)) % PAGE] = fourth
        elif code == 0x4C:
            self.write_page(word * 2)
        elif code == 0xA0:
            return self.eeprom[word % EEPROM]
        elif code == 0xC0:
            self.eeprom[word % EEPROM] = fourth
        return 0  # 0xF0: not busy; 0x38: the oscillator's calibration

    def write_page(self, at):
        start = at % FLASH // PAGE * PAGE
        for place, byte in enumerate(self.page, start):
            self.flash[place] &= byte  # only erasing sets bits
        self.page, self.filled = bytearray(b"\xff" * PAGE), 0
