"""PCsensor TEMPerX thermometer and hygrometer stick.  Source: the reports that temper-py (PyPI) reads and writes."""

from devshim import Hidraw


class Temper(Hidraw):
    """Commands of eight bytes; answers of eight bytes each, in hundredths.  Without an outer probe it says 0x4e20."""

    celsius: float = 21.5
    humidity: float = 40.0          # percent
    outer_celsius: float | None = None
    outer_humidity: float | None = None
    firmware: str = "TEMPerX_V3.3"

    vendor_id: int = 0x413D
    product_id: int = 0x2107
    product: str = "TEMPerX"

    # vendor page FF00: an input and an output report of eight bytes, without numbers
    report_descriptor = bytes.fromhex("0600ff 0901 a101 0901 1500 26ff00 7508 9508 8102 0901 9508 9102 c0")

    NONE = b"\x4e\x20"

    def output(self, report: bytes) -> None:
        if report[:2] == b"\x01\x86":
            text = self.firmware.encode().ljust(16)
            self.send_input(text[:8])
            self.send_input(text[8:16])
        elif report[:3] == b"\x01\x80\x33":
            self.send_input(b"\x80\x80" + self.hundredths(self.celsius) + self.hundredths(self.humidity) + b"\0\0")
            outer = self.hundredths(self.outer_celsius) + self.hundredths(self.outer_humidity)
            self.send_input(b"\x80\x01" + outer + b"\0\0")

    def hundredths(self, value: float | None) -> bytes:
        return self.NONE if value is None else round(value * 100).to_bytes(2, "big", signed=True)
