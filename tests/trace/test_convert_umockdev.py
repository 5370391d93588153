"""Recordings that umockdev made become traces: /sys and udev, ioctls, scripts, input events."""

import sys

import pytest
from harness import run_devshim_verb

from devshim.model.device import Link
from devshim.trace.convert.recording import ConversionError
from devshim.trace.convert.umockdev import read
from devshim.trace.format.lines import event_object

NAME = b"A keyboard".ljust(256, b"\0").hex().upper()

KEYBOARD = """\
P: /devices/platform/i8042/serio0/input/input4/event4
N: input/event4
S: input/by-path/platform-i8042-serio-0-event-kbd
E: DEVNAME=/dev/input/event4
E: MAJOR=13
E: MINOR=68
E: SUBSYSTEM=input
E: ID_INPUT=1
E: TAGS=:power-switch:
A: dev=13:68\\n
L: device=../../input4

P: /devices/platform/i8042/serio0/input/input4
E: NAME="A keyboard"
E: SUBSYSTEM=input
A: name=A keyboard\\n
H: blob=00ff41
"""

IOCTLS = f"""\
@DEV /dev/input/event4
EVIOCGVERSION 0 01000100
EVIOCGID 0 1100010001004300
EVIOCGNAME(0) 11 {NAME}
EVIOCGBIT(0) 8 03000000000000000000000000000000
EVIOCGBIT(1) 96 00000040
EVIOCGRAB 0
"""

EVENTS = """\
# EVEMU 1.2
# device /dev/input/event4
E: 0.000000 0001 001e 0001	# KEY_A
E: 0.000000 0000 0000 0000	# SYN_REPORT
E: 0.250000 0001 001e 0000	# KEY_A
E: 0.250000 0000 0000 0000	# SYN_REPORT
"""


@pytest.fixture
def keyboard(tmp_path):
    (tmp_path / "kbd.umockdev").write_text(KEYBOARD)
    (tmp_path / "kbd.ioctl").write_text(IOCTLS)
    (tmp_path / "kbd.events").write_text(EVENTS)
    return tmp_path / "kbd.umockdev"


def events_of(*paths, node=""):
    recording = read([str(path) for path in paths], node)
    return [event_object(event) for event in recording.events()], recording


def test_a_description_brings_what_lies_beside_it(keyboard):
    found, _ = events_of(keyboard)

    assert [one["call"] for one in found] == ["open", *["ioctl"] * 6, "read", "read", "close"]
    assert found[0]["node"] == "/dev/input/event4"
    assert found[3] == {
        "call": "ioctl", "file": 1, "request": "0x81004506", "name": "EVIOCGNAME",
        "out": "41206b6579626f61726400", "result": 11,
    }  # fmt: skip
    assert found[5]["request"] == "0x80044521"
    assert found[8]["time"] == 0.25
    assert found[8]["hex"][32:48] == "01001e0000000000"


def test_sys_and_udev_show_the_device(keyboard):
    _, recording = events_of(keyboard)

    node = recording.header.nodes["/dev/input/event4"]
    around = node.surroundings
    assert (node.kind, node.rdev) == ("char", (13, 68))
    assert around["/sys/devices/platform/i8042/serio0/input/input4/name"] == b"A keyboard\n"
    assert around["/sys/devices/platform/i8042/serio0/input/input4/blob"] == b"\0\xffA"
    assert around["/sys/class/input/event4"] == Link("../../devices/platform/i8042/serio0/input/input4/event4")
    assert around["/dev/input/by-path/platform-i8042-serio-0-event-kbd"] == Link("../event4")
    assert around["/run/udev/data/c13:68"] == (
        b"S:input/by-path/platform-i8042-serio-0-event-kbd\nI:1\nE:ID_INPUT=1\nG:power-switch\nV:1\n"
    )
    assert b"MAJOR=13\nMINOR=68\n" in around["/sys/devices/platform/i8042/serio0/input/input4/event4/uevent"]


@pytest.mark.client("evtest")
def test_a_client_meets_the_recorded_keyboard(keyboard, tmp_path):
    made = run_devshim_verb("convert", keyboard, tmp_path / "kbd.trace")
    outcome = run_devshim_verb("replay", "--loose", tmp_path / "kbd.trace", "--", "evtest", "/dev/input/event4")

    assert made.returncode == 0, made.stderr
    assert 'Input device name: "A keyboard"' in outcome.stdout
    assert "(KEY_A), value 1" in outcome.stdout


def test_a_script_is_a_dialogue(tmp_path):
    (tmp_path / "modem.script").write_bytes(
        b"d 0 /dev/ttyUSB3\nw 0 AT^M\nr 30 ^M^JOK^M^J\nf 5 -\nw 10 ^`^?\nQ 0 x\nr 1 no\n"
    )
    found, recording = events_of(tmp_path / "modem.script")

    assert found == [
        {"call": "open", "file": 1, "node": "/dev/ttyUSB3", "flags": "O_RDWR"},
        {"call": "write", "file": 1, "text": "AT\r", "time": 0.0, "took": 0.0},
        {"call": "read", "file": 1, "size": 6, "text": "\r\nOK\r\n", "time": 0.03, "took": 0.0},
        {"call": "write", "file": 1, "hex": "5e1f", "time": 0.04, "took": 0.0},
        {"call": "close", "file": 1},
    ]
    assert recording.said() == ["a script's tolerance (f) is not converted; replay with --match FILE.py"]


def test_a_file_that_names_no_device_needs_one(tmp_path):
    (tmp_path / "a.script").write_text("w 0 hello\n")

    with pytest.raises(ConversionError, match=r"a\.script: which device is it of\? Say --node /dev/\.\.\."):
        events_of(tmp_path / "a.script")
    assert events_of(tmp_path / "a.script", node="/dev/ttyS5")[0][0]["node"] == "/dev/ttyS5"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.umockdev", "A: dev=1\n", "a.umockdev:1: it begins with P:"),
        ("a.umockdev", "P: /devices/x\nA: ../../etc/passwd=x\n", "a.umockdev:2: attribute"),
        ("a.umockdev", "P: /devices/../x\n", "a.umockdev:1: P: a device's path begins with /devices/"),
        ("a.umockdev", "P: /devices/x\nZ: what\n", "a.umockdev:2: Z: is not known"),
        ("a.umockdev", "P: /devices/x\nH: blob=0g\n", "a.umockdev:2: non-hexadecimal"),
        ("a.ioctl", "@DEV /dev/input/event0\nEVIOCGID x 00\n", "a.ioctl:2: EVIOCGID x 00: not NAME RESULT HEX"),
        ("a.ioctl", "@DEV /dev/spidev0.0 (SPI)\nTW 03ff\n", "a.ioctl:1: recordings of SPI cannot be converted"),
        ("a.script", "d 0 /dev/x\nx 1 a\n", "a.script:2: not a line of a script"),
        ("a.script", "d 0 /dev/x\nr 9999999999999 a\n", "a.script:2: not a line of a script"),
        ("a.umockdev", "P: /devices/x\x07\nN: x\n", "a.umockdev:1: P: "),
        ("a.script", "d 0 /dev/x\x07\nr 1 a\n", "holds the control character 7"),
        ("a.events", "# device /dev/input/event0\nE: what\n", "a.events:2: not an event"),
        ("a.events", "# device /dev/input/event0\nE: 1.0 10002 0 1\n", "a.events:2: not an event"),
        ("a.events", "# device /dev/input/event0\nE: 99999999999.0 2 0 1\n", "a.events:2: not an event"),
    ],
)
def test_a_damaged_recording_is_named_by_its_line(tmp_path, name, content, words):
    (tmp_path / name).write_text(content)

    with pytest.raises(ConversionError) as caught:
        events_of(tmp_path / name)
    assert words in str(caught.value)


def test_a_script_is_replayed_to_a_program_that_sets_its_port_up(tmp_path):
    script, trace = tmp_path / "modem.script", tmp_path / "modem.trace"
    script.write_bytes(b"d 0 /dev/ttyUSB7\nr 0 hello^J\nw 20 ATI^J\nr 20 OK^J\n")
    assert run_devshim_verb("convert", script, trace).returncode == 0
    program = """
import serial
with serial.Serial("/dev/ttyUSB7", 115200, timeout=20) as port:
    print(port.readline(), port.baudrate)
    port.reset_input_buffer()
    port.rts = False
    port.write(b"ATI\\n")
    print(port.readline())
"""
    outcome = run_devshim_verb("replay", trace, "--", sys.executable, "-c", program)
    assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("b'hello\\n' 115200\nb'OK\\n'\n", "", 0)

    strictly = run_devshim_verb("replay", "--strict", trace, "--", sys.executable, "-c", program)
    assert strictly.returncode != 0 and "mismatch: the program does ioctl" in strictly.stderr
