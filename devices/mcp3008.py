"""Microchip MCP3008 analog-to-digital converter.  Datasheet: DS21295D."""

from devshim import SpiChip


class Mcp3008(SpiChip):
    """Eight inputs of 10 bits, measured against vref; ch0 to ch7 are in volts."""

    vref: float = 3.3
    ch0: float = 0.0
    ch1: float = 0.0
    ch2: float = 0.0
    ch3: float = 0.0
    ch4: float = 0.0
    ch5: float = 0.0
    ch6: float = 0.0
    ch7: float = 0.0
    max_speed_hz: int = 1_350_000   # at 2.7 V; 3.6 MHz at 5 V

    idle = 0x00

    received = ""                   # the bits of this frame so far, as text

    def selected(self) -> None:
        self.received = ""

    def transfer(self, out: bytes) -> bytes:
        """The chip counts clocks, not bytes: leading zeros, a start bit, four bits of what, one clock to sample."""
        before = len(self.received)
        self.received += "".join(f"{byte:08b}" for byte in out)
        start = self.received.find("1")
        if start < 0 or len(self.received) < start + 6:
            return bytes(len(out))
        answer = "0" * (start + 6) + self.answer(self.received[start + 1], int(self.received[start + 2 : start + 5], 2))
        shown = answer[before : len(self.received)].ljust(8 * len(out), "0")
        return int(shown, 2).to_bytes(len(out), "big")

    def answer(self, single: str, channel: int) -> str:
        """A null bit, ten bits, and if the program clocks on, the same with the lowest first."""
        bits = f"{self.convert(single == '1', channel):010b}"
        return "0" + bits + bits[-2::-1]

    def convert(self, single: bool, channel: int) -> int:
        """Single-ended, or against the neighbour: CH0 is IN+ for 0, CH1 for 1, and so on (table 5-2)."""
        volts = getattr(self, f"ch{channel}")
        if not single:
            volts -= getattr(self, f"ch{channel ^ 1}")
        return max(0, min(1023, int(volts * 1024 / self.vref)))
