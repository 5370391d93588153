"""A Pico with CircuitPython: what the console is told to type arrives as keys, and as reports."""

import sys

import pytest
from harness import run_devshim

from devshim.devices import PicoCircuitpython

DEVICES = ["/dev/ttyACM0=pico_circuitpython"]


def test_it_is_found_by_its_ids():
    pytest.importorskip("serial")
    program = (
        "from serial.tools.list_ports import comports\nfor p in comports(): print(p.device, p.hwid, p.description)"
    )

    outcome = run_devshim(sys.executable, "-c", program, devices=DEVICES, options=["--hide-real"])

    assert outcome.stdout == "/dev/ttyACM0 USB VID:PID=239A:80F4 SER=E660583883724A32 LOCATION=94-1:1.0 Pico\n"


@pytest.mark.client("evtest", "xxd")
def test_a_text_is_typed():
    script = """
        exec 3<>/dev/ttyACM0 4</dev/hidraw0; stty raw -echo <&3
        coproc evtest /dev/input/event0
        while read -u ${COPROC[0]} line; do [[ $line == Testing* ]] && break; done
        echo 'layout.write("Hi")' >&3
        head -c 54 <&4 | xxd -p -c 9
        for _ in 1 2 3 4 5 6; do
            while read -u ${COPROC[0]} line; do [[ $line == *EV_KEY* ]] && break; done
            echo ${line##*code}
        done
        kill $COPROC_PID
    """

    outcome = run_devshim("bash", "-c", script, devices=DEVICES)

    assert outcome.stdout.splitlines() == [
        "010200000000000000", "0102000b0000000000", "010200000000000000", "010000000000000000",
        "0100000c0000000000", "010000000000000000",
        "42 (KEY_LEFTSHIFT), value 1", "35 (KEY_H), value 1", "35 (KEY_H), value 0", "42 (KEY_LEFTSHIFT), value 0",
        "23 (KEY_I), value 1", "23 (KEY_I), value 0",
    ]  # fmt: skip


def test_its_lights_are_told_on_the_console():
    pico = PicoCircuitpython()

    pico.raw.output(b"\x01\x02")

    assert pico.console.led_status() == "b'\\x02'"
    assert pico.console.unknown("kbd.press(4)") == "NameError: name 'kbd' isn't defined"
