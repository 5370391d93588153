"""Sends a short message with a modem, with pyserial.  Argument: the port."""

import sys

import serial

with serial.Serial(sys.argv[1], 115200, timeout=5) as port:
    for words, end in ((b"ATE0\r", b"OK\r\n"), (b"AT+CSQ\r", b"OK\r\n"), (b"AT+CMGF=1\r", b"OK\r\n")):
        port.write(words)
        print(port.read_until(end))
    port.write(b'AT+CMGS="+491"\r')
    print(port.read_until(b"> "))
    port.write(b"on its way\x1a")
    print(port.read_until(b"OK\r\n"), port.cd, port.cts)
