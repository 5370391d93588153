"""Electricity meters on an RS-485 port.  Modbus Application Protocol V1.1b3; Modbus over Serial Line V1.02.

Input registers hold big-endian floats at the addresses of the Eastron SDM120: 0 volts, 6 amperes, 12 watts,
70 hertz, 342 kilowatt-hours.  Holding registers and coils are memory.
"""

import struct

from devshim import Serial, every
from devshim.model.serial import characters

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
READ_COILS, READ_DISCRETES, READ_HOLDINGS, READ_INPUTS = 1, 2, 3, 4
WRITE_COIL, WRITE_HOLDING, WRITE_COILS, WRITE_HOLDINGS = 5, 6, 15, 16
EVERYBODY = 0


class Refused(Exception):
    """The request gets an exception answer with this code."""


class Meter:
    """One unit on the line."""

    def __init__(self, volts, amperes, hertz):
        self.volts, self.amperes, self.hertz = volts, amperes, hertz
        self.kilowatt_hours = 0.0
        self.holdings = [0] * 100
        self.coils = [False] * 16
        self.discretes = [False] * 16

    @property
    def inputs(self):
        """The input registers, 400 of them."""
        words = [0] * 400
        power = self.volts * self.amperes
        floats = {0: self.volts, 6: self.amperes, 12: power, 70: self.hertz, 342: self.kilowatt_hours}
        for address, value in floats.items():
            words[address : address + 2] = struct.unpack(">2H", struct.pack(">f", value))
        return words

    def answer(self, function, body):
        """The answer's bytes after address and function.  Raises Refused."""
        if function in (READ_COILS, READ_DISCRETES):
            bits = within(self.coils if function == READ_COILS else self.discretes, body, 2000)
            packed = sum(bit << at for at, bit in enumerate(bits)).to_bytes((len(bits) + 7) // 8, "little")
            return bytes([len(packed)]) + packed
        if function in (READ_HOLDINGS, READ_INPUTS):
            words = within(self.holdings if function == READ_HOLDINGS else self.inputs, body, 125)
            return struct.pack(f">B{len(words)}H", 2 * len(words), *words)
        if function in (WRITE_COIL, WRITE_HOLDING):
            return self.write_one(function, body)
        if function in (WRITE_COILS, WRITE_HOLDINGS):
            return self.write_many(function, body)
        raise Refused(ILLEGAL_FUNCTION)

    def write_one(self, function, body):
        address, value = struct.unpack(">HH", body)
        store = self.coils if function == WRITE_COIL else self.holdings
        if function == WRITE_COIL and value not in (0x0000, 0xFF00):
            raise Refused(ILLEGAL_VALUE)
        if address >= len(store):
            raise Refused(ILLEGAL_ADDRESS)
        store[address] = bool(value) if function == WRITE_COIL else value
        return body

    def write_many(self, function, body):
        address, count, size = struct.unpack(">HHB", body[:5])
        if function == WRITE_COILS:
            store, most, expected = self.coils, 1968, (count + 7) // 8
            values = [bool(byte >> bit & 1) for byte in body[5:] for bit in range(8)][:count]
        else:
            store, most, expected = self.holdings, 123, 2 * count
            values = list(struct.unpack(f">{len(body[5:]) // 2}H", body[5 : 5 + len(body[5:]) // 2 * 2]))
        if size != expected or size != len(body) - 5:
            raise Refused(ILLEGAL_VALUE)
        within(store, body[:4], most)
        store[address : address + count] = values
        return body[:4]


class ModbusMeter(Serial):
    """Meters at consecutive addresses of one line: `meters[2].volts = 110` changes the second."""

    unit: int = 1                 # address of the first meter
    units: int = 1                # how many there are
    volts: float = 230.0          # what each begins with
    amperes: float = 5.0
    hertz: float = 50.0

    silence = characters(3.5)     # ends a frame whose function does not tell its length

    def setup(self):
        if self.unit < 1 or self.units < 1 or self.unit + self.units > 248:
            raise ValueError(f"unit={self.unit}, units={self.units}: Modbus has the addresses 1 to 247")
        self.meters = {
            self.unit + at: Meter(self.volts, self.amperes, self.hertz) for at in range(self.units)
        }

    @every(seconds=1)
    def measure(self):
        for meter in self.meters.values():
            meter.kilowatt_hours += meter.volts * meter.amperes / 3_600_000

    def frame(self, received):
        function = received[1] if len(received) > 1 else 0
        if READ_COILS <= function <= WRITE_HOLDING:
            return 8
        if function in (WRITE_COILS, WRITE_HOLDINGS) and len(received) > 6:
            return 9 + received[6]
        return 0

    def framed(self, frame):
        """What is damaged or for another unit gets no answer, nor does what is for everybody."""
        if len(frame) < 4 or crc(frame[:-2]) != frame[-2:]:
            return None
        address, function, body = frame[0], frame[1], frame[2:-2]
        if address == EVERYBODY:
            for meter in self.meters.values():
                reply(meter, function, body)
            return None
        if address not in self.meters:
            return None
        answer = bytes([address]) + reply(self.meters[address], function, body)
        return answer + crc(answer)


def reply(meter, function, body):
    """Function and body of the answer, which may be an exception."""
    try:
        return bytes([function]) + meter.answer(function, body)
    except Refused as refused:
        return bytes([function | 0x80, refused.args[0]])


def within(store, body, most):
    """The part of a store that a request names by address and count."""
    address, count = struct.unpack(">HH", body)
    if not 1 <= count <= most:
        raise Refused(ILLEGAL_VALUE)
    if address + count > len(store):
        raise Refused(ILLEGAL_ADDRESS)
    return store[address : address + count]


def crc(data):
    """CRC-16 of Modbus over Serial Line 6.2.2, low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")
