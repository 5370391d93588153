"""evtest and python-evdev do on models what they did on input devices of a real kernel.

Set aside: times; the exit code 124 of `timeout`, which ended evtest there: here it gets the same SIGTERM from the test.
Left out: uinput (a program that makes input devices of its own), and in /sys the directories power/ and
inputN::capslock/ (runtime power management, and the LED class), which belong to other drivers.
"""

import json
import re
import shlex
import signal
import subprocess
from pathlib import Path

import pytest
from harness import devshim_command, devshim_environment, run_devshim
from inputprogram import ask
from tabletop import Tabletop

from devshim.model.device import Link
from devshim.modelclass import class_in_file

TRUTH = Path(__file__).with_name("truth") / "input"
OTHERS = {
    0: ("AT Translated Set 2 keyboard", "isa0060/serio0/input0", (0x11, 1, 1, 0xAB41)),
    1: ("Power Button", "LNXPWRBN/button/input0", (0x19, 0, 1, 0)),
    2: ("PC Speaker", "isa0061/input0", (0x10, 0x1F, 1, 0x100)),
    3: ("ImExPS/2 Generic Explorer Mouse", "isa0060/serio1/input0", (0x11, 2, 6, 0)),
    4: ("QEMU QEMU USB Keyboard", "usb-0000:00:04.0-2/input0", (3, 0x627, 1, 0x111)),
    5: ("QEMU QEMU USB Mouse", "usb-0000:00:04.0-3/input0", (3, 0x627, 1, 1)),
    6: ("QEMU QEMU USB Tablet", "usb-0000:00:04.0-4.1/input0", (3, 0x627, 1, 1)),
    7: ("Wacom Penpartner Pen", "usb-0000:00:04.0-4.2/input0", (3, 0x56A, 0, 0x1001)),
}
REFS = {8: "RefKeyboard", 9: "RefPad", 10: "RefMouse", 11: "RefTouch"}


def plugged(*numbers, **other):
    """Specs of the machine's devices; other replaces a class: event8="HeldKeyboard"."""
    for number in numbers:
        node = f"/dev/input/event{number}={TRUTH / 'refs.py'}"
        if number in OTHERS:
            name, phys, (bus, vendor, product, version) = OTHERS[number]
            ids = f"bus={bus},vendor={vendor},product={product},version={version}"
            yield f"{node}:Other,name={name},phys={phys},{ids}"
        else:
            yield f"{node}:{other.get(f'event{number}', REFS[number])}"


def said(case, stream="stdout"):
    path = TRUTH / case / stream
    return path.read_text() if path.exists() else ""


def command(case):
    return shlex.split(said(case, "cmd"))


def without_times(text):
    return re.sub(r"time \d+\.\d+", "time T", text)


def model(number):
    return class_in_file(TRUTH / "refs.py", REFS[number])()


@pytest.mark.client("evtest")
@pytest.mark.parametrize(("case", "number", "code"), [("evtest-kbd", 8, 128 + signal.SIGTERM), ("evtest-touch", 11, 0)])
def test_evtest_shows_a_device_and_its_events(case, number, code):
    """With --grab it catches the signal, and lets go of the device."""
    devices = [word for spec in plugged(number) for word in ("-d", spec)]
    words = [*devshim_command(), "run", *devices, "--", "stdbuf", "-oL", *command(case)]
    expected = without_times(said(case))

    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=devshim_environment()) as process:
        shown = "".join(process.stdout.readline() for _ in expected.splitlines())
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)

    assert without_times(shown) == expected
    assert (rest, process.returncode) == ("", code)


@pytest.mark.client("evtest", "bash")
def test_evtest_lists_all_devices_by_name():
    outcome = run_devshim(*command("evtest-list"), devices=plugged(*range(12)))

    assert outcome.stdout == said("evtest-list")
    not_root = "Not running as root, no devices may be available.\n"
    assert outcome.stderr.replace(not_root, "") == said("evtest-list", "stderr")
    assert outcome.returncode == int(said("evtest-list", "rc"))


@pytest.mark.client("evtest")
@pytest.mark.parametrize("case", ["evtest-query", "evtest-query-led"])
def test_evtest_asks_for_the_state_of_one_key(case):
    outcome = run_devshim(*command(case), devices=plugged(8))

    assert (outcome.stdout, outcome.stderr) == ("", "")
    assert outcome.returncode == int(said(case, "rc"))


@pytest.mark.client("debian-python3-evdev")
def test_python_evdev_lists_reads_grabs_and_lights_an_led():
    words = ["/usr/bin/python3", str(TRUTH / "py-evdev" / "ev.py")]

    outcome = run_devshim(*words, devices=plugged(*range(12), event8="HeldKeyboard"))

    assert outcome.stdout == said("py-evdev")
    assert outcome.returncode == int(said("py-evdev", "rc"))


@pytest.mark.parametrize("number", REFS)
def test_every_request_of_the_transcripts_gets_the_same_bytes(number):
    file = model(number).open(0)
    lines = [json.loads(line) for line in (TRUTH / "ioctl.jsonl").read_text().splitlines()]
    mine = [line for line in lines if line["path"] == f"/dev/input/event{number}"]

    for line in mine:
        before = bytes.fromhex(line["in"])
        try:
            result, (after,) = ask(file, int(line["req"], 16), before)
        except OSError as error:
            result, after = -error.errno, before
        assert (line["req"], result, after.hex()) == (line["req"], line["ret"], line["out"])

    assert len(mine) > 10


@pytest.mark.parametrize(("number", "text"), [(8, "sys-kbd.txt"), (9, "sys-pad.txt")])
def test_sys_shows_what_the_kernel_showed(number, text):
    """The kernel's own number for the parent was another: input13 and input14 for event8 and event9."""
    truth = (TRUTH / text).read_text().replace(f"input{number + 5}", f"input{number}")
    above = f"/sys/devices/virtual/input/input{number}"
    files = dict(re.findall(r"^F \d+ size=\d+ (\S+) = '(.*)'$", truth, re.MULTILINE))
    links = dict(re.findall(r"^L (\S+) -> (\S+)$", truth, re.MULTILINE))
    beside = re.compile(rf"{above}/(.*/)?(power|input{number}::capslock|js\d+|mouse\d+)/")

    around = model(number).surroundings(f"/dev/input/event{number}", 13, 64 + number)

    for path, content in files.items():
        if not beside.match(path):
            assert (path, around[path].decode()) == (path, content.replace("\\n", "\n"))
    for path, link in links.items():
        if not beside.match(path):
            assert (path, around[path]) == (path, Link(link))
    assert b"E:ID_INPUT=1\n" in around[f"/run/udev/data/c13:{64 + number}"]
    kind = re.search(r"^E:(ID_INPUT_\w+=1)$", truth, re.MULTILINE)[1]
    assert f"E:{kind}\n".encode() in around[f"/run/udev/data/c13:{64 + number}"]


def test_sys_shows_a_joysticks_node_as_the_kernel_did():
    truth = (TRUTH / "sys-pad.txt").read_text().replace("input14", "input9")
    files = dict(re.findall(r"^F \d+ size=\d+ (\S+/js0/\w+) = '(.*)'$", truth, re.MULTILINE))
    links = dict(re.findall(r"^L (\S+/js0/\w+|\S+/js0) -> (\S+)$", truth, re.MULTILINE))
    pad, node = model(9), "/dev/input/event9"
    Tabletop.plug(pad, node)

    around = pad._companions(node)["/dev/input/js*"].surroundings("/dev/input/js0", 13, 0)

    assert {path: around[path].decode() for path in files} == {
        path: content.replace("\\n", "\n") for path, content in files.items()
    }
    assert {path: around[path] for path in links} == {path: Link(link) for path, link in links.items()}
    assert len(files) == 2 and len(links) >= 2


def test_the_devices_that_had_other_nodes_have_them_here():
    """/dev/input held js0, of the pad, and mouse4 and mouse5, of the mouse and the touchscreen."""
    found = {number: sorted(model(number)._companions(f"/dev/input/event{number}")) for number in REFS}

    mouse = ["/dev/input/mice", "/dev/input/mouse*"]
    assert found == {8: [], 9: ["/dev/input/js*"], 10: mouse, 11: mouse}
