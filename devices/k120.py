"""Logitech K120 USB keyboard.  Scancodes: USB HID Usage Tables 1.12, chapter 10; keys: drivers/hid/hid-input.c."""

from devshim import Input
from devshim import input_codes as codes

PAGE = 0x70000   # usage page 7: keyboard

# From usage 4 on, in order; and from 0xe0 on.
KEYS = """
    A B C D E F G H I J K L M N O P Q R S T U V W X Y Z 1 2 3 4 5 6 7 8 9 0
    ENTER ESC BACKSPACE TAB SPACE MINUS EQUAL LEFTBRACE RIGHTBRACE BACKSLASH BACKSLASH SEMICOLON APOSTROPHE GRAVE
    COMMA DOT SLASH CAPSLOCK F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 SYSRQ SCROLLLOCK PAUSE INSERT HOME PAGEUP
    DELETE END PAGEDOWN RIGHT LEFT DOWN UP NUMLOCK KPSLASH KPASTERISK KPMINUS KPPLUS KPENTER
    KP1 KP2 KP3 KP4 KP5 KP6 KP7 KP8 KP9 KP0 KPDOT 102ND COMPOSE
"""
MODIFIERS = "LEFTCTRL LEFTSHIFT LEFTALT LEFTMETA RIGHTCTRL RIGHTSHIFT RIGHTALT RIGHTMETA"

PLAIN   = {" ": "SPACE", "\n": "ENTER", "\t": "TAB", "-": "MINUS", "=": "EQUAL", "[": "LEFTBRACE", "]": "RIGHTBRACE",
           "\\": "BACKSLASH", ";": "SEMICOLON", "'": "APOSTROPHE", "`": "GRAVE", ",": "COMMA", ".": "DOT", "/": "SLASH"}
SHIFTED = dict(zip('!@#$%^&*()_+{}|:"~<>?', "1234567890-=[]\\;'`,./", strict=True))   # US layout


def key(name):
    return getattr(codes, f"KEY_{name}")


class K120(Input):
    """A keyboard with five LEDs that types a text once a program has opened it."""

    name: str = "Logitech USB Keyboard"
    phys: str = "usb-0000:00:14.0-2/input0"
    bus: int = codes.BUS_USB
    vendor: int = 0x046D
    product: int = 0xC31C
    version: int = 0x0110
    text: str = ""           # what is typed
    pause: float = 0.02      # seconds between a key down and a key up, and until the next

    keymap = {PAGE + usage: key(name) for start, names in ((0x04, KEYS), (0xE0, MODIFIERS))
              for usage, name in enumerate(names.split(), start)}
    leds = (codes.LED_NUML, codes.LED_CAPSL, codes.LED_SCROLLL, codes.LED_COMPOSE, codes.LED_KANA)
    misc = (codes.MSC_SCAN,)
    repeat = True

    typing = False
    steps = []               # key and whether it goes down, still to come

    def plugged(self):
        self.typing = False
        self.steps.clear()

    def opened(self):
        self.type(self.text)

    def type(self, text):
        """Type on a US layout; the text goes on after what is still being typed.  Raises ValueError."""
        self.steps += [step for character in text for step in strokes(character)]
        if not self.typing:
            self.typing = True
            self.after(self.pause, self.step)

    def step(self):
        if not self.steps:
            self.typing = False
            return
        code, down = self.steps.pop(0)
        self.strike(code, down)
        self.after(self.pause, self.step)

    def strike(self, code, down):
        """A key goes down or up as the keyboard reports it: by scancode."""
        self.scan(next(scancode for scancode, known in self.keymap.items() if known == code), down)


def strokes(character):
    """The keys of one character: each with whether it goes down."""
    if character in SHIFTED or (character.isascii() and character.isupper()):
        inner = strokes(SHIFTED.get(character, character.lower()))
        return [(codes.KEY_LEFTSHIFT, True), *inner, (codes.KEY_LEFTSHIFT, False)]
    name = PLAIN.get(character, character.upper())
    if not character.isascii() or not hasattr(codes, f"KEY_{name}"):
        raise ValueError(f"no key of a US keyboard types {character!r}")
    return [(key(name), True), (key(name), False)]
