"""What an input device has: its names and numbers, keys, axes, LEDs, and what the kernel makes of them."""

from __future__ import annotations

import re
import stat
from functools import cached_property

from devshim.model import input_codes as codes
from devshim.model.device import Device
from devshim.model.input_axes import MT_VALUES, Axes, Axis
from devshim.model.input_keymap import Keymap
from devshim.model.input_match import is_joystick, is_mouse
from devshim.model.input_proc import listing
from devshim.model.input_sysfs import companions, surroundings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import ClassVar

    from devshim.model.attribute import Picture
    from devshim.model.companion import Companion

INPUT_MAJOR, EVENT_MINOR, EVENT_MINORS, FIRST_DYNAMIC = 13, 64, 32, 256
EVENTS, JOYSTICKS, MICE = 1 << 16, 2 << 16, 3 << 16  # minors of names that no kernel gives: event32, js16, mouse31
SHORTEST_QUEUE, QUEUED_REPORTS = 64, 8  # EVDEV_MIN_BUFFER_SIZE, EVDEV_BUF_PACKETS


class InputDescription(Device):
    """The declarations of an input device."""

    name: str = "devshim input device"
    phys: str = ""  # where it is plugged in, as "usb-0000:00:14.0-1/input0"; empty: not known
    uniq: str = ""  # its serial number; empty: none
    bus: int = codes.BUS_VIRTUAL
    vendor: int = 0
    product: int = 0
    version: int = 0

    #: EV_KEY: keys and buttons; those of the keymap are added.
    keys: ClassVar[Iterable[int]] = ()
    #: Keys by scancode: scan() reports both, and programs may change the keys.
    keymap: ClassVar[Mapping[int, int]] = {}
    #: EV_REL, EV_ABS, EV_MSC, EV_SW, EV_LED, EV_SND.
    relative: ClassVar[Iterable[int]] = ()
    axes: ClassVar[Mapping[int, Axis]] = {}
    misc: ClassVar[Iterable[int]] = ()
    switches: ClassVar[Iterable[int]] = ()
    leds: ClassVar[Iterable[int]] = ()
    sounds: ClassVar[Iterable[int]] = ()
    #: INPUT_PROP_*.
    properties: ClassVar[Iterable[int]] = ()
    #: EV_REP: keys that stay down are repeated.
    repeat: ClassVar[bool] = False
    #: EV_FF: effects, waveforms, FF_GAIN, FF_AUTOCENTER; and how many effects are stored (0: 16, if it has any).
    effects: ClassVar[Iterable[int]] = ()
    max_effects: ClassVar[int] = 0
    #: The most events in one report (0: estimated from the above, as the kernel does); queues have room for eight.
    report_size: ClassVar[int] = 0

    mode: ClassVar[int] = stat.S_IFCHR | 0o660

    @cached_property
    def positions(self) -> Axes:
        """The absolute axes: limits, and where they stand."""
        return Axes(self.axes)

    @cached_property
    def scancodes(self) -> Keymap:
        """The keymap as programs have changed it."""
        return Keymap(self.keymap)

    @cached_property
    def supported(self) -> dict[int, set[int]]:
        """The codes of each type; a type that is not there does not exist on this device."""
        found = {
            codes.EV_SYN: {codes.SYN_REPORT, codes.SYN_CONFIG, codes.SYN_MT_REPORT},
            codes.EV_KEY: {*self.keys, *self.keymap.values()} - {codes.KEY_RESERVED},
            codes.EV_REL: {*self.relative},
            codes.EV_ABS: {*self.axes},
            codes.EV_MSC: {*self.misc},
            codes.EV_SW: {*self.switches},
            codes.EV_LED: {*self.leds},
            codes.EV_SND: {*self.sounds},
            codes.EV_REP: {codes.REP_DELAY, codes.REP_PERIOD} if self.repeat else set(),
            codes.EV_FF: self.all_effects(),
        }
        return {type: having for type, having in found.items() if having or (type == codes.EV_FF and self.max_effects)}

    def all_effects(self) -> set[int]:
        """The effects that programs may upload: where it plays periodic ones, rumble as well (input_ff_create)."""
        return {*self.effects, *({codes.FF_RUMBLE} if codes.FF_PERIODIC in self.effects else ())}

    @cached_property
    def most_events(self) -> int:
        """The most events of one report (input_estimate_events_per_packet)."""
        touches = 0
        if codes.ABS_MT_SLOT in self.axes:
            touches = self.axes[codes.ABS_MT_SLOT].maximum + 1
        elif codes.ABS_MT_TRACKING_ID in self.axes:
            ids = self.axes[codes.ABS_MT_TRACKING_ID]
            touches = max(2, min(32, ids.maximum - ids.minimum + 1))
        elif codes.ABS_MT_POSITION_X in self.axes:
            touches = 2
        axes = sum(touches if code == codes.ABS_MT_SLOT or code in MT_VALUES else 1 for code in self.axes)
        return max(self.report_size, touches + 1 + axes + len({*self.relative}) + 7)  # 7: keys and MSC

    def queue_size(self) -> int:
        """Events that an open has room for: a power of two (evdev_compute_buffer_size)."""
        return 1 << (max(self.most_events * QUEUED_REPORTS, SHORTEST_QUEUE) - 1).bit_length()

    def numbers(self, node: str) -> tuple[int | None, int | None]:
        """13:64 and on for event0 to event31; later ones carry their minor in their name (evdev_connect)."""
        trailing = re.search(r"event(\d+)$", node)
        if trailing is None:
            return INPUT_MAJOR, None
        number = int(trailing[1])
        if EVENT_MINORS <= number < FIRST_DYNAMIC:
            return INPUT_MAJOR, EVENTS + number
        return INPUT_MAJOR, number + EVENT_MINOR if number < EVENT_MINORS else number

    def _companions(self, node: str) -> Mapping[str, Companion]:
        """The nodes of the old interfaces that the kernel gives it, too."""
        found: dict[str, Companion] = {}
        match = re.fullmatch(r"/dev/input/event(\d+)", node)
        if match is None:
            return found
        if is_mouse(self):
            from devshim.model.mouse import MICE, Mice, Mouse

            mouse = found["/dev/input/mouse*"] = Mouse(self)  # type: ignore[arg-type]
            found[MICE] = Mice(mouse)
        if is_joystick(self):
            from devshim.model.joystick import Joystick

            found["/dev/input/js*"] = Joystick(self)  # type: ignore[arg-type]
        return {**found, **companions(self, int(match[1]))}

    def surroundings(self, node: str, major: int, minor: int) -> Picture:
        """What /sys, /proc and udev's database show of it."""
        around = surroundings(self, node, major, minor)
        return {**around, **listing(self, InputDescription)} if around else around
