"""The M105: its reports at the event node, and as packets of a PS/2 mouse."""

import os
import sys

import pytest
from harness import run_devshim
from inputprogram import events, opened

from devshim import input_codes as codes
from devshim.devices import M105
from devshim.model.mouse import Mouse

SYN = (codes.EV_SYN, codes.SYN_REPORT, 0)


def test_a_click_has_the_usage_of_the_button_before_it():
    mouse = M105()
    file = opened(mouse)

    mouse.click(codes.BTN_RIGHT)

    scan = (codes.EV_MSC, codes.MSC_SCAN, 0x90002)
    assert events(file) == [
        scan,
        (codes.EV_KEY, codes.BTN_RIGHT, 1),
        SYN,
        scan,
        (codes.EV_KEY, codes.BTN_RIGHT, 0),
        SYN,
    ]


def test_a_turn_of_the_wheel_is_told_in_both_resolutions():
    mouse = M105()
    file = opened(mouse)

    mouse.roll(-2)

    wheel = [(codes.EV_REL, codes.REL_WHEEL, -2), (codes.EV_REL, codes.REL_WHEEL_HI_RES, -240)]
    assert events(file) == [*wheel, SYN]


def test_as_a_ps2_mouse_it_moves_and_clicks():
    mouse = M105()
    file = Mouse(mouse).open(os.O_RDONLY)

    mouse.push(3, 4)
    assert file.read(3) == bytes((0x28, 3, 256 - 4))
    mouse.button(codes.BTN_MIDDLE, True)
    assert file.read(3) == bytes((0x0C, 0, 0))


@pytest.mark.client("evtest")
def test_evtest_finds_what_it_has():
    devices = ["/dev/input/event2=m105"]
    outcome = run_devshim("evtest", "--query", "/dev/input/event2", "EV_KEY", "BTN_LEFT", devices=devices)

    assert (outcome.returncode, outcome.stderr) == (0, "")


@pytest.mark.client("od")
def test_od_reads_a_mouse_that_drifts_from_both_nodes():
    script = "for node in mice mouse*; do od -An -tx1 -N3 $node; done"
    devices = ["/dev/input/event2=m105,drift=0.01"]
    outcome = run_devshim("bash", "-c", f"cd /dev/input; {script}", devices=devices, options=["--hide-real"])

    packets = [bytes.fromhex(line) for line in outcome.stdout.splitlines()]
    assert [(packet[0], packet[1] > 0, packet[2]) for packet in packets] == [(0x08, True, 0)] * 2


def test_proc_lists_it_as_the_kernel_does():
    show = "print(open('/proc/bus/input/devices').read())"
    devices = ["/dev/input/event2=m105"]
    outcome = run_devshim(sys.executable, "-c", show, devices=devices, options=["--hide-real"])

    lines = outcome.stdout.splitlines()
    assert {"H: Handlers=mouse0 event2 ", "B: EV=17", "B: KEY=70000 0 0 0 0", "B: REL=903", "B: MSC=10"} <= set(lines)
