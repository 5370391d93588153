"""Led: a light as the kernel's LED class shows it (Documentation/leds/leds-class.rst)."""

from __future__ import annotations

from devshim.model.attribute import Attribute
from devshim.model.setting import attribute, number_in, text_of
from devshim.model.sysfs_device import SysfsDevice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


class Led(SysfsDevice):
    """A light, plugged at /sys/class/leds/NAME: `-d /sys/class/leds/board:green:status=led`.

    The program sets `level` through `brightness`; changed() hears of it.  A trigger that is not "none" has the light:
    setting the brightness to 0 takes it away, as in the kernel.

    level           how bright it is, from 0
    max_brightness  how bright it can be
    trigger         which of `triggers` has it
    """

    usual_node: ClassVar[str] = "/sys/class/leds/board:green:status"

    level: int = 0
    max_brightness: int = 255
    trigger: str = "none"

    subsystem = "leds"
    #: What `trigger` offers.
    triggers: ClassVar[tuple[str, ...]] = ("none", "timer", "oneshot", "heartbeat", "default-on")

    #: The timer trigger's times, in milliseconds.
    delay_on = delay_off = 500

    def setup(self) -> None:
        """Refuse a trigger that there is not."""
        if self.trigger not in self.triggers:
            raise ValueError(f"trigger={self.trigger!r}: choose from {', '.join(self.triggers)}")

    def changed(self) -> None:
        """The program has set another brightness or trigger; for classes to override."""

    @attribute
    def brightness(self) -> int:
        """What the program sees and sets."""
        return self.level

    @brightness.written
    def set_brightness(self, text: str) -> None:
        """0 takes a trigger away; more than there is becomes the most (led_set_brightness)."""
        wanted = number_in(text)
        if wanted < 0:
            raise ValueError(f"{wanted} is no brightness")
        self.level = min(wanted, self.max_brightness)
        if wanted == 0 and self.trigger != "none":
            self.trigger = "none"
            self.surroundings_changed()
        self.changed()

    @attribute("max_brightness")
    def brightest(self) -> int:
        """What the program sees of max_brightness."""
        return self.max_brightness

    @attribute("trigger")
    def offered(self) -> str:
        """All triggers, the present one in brackets."""
        return " ".join(f"[{name}]" if name == self.trigger else name for name in self.triggers)

    @offered.written
    def set_trigger(self, text: str) -> None:
        """Choose a trigger; the light goes out, or on."""
        if text not in self.triggers:
            raise ValueError(f"{text!r} is no trigger")
        self.trigger = text
        self.level = self.max_brightness if text == "default-on" else 0
        self.surroundings_changed()
        self.changed()

    def files(self) -> dict[str, Any]:
        """The times of the timer; the kernel shows them only while that trigger has the light."""
        if self.trigger != "timer":
            return {}
        return {
            "delay_on": Attribute(lambda: self.delay_on, lambda data: self.set_delay("delay_on", data)),
            "delay_off": Attribute(lambda: self.delay_off, lambda data: self.set_delay("delay_off", data)),
        }

    def set_delay(self, name: str, data: bytes) -> None:
        """One of the timer's times, in milliseconds."""
        setattr(self, name, number_in(text_of(data)))
        self.changed()
