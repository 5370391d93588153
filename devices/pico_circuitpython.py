"""A Raspberry Pi Pico that runs CircuitPython: a USB stick with a console, a keyboard and its raw HID reports.

Sources: mpconfigboard.mk of raspberry_pi_pico in CircuitPython (ids and texts); HID 1.11, appendix B.1 (the reports).
"""

from devshim import Function, Hidraw, Serial, UsbComposite, command
from devshim.devices.k120 import K120, PAGE

KEYBOARD = 1                       # the report's number, usb_hid.Device.KEYBOARD


class Console(Serial):
    """The console, with `layout` (adafruit_hid's KeyboardLayoutUS) and `kbd` (its Keyboard) made already.

    It does not echo, and has no prompt: what a terminal that is not yet raw would send back to it.
    """

    @command(r"layout\.write\([\"'](.*)[\"']\)")
    def layout_write(self, text: str) -> None:
        self.whole.keyboard.type(text)

    @command(r"print\(kbd\.led_status\)")
    def led_status(self) -> str:
        return repr(bytes([self.whole.raw.lights]))

    def unknown(self, line: str) -> str:
        return f"NameError: name '{line.partition('.')[0]}' isn't defined"


class Keyboard(K120):
    """What the kernel's hid-input makes of the reports."""

    def strike(self, code: int, down: bool) -> None:
        super().strike(code, down)
        self.whole.raw.strike(next(scan for scan, known in self.keymap.items() if known == code) - PAGE, down)


class Raw(Hidraw):
    """The reports themselves: modifiers, a byte that is 0, six usages; LEDs the other way."""

    # keyboard, report 1: 8 modifiers, 1 byte, 5 LEDs out and 3 bits, 6 usages of page 7
    report_descriptor = bytes.fromhex(
        "0501 0906 a101 8501 0507 19e0 29e7 1500 2501 7501 9508 8102 9501 7508 8101"
        "9505 7501 0508 1901 2905 9102 9501 7503 9101 9506 7508 1500 26ff00 0507 1900 2aff00 8100 c0"
    )

    lights = 0
    modifiers = 0
    pressed = []

    def output(self, report: bytes) -> None:
        self.lights = report[1]

    def strike(self, usage: int, down: bool) -> None:
        if usage >= 0xE0:
            self.modifiers = self.modifiers & ~(1 << usage - 0xE0) | down << usage - 0xE0
        elif down:
            self.pressed.append(usage)
        else:
            self.pressed.remove(usage)
        self.send_input(bytes([KEYBOARD, self.modifiers, 0, *self.pressed[:6]]).ljust(9, b"\0"))


class PicoCircuitpython(UsbComposite):
    """`-d /dev/ttyACM0=pico_circuitpython`; what is written to the console with layout.write("hello") is typed."""

    usual_node = "/dev/ttyACM0"

    vendor_id: int = 0x239A
    product_id: int = 0x80F4
    manufacturer: str = "Raspberry Pi"
    product: str = "Pico"
    serial: str = "E660583883724A32"

    console  = Function(Console, interface=0)
    keyboard = Function(Keyboard, "/dev/input/event*", interface=3)   # 2 is the disk, CIRCUITPY
    raw      = Function(Raw, "/dev/hidraw*", interface=3)
