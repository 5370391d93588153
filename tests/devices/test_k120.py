"""The K120: what it types, with clients of the kernel's own protocol."""

import sys

import pytest
from harness import run_devshim
from inputprogram import changes, opened
from tabletop import Tabletop

from devshim import input_codes as codes
from devshim.devices import K120


def typed(text):
    """The keys and whether they go down, of a text."""
    keyboard = K120()
    table = Tabletop.plug(keyboard, "/dev/input/event0")
    file = opened(keyboard)
    keyboard.type(text)
    seen = []
    for _ in range(20 * len(text)):
        table.advance(keyboard.pause)
        seen += changes(file)
    return [(code, value) for type, code, value in seen if type == codes.EV_KEY]


def test_letters_are_keys_and_capitals_have_shift():
    assert typed("aB") == [
        (codes.KEY_A, 1), (codes.KEY_A, 0),
        (codes.KEY_LEFTSHIFT, 1), (codes.KEY_B, 1), (codes.KEY_B, 0), (codes.KEY_LEFTSHIFT, 0),
    ]  # fmt: skip


def test_every_printable_character_can_be_typed_and_nothing_else():
    text = "".join(map(chr, range(32, 127)))

    assert len(typed(text + "\n\t")) > 2 * len(text)
    for other in ("é", "\x00"):
        with pytest.raises(ValueError, match="no key"):
            K120().type(other)


def test_scancodes_are_the_usages_of_the_hid_tables():
    assert K120.keymap[0x70004] == codes.KEY_A
    assert K120.keymap[0x7001E] == codes.KEY_1
    assert K120.keymap[0x70028] == codes.KEY_ENTER
    assert K120.keymap[0x7003A] == codes.KEY_F1
    assert K120.keymap[0x70065] == codes.KEY_COMPOSE
    assert K120.keymap[0x700E7] == codes.KEY_RIGHTMETA


def test_a_second_text_waits_for_the_first():
    keyboard = K120()
    table = Tabletop.plug(keyboard, "/dev/input/event0")
    file = opened(keyboard)
    keyboard.type("a")
    keyboard.type("b")
    table.advance(1)

    keys = [(code, value) for type, code, value in changes(file) if type == codes.EV_KEY]
    assert keys == [(codes.KEY_A, 1), (codes.KEY_A, 0), (codes.KEY_B, 1), (codes.KEY_B, 0)]


# ---- unmodified programs


def test_python_evdev_reads_what_is_typed_and_lights_an_led():
    pytest.importorskip("evdev")
    script = """
from evdev import InputDevice, categorize, ecodes
keyboard = InputDevice("/dev/input/event0")
keyboard.set_led(ecodes.LED_NUML, 1)
words = []
for event in keyboard.read_loop():
    if event.type == ecodes.EV_KEY:
        key = categorize(event)
        words.append(f"{key.keycode}:{key.keystate}:{key.scancode}")
        if len(words) == 4:
            break
print(keyboard.name, keyboard.leds(verbose=True), *words)
"""
    outcome = run_devshim(sys.executable, "-c", script, devices=["/dev/input/event0=k120,text=hi,pause=0.005"])

    assert outcome.stderr == ""
    assert outcome.stdout == ("Logitech USB Keyboard [('LED_NUML', 0)] KEY_H:1:35 KEY_H:0:35 KEY_I:1:23 KEY_I:0:23\n")


@pytest.mark.client("evtest")
def test_evtest_knows_its_keys_and_leds():
    outcome = run_devshim(
        "sh", "-c", "timeout 1 evtest /dev/input/event0 </dev/null", devices=["/dev/input/event0=k120"]
    )

    assert "bus 0x3 vendor 0x46d product 0xc31c version 0x110" in outcome.stdout
    assert "    Event code 1 (LED_CAPSL) state 0\n" in outcome.stdout
    assert "    Repeat code 0 (REP_DELAY)\n      Value    250\n" in outcome.stdout
