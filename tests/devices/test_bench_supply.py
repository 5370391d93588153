"""The bench supply in YAML, asked by pyserial as any SCPI instrument is."""

import sys

import pytest

pytest.importorskip("serial")

SESSION = """
import serial
with serial.Serial("/dev/ttyUSB0", 9600, timeout=60) as supply:
    for line in ["*IDN?", "VOLT 3.3;", "volt 3.3", "CURRENT 0.5", "VOLT?", "curr?", "VOLT? MAX", "OUTP ON", "OUTP?",
                 "*RST", "VOLTAGE?", "OUTP?", "*OPC?", "SYST:ERR?"]:
        supply.write(line.encode() + b"\\n")
        if "?" in line:
            print(line, supply.readline().decode().rstrip())
"""


def test_it_is_set_and_asked_over_the_serial_line(devshim_run):
    outcome = devshim_run(
        sys.executable, "-c", SESSION, devices=['/dev/ttyUSB0=bench_supply,name="ACME,X,1,2",limit=12']
    )

    assert outcome.stderr == ""
    assert outcome.stdout.splitlines() == [
        "*IDN? ACME,X,1,2",
        "VOLT? 3.300",
        "curr? 0.500",
        "VOLT? MAX 12.000",
        "OUTP? 1",
        "VOLTAGE? 0.000",
        "OUTP? 0",
        "*OPC? 1",
        'SYST:ERR? 0,"No error"',
    ]
