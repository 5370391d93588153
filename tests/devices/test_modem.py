"""The modem: command lines, messages, calls; and unmodified programs that talk to it."""

import sys

import pytest
from harness import devshim_command, devshim_environment, run_devshim
from tabletop import Tabletop
from terminal import Terminal

from devshim.devices import Modem

NODE = "/dev/ttyUSB2"


class Desk:
    """A modem on the table, with what it said since the last look."""

    def __init__(self, **parameters):
        self.modem = Modem(**parameters)
        self.table = Tabletop.plug(self.modem, NODE)
        self.modem.open(0)
        self.modem.echoing = False

    def said(self):
        said, self.table.sent = self.table.sent.decode(), b""
        return said

    def at(self, line):
        self.modem.write(line.encode() + b"\r")
        return self.said()


@pytest.fixture
def desk():
    return Desk()


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("AT", "\r\nOK\r\n"),
        ("at", "\r\nOK\r\n"),
        ("", ""),
        ("NONSENSE", ""),
        ("ATI", "\r\ndevshim\r\n\r\nAT modem\r\n\r\nIMEI: 490154203237518\r\n\r\nOK\r\n"),
        ("AT+CSQ", "\r\n+CSQ: 20,99\r\n\r\nOK\r\n"),
        ("AT+CREG?", "\r\n+CREG: 0,1\r\n\r\nOK\r\n"),
        ("AT+CREG=?", "\r\n+CREG: (0,1,2)\r\n\r\nOK\r\n"),
        ("AT+COPS?", '\r\n+COPS: 0,0,"Testnet"\r\n\r\nOK\r\n'),
        ("AT+CPIN?", "\r\n+CPIN: READY\r\n\r\nOK\r\n"),
        ("AT+CGSN", "\r\n490154203237518\r\n\r\nOK\r\n"),
        ("AT+CSQ;+CREG?", "\r\n+CSQ: 20,99\r\n\r\n+CREG: 0,1\r\n\r\nOK\r\n"),
        ("ATE0V1+CGMM", "\r\nAT modem\r\n\r\nOK\r\n"),
        ("ATS7?", "\r\n050\r\n\r\nOK\r\n"),
        ("ATS0=3S0?", "\r\n003\r\n\r\nOK\r\n"),
        ("AT+NOSUCH", "\r\nERROR\r\n"),
        ("AT+CSQ;+NOSUCH;+CSQ", "\r\n+CSQ: 20,99\r\n\r\nERROR\r\n"),
        ("AT?", "\r\nERROR\r\n"),
    ],
)
def test_command_lines(desk, line, answer):
    assert desk.at(line) == answer


def test_echo_is_on_until_ate0():
    desk = Desk()
    desk.at("ATZ")
    assert desk.at("AT") == "AT\r\r\nOK\r\n"
    assert desk.at("ATE0") == "ATE0\r\r\nOK\r\n"
    assert desk.at("AT") == "\r\nOK\r\n"
    assert desk.at("ATE1") == "\r\nOK\r\n"
    assert desk.at("AT") == "AT\r\r\nOK\r\n"


def test_what_can_be_no_command_is_not_echoed():
    desk = Desk()
    desk.at("ATE1")
    desk.modem.write(b"\r\nOK\r\n\r\n+CSQ: 20,99\r\n")
    assert desk.said() == ""


def test_atv0_gives_numbers_and_atq1_silence(desk):
    assert desk.at("ATV0") == "0\r"
    assert desk.at("AT+NOSUCH") == "4\r"
    assert desk.at("ATD123") == "3\r"
    assert desk.at("ATV1Q1") == ""
    assert desk.at("AT") == ""


def test_errors_are_told_as_cmee_wants_them():
    desk = Desk(pin="1234")
    assert desk.at('AT+CPIN="9"') == "\r\nERROR\r\n"
    desk.at("AT+CMEE=1")
    assert desk.at('AT+CPIN="9"') == "\r\n+CME ERROR: 16\r\n"
    desk.at("AT+CMEE=2")
    assert desk.at('AT+CPIN="9"') == "\r\n+CME ERROR: incorrect password\r\n"
    assert desk.at('AT+CMGS="1"') == "\r\n+CMS ERROR: SIM PIN required\r\n"


def test_the_pin_unlocks_the_sim():
    desk = Desk(pin="1234")
    assert "SIM PIN" in desk.at("AT+CPIN?")
    assert "+CREG: 0,0" in desk.at("AT+CREG?")
    assert desk.at('AT+CPIN="1234"') == "\r\nOK\r\n"
    assert "READY" in desk.at("AT+CPIN?")
    assert "+CREG: 0,1" in desk.at("AT+CREG?")


def test_a_message_is_prompted_for_and_sent_by_ctrl_z(desk):
    assert desk.at("AT+CMGF=1") == "\r\nOK\r\n"
    assert desk.at('AT+CMGS="+4930123456"') == "\r\n> "
    desk.modem.write(b"Hello\r")
    desk.modem.write(b"World\x1aAT\r")
    assert desk.said() == "\r\n+CMGS: 1\r\n\r\nOK\r\n\r\nOK\r\n"
    assert desk.modem.sent == [("+4930123456", "Hello\nWorld")]


def test_a_message_in_one_write_with_its_command(desk):
    desk.at("AT+CMGF=1")
    desk.modem.write(b'AT+CMGS="1"\rHi\x1a')
    assert desk.said() == "\r\n> \r\n+CMGS: 1\r\n\r\nOK\r\n"
    assert desk.modem.sent == [("1", "Hi")]


def test_escape_sends_no_message(desk):
    desk.at("AT+CMGF=1")
    desk.at('AT+CMGS="1"')
    desk.modem.write(b"never\x1b")
    assert desk.said() == "\r\nOK\r\n"
    assert desk.modem.sent == []


def test_messages_without_text_mode_are_an_error(desk):
    assert desk.at('AT+CMGS="1"') == "\r\nERROR\r\n"


def test_messages_that_come_in_are_told_read_and_deleted(desk):
    desk.at("AT+CMGF=1;+CNMI=2,1")
    desk.modem.text("+1555", "first")
    assert desk.said() == '\r\n+CMTI: "SM",1\r\n'
    desk.modem.text("+1666", "second")
    desk.said()
    assert desk.at("AT+CMGR=2") == '\r\n+CMGR: "REC READ","+1666",,""\r\nsecond\r\n\r\nOK\r\n'
    assert desk.at("AT+CMGD=1") == "\r\nOK\r\n"
    assert desk.at("AT+CMGR=1") == "\r\nERROR\r\n"
    assert desk.at('AT+CMGL="ALL"') == '\r\n+CMGL: 2,"REC READ","+1666",,""\r\nsecond\r\n\r\nOK\r\n'


def test_nobody_answers(desk):
    assert desk.at("ATD0301234567") == "\r\nNO CARRIER\r\n"
    assert desk.at("ATDT0301234567") == "\r\nNO CARRIER\r\n"
    assert desk.at("ATH") == "\r\nOK\r\n"


def test_a_voice_call_stays_in_command_mode(desk):
    assert desk.at("ATD112;") == "\r\nOK\r\n"
    assert desk.modem.on_call
    assert desk.at("ATH") == "\r\nOK\r\n"
    assert not desk.modem.on_call


def test_a_data_call_carries_data_until_an_escape_between_silences():
    desk = Desk(connects=True)
    assert desk.at("ATD1") == "\r\nCONNECT\r\n"
    assert desk.modem.cd
    desk.modem.write(b"AT\r+++")
    assert desk.said() == ""
    desk.table.advance(1.1)
    desk.modem.write(b"+++")
    desk.modem.write(b"more")  # too early: it was no escape
    desk.table.advance(2)
    assert desk.said() == ""
    desk.modem.write(b"+++")
    desk.table.advance(1.1)
    assert desk.said() == "\r\nOK\r\n"
    assert desk.modem.heard == b"AT\r+++more"
    assert desk.at("ATO") == "\r\nCONNECT\r\n"
    desk.modem.hang_up()
    assert desk.said() == "\r\nNO CARRIER\r\n"
    assert not desk.modem.cd


def test_dropping_dtr_hangs_up():
    desk = Desk(connects=True)
    desk.at("ATD1")
    desk.modem.close()
    assert not desk.modem.cd
    assert not desk.modem.online


def test_a_ring_is_heard_seen_on_its_line_and_answered(desk):
    desk.modem.ring()
    assert desk.said() == "\r\nRING\r\n"
    assert desk.modem.ri
    assert desk.at("ATA") == "\r\nCONNECT\r\n"
    assert desk.modem.cd
    assert not desk.modem.ri
    assert desk.modem.tiocgicount().rng == 1


def test_there_is_nothing_to_answer_without_a_ring(desk):
    assert desk.at("ATA") == "\r\nNO CARRIER\r\n"


def test_s0_answers_by_itself(desk):
    desk.at("ATS0=1")
    desk.modem.ring()
    assert desk.said() == "\r\nRING\r\n\r\nCONNECT\r\n"


def test_pyserial_sends_a_message():
    pytest.importorskip("serial")
    program = f"""
import serial
with serial.Serial({NODE!r}, 115200, timeout=60) as port:
    port.write(b"ATE0\\r"); assert port.read_until(b"OK\\r\\n") == b"ATE0\\r\\r\\nOK\\r\\n"
    port.write(b"AT+CMGF=1\\r"); assert port.read_until(b"OK\\r\\n") == b"\\r\\nOK\\r\\n"
    port.write(b'AT+CMGS="+491"\\r'); assert port.read_until(b"> ") == b"\\r\\n> "
    port.write(b"on its way\\x1a")
    print(port.read_until(b"OK\\r\\n"), port.cd, port.cts)
"""
    outcome = run_devshim(sys.executable, "-c", program, devices=[f"{NODE}=modem"])
    assert (outcome.stdout, outcome.stderr) == ("b'\\r\\n+CMGS: 1\\r\\n\\r\\nOK\\r\\n' False True\n", "")


@pytest.mark.client("picocom")
def test_a_person_types_at_it_with_picocom():
    run = [*devshim_command(), "run", "-d", f"{NODE}=modem,signal=11", "--"]
    with Terminal([*run, "picocom", "-b", "115200", NODE], devshim_environment()) as terminal:
        terminal.expect("Terminal ready")
        for key in "AT+CSQ\r":
            terminal.press(key)
        screen = terminal.expect("OK\r\n")
        assert screen.endswith("AT+CSQ\r\r\n+CSQ: 11,99\r\n\r\nOK\r\n")
        terminal.press("\x01\x18")  # Ctrl-A Ctrl-X
        assert terminal.state()[0] == "ended"


def test_the_radio_can_be_switched_off(desk):
    assert desk.at("AT+CFUN?;+CREG?") == "\r\n+CFUN: 1\r\n\r\n+CREG: 0,1\r\n\r\nOK\r\n"
    assert desk.at("AT+CFUN=4;+CREG?;+COPS?") == "\r\n+CREG: 0,0\r\n\r\n+COPS: 0\r\n\r\nOK\r\n"
    assert desk.at("AT+CFUN=7") == "\r\nERROR\r\n"


def test_registration_tells_the_cell_where_that_is_asked_for(desk):
    assert desk.at("AT+CREG=2;+CREG?") == '\r\n+CREG: 2,1,"00C3","0000A1B2"\r\n\r\nOK\r\n'
    assert desk.at("AT+CGREG?;+CGREG=?") == "\r\n+CGREG: 0,1\r\n\r\n+CGREG: (0,1,2)\r\n\r\nOK\r\n"
    assert desk.at("AT+CGATT?") == "\r\n+CGATT: 1\r\n\r\nOK\r\n"


def test_the_network_has_a_name_and_a_number(desk):
    assert desk.at("AT+COPS=3,2;+COPS?") == '\r\n+COPS: 0,2,"00101"\r\n\r\nOK\r\n'
    assert desk.at("AT+COPS=3,0;+COPS?") == '\r\n+COPS: 0,0,"Testnet"\r\n\r\nOK\r\n'


def test_the_sim_tells_its_number_once_it_is_open():
    desk = Desk(pin="1234")
    assert desk.at("AT+CIMI") == "\r\nERROR\r\n"
    assert desk.at('AT+CPIN="1234";+CIMI') == "\r\n001010123456063\r\n\r\nOK\r\n"


def test_a_character_set_is_one_of_those_that_it_lists(desk):
    assert desk.at('AT+CSCS=?;+CSCS="IRA";+CSCS?') == '\r\n+CSCS: ("GSM","IRA")\r\n\r\n+CSCS: "IRA"\r\n\r\nOK\r\n'
    assert desk.at('AT+CSCS="UCS2"') == "\r\nERROR\r\n"
