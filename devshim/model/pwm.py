"""PwmChip: channels that programs export and set (Documentation/driver-api/pwm.rst, drivers/pwm/sysfs.c)."""

from __future__ import annotations

import errno

from devshim.model.attribute import Attribute
from devshim.model.setting import number_in, text_of
from devshim.model.sysfs import Files, in_class
from devshim.model.sysfs_device import SysfsDevice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, ClassVar

POLARITIES = ("normal", "inversed")


class Channel:
    """One channel of a chip: times in nanoseconds, as the program has set them."""

    def __init__(self) -> None:
        self.exported = False
        self.period = self.duty_cycle = 0
        self.enabled = False
        self.polarity = "normal"

    @property
    def duty(self) -> float:
        """The part of the time in which it is active: 0 to 1."""
        return self.duty_cycle / self.period if self.enabled and self.period else 0.0


class PwmChip(SysfsDevice):
    """A chip with channels, plugged at /sys/class/pwm/pwmchipN; `chip.channels[0].duty` is what a program has set.

    number_of_channels  what the file npwm says
    """

    usual_node: ClassVar[str] = "/sys/class/pwm/pwmchip0"

    number_of_channels: int = 1

    subsystem = "pwm"

    def setup(self) -> None:
        """Make the channels."""
        self.channels = [Channel() for _ in range(self.number_of_channels)]

    def changed(self, channel: int) -> None:
        """A program has set a channel; for classes to override."""

    def files(self) -> Mapping[str, Any]:
        """The chip's own files."""
        return {
            "npwm": f"{len(self.channels)}\n".encode(),
            "export": Attribute(None, lambda data: self.export(data, True)),
            "unexport": Attribute(None, lambda data: self.export(data, False)),
        }

    def export(self, data: bytes, exported: bool) -> None:
        """Let the directory of a channel be there, or not: EBUSY and ENODEV as in sysfs.c."""
        number = number_in(text_of(data))
        if not 0 <= number < len(self.channels):
            raise OSError(errno.ENODEV, "no such channel")
        if self.channels[number].exported == exported:
            raise OSError(errno.EBUSY if exported else errno.ENODEV, "nothing would change")
        self.channels[number].exported = exported
        if not exported:
            self.channels[number].enabled = False
            self.changed(number)
        self.surroundings_changed()

    def surroundings(self, node: str, major: int, minor: int) -> Mapping[str, Any]:
        """The chip, and a directory for each channel that a program has exported."""
        found: Files = dict(super().surroundings(node, major, minor))
        name = node.rpartition("/")[2]
        here = f"/sys/devices/platform/{self.platform_name(name)}/pwm/{name}"
        for number, channel in enumerate(self.channels):
            if channel.exported:
                found |= self.channel_files(f"{here}/pwm{number}", number, channel)
        return found

    def channel_files(self, here: str, number: int, channel: Channel) -> Files:
        """The directory of one channel."""
        links = {path: to for path, to in in_class(here, "pwm").items() if path.startswith(here)}
        return {
            f"{here}/uevent": b"",
            **links,
            f"{here}/period": self.time(number, channel, "period"),
            f"{here}/duty_cycle": self.time(number, channel, "duty_cycle"),
            f"{here}/enable": Attribute(lambda: channel.enabled, self.storing(number, channel, self.enable)),
            f"{here}/polarity": Attribute(lambda: channel.polarity, self.storing(number, channel, self.invert)),
        }

    def time(self, number: int, channel: Channel, name: str) -> Attribute:
        """One of the two times; a pulse longer than its period is EINVAL (pwm_apply_state)."""

        def store(channel: Channel, text: str) -> None:
            wanted = number_in(text)
            times = {"period": channel.period, "duty_cycle": channel.duty_cycle, name: wanted}
            if wanted < 0 or times["duty_cycle"] > times["period"] or not times["period"]:
                raise ValueError(f"{name} of {wanted} ns does not fit")
            setattr(channel, name, wanted)

        return Attribute(lambda: getattr(channel, name), self.storing(number, channel, store))

    def storing(self, number: int, channel: Channel, store: Callable[[Channel, str], None]) -> Callable[[bytes], None]:
        """What stores a text, and tells the class."""

        def stored(data: bytes) -> None:
            store(channel, text_of(data))
            self.changed(number)

        return stored

    def enable(self, channel: Channel, text: str) -> None:
        """0 or 1; without a period it is EINVAL."""
        wanted = number_in(text)
        if wanted not in (0, 1) or (wanted and not channel.period):
            raise ValueError(f"{text!r}: 0 or 1, and a period first")
        channel.enabled = bool(wanted)

    def invert(self, channel: Channel, text: str) -> None:
        """Choose a polarity; EINVAL while it is enabled."""
        if text not in POLARITIES or (channel.enabled and text != channel.polarity):
            raise ValueError(f"{text!r}: {' or '.join(POLARITIES)}, while it is not enabled")
        channel.polarity = text
