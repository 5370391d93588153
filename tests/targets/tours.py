"""The programs of these tests, and the devices that they know."""

from pathlib import Path

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
METER = f"/dev/meter0={HERE / 'models.py'}:Meter"
DEVICES = (
    METER,
    f"/dev/bell0={HERE / 'models.py'}:Bell",
    "/dev/ttyGPS0=gps,period=0.05,utc=2024-05-01T12:00:00",
    "/dev/i2c-7=tmp102",
)
READINGS = "delta 4\nalpha 1\ncharlie 3\nbravo 2\n"
