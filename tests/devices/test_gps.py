"""The GPS: its sentences by an independent parser, its commands, and what unmodified programs read from it."""

import sys

import pytest
from harness import run_devshim
from tabletop import Tabletop

from devshim.devices import Gps

NODE = "/dev/ttyUSB0"
NOON = "2024-05-01T12:00:00"


def sentences(table):
    lines = table.sent.decode().split("\r\n")[:-1]
    table.sent = b""
    return lines


def reported(gps, seconds=1.0):
    table = Tabletop.plug(gps, NODE)
    table.advance(seconds)
    return sentences(table)


def test_rmc_is_as_in_the_standard():
    gps = Gps(latitude=48.8584, longitude=-2.2945, speed=22.4, course=84.4, utc=NOON)

    assert reported(gps)[0] == "$GPRMC,120000.000,A,4851.5040,N,00217.6700,W,22.40,84.40,010524,,,A*7D"


def test_each_sentence_ends_with_its_checksum():
    for sentence in reported(Gps(utc=NOON)):
        check = 0
        for character in sentence[1:-3]:
            check ^= ord(character)
        assert sentence[-3:] == f"*{check:02X}"


def test_an_independent_parser_reads_back_what_was_set():
    pynmea2 = pytest.importorskip("pynmea2")
    gps = Gps(latitude=-33.8568, longitude=151.2153, altitude=12.5, satellites=5, speed=3.0, utc=NOON)
    table = Tabletop.plug(gps, NODE)
    gps.write(b"$PMTK314,1,1,1,1,1,1*%02X\r\n" % checksum(b"PMTK314,1,1,1,1,1,1"))
    table.sent = b""
    table.advance(1)
    read = {
        message.sentence_type: message for message in (pynmea2.parse(line, check=True) for line in sentences(table))
    }

    assert set(read) == {"RMC", "GGA", "GSA", "GSV", "VTG", "GLL"}
    for name in ("RMC", "GGA", "GLL"):
        assert read[name].latitude == pytest.approx(-33.8568, abs=1e-6)
        assert read[name].longitude == pytest.approx(151.2153, abs=1e-6)
    assert str(read["RMC"].datetime) == "2024-05-01 12:00:00+00:00"
    assert read["RMC"].status == "A"
    assert read["RMC"].spd_over_grnd == 3.0
    assert read["GGA"].altitude == 12.5
    assert int(read["GGA"].num_sats) == 5
    assert read["GGA"].gps_qual == 1
    assert read["GSA"].mode_fix_type == "3"
    assert read["VTG"].spd_over_grnd_kmph == pytest.approx(5.56)


def test_without_a_fix_there_is_no_position():
    rmc, gga, gsa = reported(Gps(fix=False, utc=NOON))

    assert rmc.startswith("$GPRMC,120000.000,V,,,,,,,010524,,,N*")
    assert gga.startswith("$GPGGA,120000.000,,,,,0,00,")
    assert gsa.startswith("$GPGSA,A,1,,,,")


def test_minutes_never_come_to_sixty():
    assert ",1000.0000,N," in reported(Gps(latitude=9.99999999))[0]


def test_time_goes_on_from_fix_to_fix():
    lines = reported(Gps(utc="2024-12-31T23:59:59", period=0.5), seconds=1.6)

    assert [line.split(",")[1] for line in lines if "RMC" in line] == ["235959.000", "235959.500", "000000.000"]


def checksum(body):
    check = 0
    for byte in body:
        check ^= byte
    return check


def ask(gps, body):
    table = Tabletop.plug(gps, NODE)
    gps.write(b"$%s*%02X\r\n" % (body, checksum(body)))
    return table.sent.decode().strip()


@pytest.mark.parametrize(
    ("packet", "answer"),
    [
        (b"PMTK000", "$PMTK001,0,3*30"),
        (b"PMTK220,200", "$PMTK001,220,3*30"),
        (b"PMTK220,5", "$PMTK001,220,0*"),
        (b"PMTK999", "$PMTK001,999,1*"),
        (b"PMTK605", "$PMTK705,AXN_2.31,devshim,gps,1.0*"),
    ],
)
def test_packets_are_acknowledged(packet, answer):
    assert ask(Gps(), packet).startswith(answer)


def test_a_packet_with_a_wrong_checksum_is_passed_over():
    gps = Gps()
    table = Tabletop.plug(gps, NODE)
    gps.write(b"$PMTK220,200*00\r\n")
    assert table.sent == b""
    assert gps.period == 1.0


def test_the_program_chooses_the_period_and_the_sentences():
    gps = Gps(period=1.0)
    ask(gps, b"PMTK220,250")
    ask(gps, b"PMTK314,0,1,0,0,0,0")
    assert gps.period == 0.25
    assert [line[:6] for line in reported(gps)] == ["$GPRMC"] * 4
    ask(gps, b"PMTK314,-1")
    assert gps.chosen == ("RMC", "GGA", "GSA")


def test_cat_shows_what_a_uart_in_its_first_settings_would():
    outcome = run_devshim("head", "-n", "4", NODE, devices=[f"{NODE}=gps,period=0.05,utc={NOON}"])

    first, empty, second, _ = outcome.stdout.split("\n")[:4]
    assert first.startswith("$GPRMC,")
    assert second.startswith("$GPGGA,")
    assert empty == ""  # ICRNL makes two line ends of CR LF, on every serial port
    assert outcome.returncode == 0


def test_dd_reads_bytes():
    outcome = run_devshim(
        "sh", "-c", f"stty -F {NODE} raw; dd if={NODE} bs=1 count=7 2>/dev/null",
        devices=[f"{NODE}=gps,period=0.05"],
    )  # fmt: skip
    assert outcome.stdout == "$GPRMC,"


def test_pyserial_reads_sentences_and_sends_packets():
    pytest.importorskip("serial")
    program = f"""
import serial
with serial.Serial({NODE!r}, 9600, timeout=60) as port:
    assert port.readline().startswith(b"$GP")
    port.write(b"$PMTK605*31\\r\\n")
    while not (line := port.readline()).startswith(b"$PMTK"):
        assert line.endswith(b"\\r\\n"), line
    print(line.decode().split(",")[0])
"""
    outcome = run_devshim(sys.executable, "-c", program, devices=[f"{NODE}=gps,period=0.05"])
    assert (outcome.stdout, outcome.stderr) == ("$PMTK705\n", "")


def test_a_shell_reads_by_a_redirection():
    script = f'exec 3<>{NODE}; stty raw -echo <&3; read -r line <&3; echo "${{line%%,*}}"'
    outcome = run_devshim("sh", "-c", script, devices=[f"{NODE}=gps,period=0.1"])
    assert outcome.stdout == "$GPRMC\n"
