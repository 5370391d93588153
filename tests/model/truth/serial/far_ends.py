"""What was at the far end of the wire when the transcripts here were taken, as models."""

import struct

from devshim import Serial


class Wire(Serial):
    """A plain wire: cts, dsr and cd on, as the null modem had them."""


class PingPong(Serial):
    """What /dev/ttyS1 was in py-serial: hears ping, says pong!"""

    def received(self, data):
        if data == b"ping":
            self.send(b"pong!")


class Greeter(Serial):
    """Says its line a little after the port was opened."""

    words: str = "hello-from-wire"

    def opened(self):
        self.after(0.3, self.greet)

    def greet(self):
        self.send(self.words)


class Registers(Serial):
    """The Modbus server of mbpoll: holding register n is 111 n; a frame ends with silence."""

    silence = 0.05

    def framed(self, frame):
        unit, function, first, count = struct.unpack(">BBHH", frame[:6])
        values = [111 * number for number in range(first, first + count)]
        answer = struct.pack(f">BBB{count}H", unit, function, 2 * count, *values)
        return answer + crc(answer)


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


ends: list[Serial] = []  # of the cable between /dev/ttyACM0 and the gadget's /dev/ttyGS0


class Gadget(Serial):
    """One of them: says what the other end hears."""

    def plugged(self):
        ends.append(self)

    def received(self, data):
        for end in ends:
            if end is not self:
                end.send(data)
