"""Asks a measuring instrument on a serial port who it is and what it measures, with pyserial.  Argument: the port."""

import sys

import serial

with serial.Serial(sys.argv[1], 9600, timeout=5) as port:
    for question in (b"*IDN?", b"MEAS:VOLT?"):
        port.write(question + b"\r")
        print(port.readline().decode().strip())
    print("unread:", port.in_waiting)
