"""Backlight: the light behind a screen (Documentation/ABI/stable/sysfs-class-backlight)."""

from __future__ import annotations

from devshim.model.setting import Setting, attribute, number_in
from devshim.model.sysfs_device import SysfsDevice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, Literal


class Backlight(SysfsDevice):
    """A backlight, plugged at /sys/class/backlight/NAME: `-d /sys/class/backlight/intel_backlight=...`.

    level           how bright it is, from 0 to max_brightness
    max_brightness  how bright it can be
    kind            what controls it: what the file `type` says
    """

    usual_node: ClassVar[str] = "/sys/class/backlight/panel"

    level: int = 255
    max_brightness: int = 255
    kind: Literal["raw", "platform", "firmware"] = "raw"

    subsystem = "backlight"

    #: FB_BLANK_*: 0 is on, 4 is off.
    bl_power = Setting(0, 0, 4)

    def changed(self) -> None:
        """The program has set another brightness or power; for classes to override."""

    @bl_power.written
    def power_set(self) -> None:
        """The program has blanked the screen, or the contrary."""
        self.changed()

    @attribute
    def brightness(self) -> int:
        """What the program has asked for."""
        return self.level

    @brightness.written
    def set_brightness(self, text: str) -> None:
        """More than there is is EINVAL (backlight_device_set_brightness)."""
        wanted = number_in(text)
        if not 0 <= wanted <= self.max_brightness:
            raise ValueError(f"{wanted} is not from 0 to {self.max_brightness}")
        self.level = wanted
        self.changed()

    @attribute
    def actual_brightness(self) -> int:
        """What it is: 0 where the screen is blanked."""
        return 0 if self.bl_power else self.level

    @attribute("max_brightness")
    def brightest(self) -> int:
        """What the program sees of max_brightness."""
        return self.max_brightness

    @attribute("type")
    def controlled_by(self) -> str:
        """What the program sees of kind."""
        return self.kind
