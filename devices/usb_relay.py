"""DCT Tech USB relay boards with one to eight relays.  Source: the USB IDs and reports that `usbrelay` uses."""

from devshim import Hidraw, feature


class UsbRelay(Hidraw):
    """Relays behind one feature report of eight bytes, which also holds the board's name and what is on."""

    relays: int = 2
    board: str = "BITFT"            # five characters, changed by the program for good
    on: int = 0                     # a bit for each relay, 1 the first

    vendor_id: int = 0x16C0
    product_id: int = 0x05DF
    manufacturer: str = "www.dcttech.com"
    product: str = ""               # "": by the number of relays, which programs read from it

    # V-USB's hid-data example: vendor page FF00, one feature report of eight bytes without a number
    report_descriptor = bytes.fromhex("0600ff 0901 a101 1500 26ff00 7508 9508 0900 b20201 c0")

    ON, OFF, ALL_ON, ALL_OFF, NAME = 0xFF, 0xFD, 0xFE, 0xFC, 0xFA

    def setup(self) -> None:
        if self.relays not in (1, 2, 4, 8):
            raise ValueError(f"relays={self.relays}: there are boards with 1, 2, 4 and 8")
        self.product = self.product or f"USBRelay{self.relays}"

    def get_report(self, kind, number: int) -> bytes:
        """The firmware looks at no number: `usbrelay` asks for report 1, others for 0."""
        return super().get_report(kind, 0)

    def output(self, report: bytes) -> None:
        """Nor at the kind of report: without an endpoint for output, write() becomes a SET_REPORT request."""
        self.command(report)

    @feature()
    def state(self) -> bytes:
        return self.board.encode("latin-1")[:5].ljust(5, b"\0") + bytes([0, 0, self.on])

    @state.written
    def command(self, data: bytes) -> None:
        code, number = data[0], data[1] if len(data) > 1 else 0
        every = (1 << self.relays) - 1
        one = 1 << number - 1 & every if number else 0
        if code == self.ON:
            self.on |= one
        elif code == self.OFF:
            self.on &= ~one
        elif code == self.ALL_ON:
            self.on = every
        elif code == self.ALL_OFF:
            self.on = 0
        elif code == self.NAME:
            self.board = data[1:6].rstrip(b"\0").decode("latin-1")
