"""The Modbus meter: its frames as the standard has them, and mbpoll and minimalmodbus as masters."""

import struct
import sys

import pytest
from harness import run_devshim
from tabletop import Tabletop

from devshim.devices import ModbusMeter

NODE = "/dev/ttyUSB0"


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


def ask(meter, request, seconds=0.0):
    """The answer to a request given in hex without its CRC, in the same form; "" where none came."""
    table = Tabletop.plug(meter, NODE)
    frame = bytes.fromhex(request)
    meter.write(frame + crc(frame))
    table.advance(seconds)
    assert not table.sent or crc(table.sent[:-2]) == table.sent[-2:]
    return table.sent[:-2].hex(" ")


def test_the_crc_is_the_standards():
    assert crc(bytes.fromhex("0207")) == bytes.fromhex("4112")  # Modbus over Serial Line V1.02, 6.2.2


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("01 03 0000 0002", "01 03 04 00 00 00 00"),
        ("01 04 0000 0002", "01 04 04 43 66 00 00"),  # 230.0
        ("01 01 0000 0009", "01 01 02 00 00"),
        ("01 02 0000 0001", "01 02 01 00"),
        ("01 05 0003 ff00", "01 05 00 03 ff 00"),
        ("01 06 0063 1234", "01 06 00 63 12 34"),
        ("01 0f 0000 000a 02 cd 01", "01 0f 00 00 00 0a"),
        ("01 10 0001 0002 04 000a 0102", "01 10 00 01 00 02"),
        ("01 03 0000 0000", "01 83 03"),
        ("01 03 0000 007e", "01 83 03"),
        ("01 03 0063 0002", "01 83 02"),
        ("01 04 0190 0001", "01 84 02"),
        ("01 05 0000 1234", "01 85 03"),
        ("01 06 0064 0000", "01 86 02"),
        ("01 0f 0000 000a 01 cd", "01 8f 03"),
        ("01 10 0001 0002 02 000a", "01 90 03"),
        ("01 10 0063 0002 04 000a 0102", "01 90 02"),
        ("02 03 0000 0001", ""),
        ("00 06 0000 0001", ""),
    ],
)
def test_requests_and_answers(request_, answer):
    assert ask(ModbusMeter(), request_) == answer


def test_an_unknown_function_is_refused_once_silence_ends_its_frame():
    assert ask(ModbusMeter(), "01 2b 0e 01 00") == ""
    assert ask(ModbusMeter(), "01 2b 0e 01 00", seconds=0.1) == "01 ab 01"


def test_what_was_written_is_read_back():
    meter = ModbusMeter()
    ask(meter, "01 10 0001 0002 04 000a 0102")
    assert ask(meter, "01 03 0001 0002") == "01 03 04 00 0a 01 02"
    ask(meter, "01 0f 0000 000a 02 cd 01")
    assert ask(meter, "01 01 0000 000a") == "01 01 02 cd 01"


def test_damaged_frames_get_no_answer_and_the_next_one_does():
    meter = ModbusMeter()
    table = Tabletop.plug(meter, NODE)
    meter.write(bytes.fromhex("01 03 0000 0001 0000"))
    table.advance(1)
    assert table.sent == b""
    assert ask(meter, "01 03 0000 0001") == "01 03 02 00 00"


def test_half_a_frame_is_forgotten_after_a_silence():
    meter = ModbusMeter()
    table = Tabletop.plug(meter, NODE)
    meter.write(bytes.fromhex("01 03 00"))
    table.advance(1)
    assert ask(meter, "01 03 0000 0001") == "01 03 02 00 00"


def test_a_frame_may_come_in_pieces():
    meter = ModbusMeter()
    table = Tabletop.plug(meter, NODE)
    frame = bytes.fromhex("01 03 0000 0001")
    for byte in frame + crc(frame):
        meter.write(bytes([byte]))
    assert table.sent[:-2].hex() == "0103020000"


def test_several_units_answer_for_themselves_and_hear_a_broadcast():
    meter = ModbusMeter(unit=3, units=2)
    meter.meters[4].volts = 110.0
    assert ask(meter, "03 04 0000 0002") == "03 04 04 43 66 00 00"
    assert ask(meter, "04 04 0000 0002") == "04 04 04 42 dc 00 00"
    assert ask(meter, "00 06 0000 0007") == ""
    assert [one.holdings[0] for one in meter.meters.values()] == [7, 7]


def test_energy_is_counted():
    meter = ModbusMeter(volts=1000.0, amperes=1000.0)
    table = Tabletop.plug(meter, NODE)
    table.advance(3600)
    assert meter.meters[1].kilowatt_hours == pytest.approx(1000)


def test_addresses_that_modbus_does_not_have_are_refused():
    with pytest.raises(ValueError, match="1 to 247"):
        ModbusMeter(unit=247, units=2)


def poll(*options, devices=("modbus_meter,units=2",)):
    outcome = run_devshim(
        "mbpoll", *options, "-b", "9600", "-P", "none", NODE, devices=[f"{NODE}={one}" for one in devices]
    )
    return outcome.returncode, [line for line in outcome.stdout.splitlines() if line.startswith("[")], outcome.stderr


@pytest.mark.client("mbpoll")
@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ("-a 1 -t 3:float -B -r 1 -c 1 -1", ["[1]: \t230"]),
        ("-a 1 -t 4 -r 1 -c 2 -1", ["[1]: \t0", "[2]: \t0"]),
        ("-a 2 -t 0 -r 1 -c 2 -1", ["[1]: \t0", "[2]: \t0"]),
        ("-a 2 -t 1 -r 1 -c 1 -1", ["[1]: \t0"]),
    ],
)
def test_mbpoll_reads(options, lines):
    code, found, errors = poll(*options.split())
    assert (code, found) == (0, lines), errors


@pytest.mark.client("mbpoll")
def test_mbpoll_writes_and_reads_back():
    script = f"""
set -e
mbpoll -q -a 1 -b 9600 -P none -t 4 -r 5 {NODE} 17 34 >/dev/null
mbpoll -q -a 2 -b 9600 -P none -t 4 -r 5 {NODE} 51 >/dev/null
mbpoll -q -a 1 -b 9600 -P none -t 0 -r 2 {NODE} 1 >/dev/null
mbpoll -q -a 1 -b 9600 -P none -t 4 -r 5 -c 2 -1 {NODE} | grep '^\\['
mbpoll -q -a 2 -b 9600 -P none -t 4 -r 5 -c 1 -1 {NODE} | grep '^\\['
mbpoll -q -a 1 -b 9600 -P none -t 0 -r 1 -c 2 -1 {NODE} | grep '^\\['
"""
    outcome = run_devshim("sh", "-c", script, devices=[f"{NODE}=modbus_meter,units=2"])
    assert outcome.stdout.split() == ["[5]:", "17", "[6]:", "34", "[5]:", "51", "[1]:", "0", "[2]:", "1"], (
        outcome.stderr
    )


@pytest.mark.client("mbpoll")
def test_mbpoll_is_refused_what_is_not_there():
    code, found, errors = poll(*["-a", "1", "-t", "4", "-r", "100", "-c", "2", "-1"])
    assert (code, found) == (1, [])
    assert "Illegal data address" in errors


@pytest.mark.client("mbpoll")
def test_mbpoll_hears_nothing_from_a_unit_that_is_not_there():
    code, found, errors = poll(*["-a", "9", "-t", "4", "-r", "1", "-c", "1", "-1", "-o", "0.2"])
    assert (code, found) == (1, [])
    assert "timed out" in errors


def test_minimalmodbus_reads_and_writes():
    pytest.importorskip("minimalmodbus")
    program = f"""
import minimalmodbus
first, second = (minimalmodbus.Instrument({NODE!r}, unit) for unit in (1, 2))
first.write_register(7, 4321); second.write_bit(3, 1)
print(first.read_float(0, functioncode=4), first.read_register(7), second.read_register(7), second.read_bit(3, 1))
try:
    first.read_register(5000)
except minimalmodbus.IllegalRequestError as error:
    print(error)
"""
    outcome = run_devshim(sys.executable, "-c", program, devices=[f"{NODE}=modbus_meter,units=2"])
    assert outcome.stdout == "230.0 4321 0 1\nSlave reported illegal data address\n", outcome.stderr
