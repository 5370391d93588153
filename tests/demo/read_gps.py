"""An ordinary program that reads a GPS with pyserial; it knows nothing of devshim."""

import sys

import serial


def degrees(value: str, hemisphere: str) -> float:
    """NMEA 0183's ddmm.mmmm in degrees."""
    whole, minutes = divmod(float(value), 100)
    return (whole + minutes / 60) * (-1 if hemisphere in "SW" else 1)


wanted = int(sys.argv[2])
with serial.Serial(sys.argv[1], 9600, timeout=3) as port:
    port.reset_input_buffer()
    while wanted:
        sentence = port.readline().decode("ascii", "replace").strip()
        fields = sentence.split(",")
        if fields[0][3:] != "RMC" or fields[2] != "A":
            continue
        north, east = degrees(*fields[3:5]), degrees(*fields[5:7])
        clock = ":".join((fields[1][:2], fields[1][2:4], fields[1][4:6]))
        print(f"{sentence}\n    that is {north:.4f} north, {east:.4f} east, at {clock} UTC")
        wanted -= 1
