"""A GPS receiver on a serial port.  Sentences: NMEA 0183 (IEC 61162-1); commands: MediaTek PMTK, rev. A11."""

from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import xor

from devshim import Serial, command, every

SENTENCES = ("GLL", "RMC", "VTG", "GGA", "GSA", "GSV")   # in the order of PMTK314's fields


class Gps(Serial):
    """A receiver that says where it is: RMC, GGA and GSA each period, until PMTK314 asks for others."""

    latitude: float = 52.5200     # degrees, north is positive
    longitude: float = 13.4050    # degrees, east is positive
    altitude: float = 34.0        # metres above mean sea level
    speed: float = 0.0            # knots over ground
    course: float = 0.0           # degrees from true north
    satellites: int = 8
    fix: bool = True              # without one, positions are empty and RMC says V
    period: float = 1.0           # seconds between fixes
    utc: str = ""                 # the time of the first fix, as 2024-05-01T12:00:00; empty: the computer's clock

    chosen = ("RMC", "GGA", "GSA")

    def setup(self):
        self.elapsed = 0.0

    @every(seconds="period")
    def report(self):
        """One fix, in the sentences that were asked for."""
        now = self.time()
        for name in self.chosen:
            self.send(sentence(f"GP{name}," + getattr(self, name.lower())(now)))
        self.elapsed += self.period

    def time(self):
        if not self.utc:
            return datetime.now(UTC)
        return datetime.fromisoformat(self.utc) + timedelta(seconds=self.elapsed)

    # ---- Sentences

    def position(self):
        if not self.fix:
            return ",,,"
        north, east = self.latitude, self.longitude
        return f"{angle(north, 2)},{'NS'[north < 0]},{angle(east, 3)},{'EW'[east < 0]}"

    def moving(self):
        return f"{self.speed:.2f},{self.course:.2f}" if self.fix else ","

    def rmc(self, now):
        """Recommended minimum: time, status, position, speed, course, date."""
        return f"{clock(now)},{'VA'[self.fix]},{self.position()},{self.moving()},{now:%d%m%y},,,{'NA'[self.fix]}"

    def gga(self, now):
        """Fix: time, position, quality, satellites, dilution, altitude, height of the geoid."""
        height = f"0.9,{self.altitude:.1f},M,0.0,M" if self.fix else "99.9,,M,,M"
        return f"{clock(now)},{self.position()},{self.fix:d},{self.satellites * self.fix:02d},{height},,"

    def gll(self, now):
        """Position and time."""
        return f"{self.position()},{clock(now)},{'VA'[self.fix]},{'NA'[self.fix]}"

    def vtg(self, now):
        """Course and speed, in knots and km/h."""
        if not self.fix:
            return ",T,,M,,N,,K,N"
        return f"{self.course:.2f},T,,M,{self.speed:.2f},N,{self.speed * 1.852:.2f},K,A"

    def gsa(self, now):
        """Which satellites are used, and the dilutions of precision."""
        used = [f"{number:02d}" for number in range(1, min(self.satellites * self.fix, 12) + 1)]
        numbers = ",".join(used + [""] * (12 - len(used)))
        return f"A,{3 if self.fix else 1},{numbers}," + ("1.5,0.9,1.2" if self.fix else "99.9,99.9,99.9")

    def gsv(self, now):
        """The first four satellites in view: number, elevation, azimuth, signal in dB-Hz."""
        numbers = range(1, min(self.satellites, 4) + 1)
        seen = [f"{number:02d},{10 * number:02d},{30 * number:03d},40" for number in numbers]
        return ",".join(["1,1", f"{len(seen):02d}", *seen])

    # ---- Commands

    @command(r"\$(PMTK(\d+)(?:,([^*]*))?)\*([0-9A-Fa-f]{2})")
    def pmtk(self, body, number, fields, check):
        """A packet is acknowledged: 0 not a packet, 1 not supported, 3 done.  A wrong checksum gets no answer."""
        if int(check, 16) != checksum(body):
            return None
        if number == "605":
            return sentence("PMTK705,AXN_2.31,devshim,gps,1.0")
        done = self.packet(number, (fields or "").split(","))
        return sentence(f"PMTK001,{int(number)},{done}")

    def packet(self, number, fields):
        try:
            if number == "220":
                self.period = self.milliseconds(fields) / 1000
            elif number == "314":
                self.chosen = self.sentences(fields)
            elif number not in ("000", "101", "102", "103", "104"):   # test; hot, warm, cold, full cold start
                return 1
        except ValueError:
            return 0
        return 3

    def sentences(self, fields):
        """What PMTK314 asks for, in the order in which they are sent; -1 is what the receiver began with."""
        if fields == ["-1"]:
            return type(self).chosen
        wanted = [name for name, often in zip(SENTENCES, fields, strict=False) if int(often) > 0]
        return tuple(sorted(wanted, key=("RMC", "GGA", "GSA", "GSV", "VTG", "GLL").index))

    def milliseconds(self, fields):
        period = int(fields[0])
        if not 100 <= period <= 10000:
            raise ValueError("PMTK220 takes 100 to 10000 ms")
        return period


def checksum(body):
    """All characters between $ and *, exclusive-ored."""
    return reduce(xor, body.encode(), 0)


def sentence(body):
    """The bytes of one sentence."""
    return f"${body}*{checksum(body):02X}\r\n".encode()


def angle(degrees, width):
    """Degrees as dddmm.mmmm."""
    whole, rest = divmod(round(abs(degrees) * 600000), 600000)
    return f"{whole:0{width}d}{rest / 10000:07.4f}"


def clock(now):
    return f"{now:%H%M%S}.{now.microsecond // 1000:03d}"
