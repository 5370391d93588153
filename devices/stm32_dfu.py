"""STMicroelectronics STM32F405 in its USB bootloader, DfuSe.  Sources: ST AN3156, UM0424; USB DFU 1.1."""

from devshim import Interface, UsbDevice, control

FUNCTIONAL = bytes.fromhex("09 21 0b ff00 0008 1a01")  # can up- and download, will detach; 2048 bytes; DFU 1.1a
IDLE, SYNC, BUSY, DOWNLOAD, MANIFEST_SYNC, MANIFEST, UPLOAD, ERROR = 2, 3, 4, 5, 6, 7, 9, 10
OK, NOT_TARGET, NOT_WRITTEN, NO_ADDRESS, STALLED_PACKET = 0x00, 0x01, 0x03, 0x08, 0x0F
SET_ADDRESS, ERASE, READ_UNPROTECT = 0x21, 0x41, 0x92
BLOCK = 2048

FLASH, OPTIONS, OTP, FEATURE = 0x08000000, 0x1FFFC000, 0x1FFF7800, 0xFFFF0000
SECTORS = [0x4000] * 4 + [0x10000] + [0x20000] * 7
AREAS = (
    "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg",
    "@Option Bytes  /0x1FFFC000/01*016 e",
    "@OTP Memory /0x1FFF7800/01*512 e,01*016 e",
    "@Device Feature/0xFFFF0000/01*004 e",
)


class Stm32Dfu(UsbDevice):
    """The four memories of the chip, one in each setting of interface 0; `flash` is what has been programmed."""

    vendor_id: int = 0x0483
    product_id: int = 0xDF11
    release: int = 0x2200
    manufacturer: str = "STMicroelectronics"
    product: str = "STM32  BOOTLOADER"
    serial: str = "3677346C3034"
    erasing: float = 0.0  # seconds that a sector takes; on the chip 0.25 to 1
    firmware: str = ""  # a file that the flash holds at first

    interfaces = [
        Interface((0xFE, 1, 2), alternate=number, name=name, extra=FUNCTIONAL if name is AREAS[-1] else b"")
        for number, name in enumerate(AREAS)
    ]

    started = None  # where the program that was left to begins

    def setup(self):
        self.memories = {
            FLASH: bytearray(b"\xff" * sum(SECTORS)),
            OPTIONS: bytearray.fromhex("efaaff10") * 4,
            OTP: bytearray(b"\xff" * 528),
            FEATURE: bytearray(4),
        }
        if self.firmware:
            with open(self.firmware, "rb") as file:
                content = file.read()
            self.flash[: len(content)] = content

    @property
    def flash(self):
        return self.memories[FLASH]

    def plugged(self):
        self.state, self.status, self.pointer, self.job = IDLE, OK, FLASH, None

    was_reset = plugged

    @control(0x21, 1)
    def download(self, setup, data):
        if self.state not in (IDLE, DOWNLOAD):
            self.fail(STALLED_PACKET)
            return
        self.job = self.leave if not data else lambda: self.program(setup.value, data)
        self.state = SYNC if data else MANIFEST_SYNC

    @control(0xA1, 2)
    def upload(self, setup):
        self.state = UPLOAD
        if setup.value == 0:
            return bytes((0, SET_ADDRESS, ERASE, READ_UNPROTECT))
        found = self.memory(self.pointer + (setup.value - 2) * BLOCK)
        data = bytes(found[0][found[1] : found[1] + setup.length]) if found else b""
        if len(data) < setup.length:
            self.state = IDLE
        return data

    @control(0xA1, 3)
    def get_status(self, setup):
        wait = 0
        if self.state == SYNC:  # now it does what it was told, and says how long that takes
            job, self.job, self.state = self.job, None, BUSY
            wait = round(job() * 1000)
        elif self.state == BUSY:
            self.state = DOWNLOAD
        elif self.state == MANIFEST_SYNC:
            self.job()
            self.state = MANIFEST
        return bytes((self.status, *wait.to_bytes(3, "little"), self.state, 0))

    @control(0x21, 4)
    @control(0x21, 6)
    def clear(self, setup, data):
        self.state, self.status = IDLE, OK

    @control(0xA1, 5)
    def get_state(self, setup):
        return bytes([self.state])

    def program(self, block, data):
        address = int.from_bytes(data[1:5], "little")
        if block >= 2:
            self.write(self.pointer + (block - 2) * BLOCK, data)
        elif data[0] == SET_ADDRESS and self.memory(address):
            self.pointer = address
        elif data[0] == ERASE and (len(data) == 1 or self.memory(address)):
            return self.erase(None if len(data) == 1 else address)
        else:
            self.fail(NO_ADDRESS)
        return 0

    def memory(self, address):
        for start, memory in self.memories.items():
            if start <= address < start + len(memory):
                return memory, address - start
        return None

    def write(self, address, data):
        memory, at = self.memory(address) or (b"", 0)
        if at + len(data) > len(memory):
            self.fail(NO_ADDRESS)
            return
        if memory is self.flash:
            data = bytes(
                old & new for old, new in zip(memory[at : at + len(data)], data, strict=True)
            )  # programming only clears bits
        memory[at : at + len(data)] = data

    def erase(self, address):
        at, took = FLASH, 0.0
        for size in SECTORS:
            if address is None or at <= address < at + size:
                self.flash[at - FLASH : at - FLASH + size] = b"\xff" * size
                took += self.erasing
            at += size
        return took

    def leave(self):
        self.started = self.pointer
        self.after(0, self.unplug)  # what runs then is no bootloader

    def fail(self, status):
        self.state, self.status = ERROR, status
