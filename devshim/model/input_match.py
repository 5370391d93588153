"""Which input devices have nodes of the old interfaces, too: the rules of drivers/input/joydev.c and mousedev.c."""

from __future__ import annotations

from devshim.model import input_codes as codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.model.input_description import InputDescription

BUS_AMIGA = 0x16
BTN_TRIGGER_HAPPY = 0x2C0
JOYSTICK_AXES = {codes.ABS_X, codes.ABS_Z, codes.ABS_WHEEL, codes.ABS_THROTTLE}
JOYSTICK_KEYS = {codes.BTN_JOYSTICK, codes.BTN_GAMEPAD, BTN_TRIGGER_HAPPY}
NO_JOYSTICK_KEYS = {codes.BTN_TOUCH, codes.BTN_DIGI}  # touchpads, touchscreens, tablets

#: Pointers of virtual machines and remote consoles: nothing but these (joydev_dev_is_absolute_mouse).
ABSOLUTE_MOUSE = (
    {codes.EV_SYN, codes.EV_KEY, codes.EV_ABS},
    {codes.EV_SYN, codes.EV_KEY, codes.EV_ABS, codes.EV_MSC},
    {codes.EV_SYN, codes.EV_KEY, codes.EV_ABS, codes.EV_MSC, codes.EV_REL},
)
THREE_BUTTONS = {codes.BTN_LEFT, codes.BTN_RIGHT, codes.BTN_MIDDLE}

#: Sticks and pads of Sony whose motion sensors are devices of their own (ACCEL_DEV in joydev_blacklist).
SONY = 0x054C
WITH_SENSORS = {0x0268, 0x05C4, 0x09CC, 0x0BA0, 0x0CE6, 0x0DF2}

#: What a device needs to be a mouse, a wheel, a tablet, a touchpad, or an absolute mouse (mousedev_ids).
MICE: tuple[tuple[set[int], set[int], set[int]], ...] = (
    ({codes.BTN_LEFT}, {codes.REL_X, codes.REL_Y}, set()),
    (set(), {codes.REL_WHEEL}, set()),
    ({codes.BTN_TOUCH}, set(), {codes.ABS_X, codes.ABS_Y}),
    ({codes.BTN_TOOL_FINGER}, set(), {codes.ABS_X, codes.ABS_Y, codes.ABS_PRESSURE, codes.ABS_TOOL_WIDTH}),
    ({codes.BTN_LEFT}, set(), {codes.ABS_X, codes.ABS_Y}),
)  # fmt: skip


def is_joystick(device: InputDescription) -> bool:
    """Whether it has a node /dev/input/jsN (joydev_ids, joydev_match)."""
    keys = device.supported.get(codes.EV_KEY, set())
    axes = device.supported.get(codes.EV_ABS, set())
    if not (axes & JOYSTICK_AXES or keys & JOYSTICK_KEYS) or (keys & NO_JOYSTICK_KEYS):
        return False
    sensors = codes.INPUT_PROP_ACCELEROMETER in device.properties and device.product in WITH_SENSORS
    return not is_absolute_mouse(device, keys, axes) and not (sensors and device.vendor == SONY)


def is_absolute_mouse(device: InputDescription, keys: set[int], axes: set[int]) -> bool:
    """Whether it is a pointer that looks like a joystick."""
    only = set(device.supported) in ABSOLUTE_MOUSE and axes == {codes.ABS_X, codes.ABS_Y} and keys == THREE_BUTTONS
    return only and device.bus != BUS_AMIGA


def is_mouse(device: InputDescription) -> bool:
    """Whether it has a node /dev/input/mouseN, and /dev/input/mice tells of it."""
    keys, relative, axes = (device.supported.get(kind, set()) for kind in (codes.EV_KEY, codes.EV_REL, codes.EV_ABS))
    if not keys:
        return False
    return any(keys >= needed and relative >= moves and axes >= places for needed, moves, places in MICE)
