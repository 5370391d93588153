"""Logitech K120 USB keyboard.  Scancodes: USB HID Usage Tables 1.12, chapter 10; keys: drivers/hid/hid-input.c."""

from devshim import Input
from devshim import input_codes as codes
from devshim.input_codes import BUS_USB, KEY_LEFTSHIFT, LED_CAPSL, LED_COMPOSE, LED_KANA, LED_NUML, LED_SCROLLL, MSC_SCAN

PAGE = 0x70000   # usage page 7: keyboard

# From usage 4 on, in order; and from 0xe0 on.
KEYS = """
    A B C D E F G H I J K L M N O P Q R S T U V W X Y Z 1 2 3 4 5 6 7 8 9 0
    ENTER ESC BACKSPACE TAB SPACE MINUS EQUAL LEFTBRACE RIGHTBRACE BACKSLASH BACKSLASH SEMICOLON APOSTROPHE GRAVE
    COMMA DOT SLASH CAPSLOCK F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 SYSRQ SCROLLLOCK PAUSE INSERT HOME PAGEUP
    DELETE END PAGEDOWN RIGHT LEFT DOWN UP NUMLOCK KPSLASH KPASTERISK KPMINUS KPPLUS KPENTER
    KP1 KP2 KP3 KP4 KP5 KP6 KP7 KP8 KP9 KP0 KPDOT 102ND COMPOSE
""".split()
MODIFIERS = "LEFTCTRL LEFTSHIFT LEFTALT LEFTMETA RIGHTCTRL RIGHTSHIFT RIGHTALT RIGHTMETA".split()

PLAIN   = {" ": "SPACE", "\n": "ENTER", "\t": "TAB", "-": "MINUS", "=": "EQUAL", "[": "LEFTBRACE", "]": "RIGHTBRACE",
           "\\": "BACKSLASH", ";": "SEMICOLON", "'": "APOSTROPHE", "`": "GRAVE", ",": "COMMA", ".": "DOT", "/": "SLASH"}
SHIFTED = dict(zip('!@#$%^&*()_+{}|:"~<>?', "1234567890-=[]\\;'`,./", strict=True))   # US layout


def key(name):
    return getattr(codes, f"KEY_{name}")


class K120(Input):
    """A keyboard with five LEDs that types a text once a program has opened it."""

    name: str = "Logitech USB Keyboard"
    phys: str = "usb-0000:00:14.0-2/input0"
    bus: int = BUS_USB
    vendor: int = 0x046D
    product: int = 0xC31C
    version: int = 0x0110
    text: str = ""           # what is typed
    pause: float = 0.02      # seconds between a key down and a key up, and until the next

    keymap = {PAGE + usage: key(name) for start, names in ((0x04, KEYS), (0xE0, MODIFIERS))
              for usage, name in enumerate(names, start)}
    leds = (LED_NUML, LED_CAPSL, LED_SCROLLL, LED_COMPOSE, LED_KANA)
    misc = (MSC_SCAN,)
    repeat = True

    steps = []               # key and whether it goes down, still to come

    def opened(self):
        self.type(self.text)

    def type(self, text):
        """Type on a US layout; the text goes on after what is still being typed.  Raises ValueError."""
        steps = [step for character in text for step in strokes(character)]
        idle = not self.steps
        self.steps += steps
        if steps and idle:
            self.after(self.pause, self.step)

    def step(self):
        if not self.steps:
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
        return [(KEY_LEFTSHIFT, True), *inner, (KEY_LEFTSHIFT, False)]
    name = PLAIN.get(character, character.upper())
    if not character.isascii() or not hasattr(codes, f"KEY_{name}"):
        raise ValueError(f"no key of a US keyboard types {character!r}")
    return [(key(name), True), (key(name), False)]
