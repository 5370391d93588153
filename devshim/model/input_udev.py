"""What kind of input device udev takes a device for (systemd's src/udev/udev-builtin-input_id.c)."""

from __future__ import annotations

from devshim.model import input_codes as codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.model.input_description import InputDescription

FULL_KEYBOARD = set(range(1, 32))  # ESC, the digits, Q to D
JOYSTICK_BUTTONS = {
    *range(codes.BTN_JOYSTICK, codes.BTN_DIGI),
    *range(codes.BTN_TRIGGER_HAPPY1, codes.BTN_TRIGGER_HAPPY40 + 1),
    *range(codes.BTN_DPAD_UP, codes.BTN_DPAD_RIGHT + 1),
}
JOYSTICK_AXES = set(range(codes.ABS_RX, codes.ABS_PRESSURE))
OTHER_KEYS = {
    *range(1, codes.BTN_MISC),
    *range(codes.KEY_OK, codes.BTN_DPAD_UP),
    *range(codes.KEY_ALS_TOGGLE, codes.BTN_TRIGGER_HAPPY1),
}


def kinds(device: InputDescription) -> list[str]:
    """The ID_INPUT_* properties that udev sets, besides ID_INPUT itself."""
    keys = device.supported.get(codes.EV_KEY, set())
    found = pointer_kinds(device, keys)
    if found == ["ID_INPUT_ACCELEROMETER"]:
        return found
    if keys & OTHER_KEYS:
        found.append("ID_INPUT_KEY")
    if keys >= FULL_KEYBOARD:
        found.append("ID_INPUT_KEYBOARD")
    if codes.EV_SW in device.supported:
        found.append("ID_INPUT_SWITCH")
    return found


def pointer_kinds(device: InputDescription, keys: set[int]) -> list[str]:
    """What it is by its axes and buttons."""
    properties = set(device.properties)
    axes, relative = device.supported.get(codes.EV_ABS, set()), device.supported.get(codes.EV_REL, set())
    flat = {codes.ABS_X, codes.ABS_Y} <= axes
    if codes.INPUT_PROP_ACCELEROMETER in properties or (not keys and flat and codes.ABS_Z in axes):
        return ["ID_INPUT_ACCELEROMETER"]
    found = surface_kinds(keys, axes, properties) if flat or touches(axes) else set()
    buttons = bool(keys & set(range(codes.BTN_MOUSE, codes.BTN_JOYSTICK)))
    moves = {codes.REL_X, codes.REL_Y} <= relative
    if buttons and not found and (moves or not flat):
        found.add("ID_INPUT_MOUSE")
    if codes.INPUT_PROP_POINTING_STICK in properties:
        found.add("ID_INPUT_POINTINGSTICK")
    if not found and relative & {codes.REL_WHEEL, codes.REL_HWHEEL} and not moves:
        found.add("ID_INPUT_KEY")
    if not flat and not touches(axes) and keys & JOYSTICK_BUTTONS:
        found.add("ID_INPUT_JOYSTICK")
    return sorted(found)


def touches(axes: set[int]) -> bool:
    """Whether it tells fingers apart; who has every axis does not mean it."""
    every = {codes.ABS_MT_SLOT - 1, codes.ABS_MT_SLOT} <= axes
    return {codes.ABS_MT_POSITION_X, codes.ABS_MT_POSITION_Y} <= axes and not every


def surface_kinds(keys: set[int], axes: set[int], properties: set[int]) -> set[str]:
    """What kind of surface, or stick, has these axes."""
    direct = codes.INPUT_PROP_DIRECT in properties
    pen = codes.BTN_TOOL_PEN in keys
    if codes.BTN_STYLUS in keys or pen:
        pad = {codes.BTN_0, codes.BTN_1} <= keys and not pen
        return {"ID_INPUT_TABLET", *(["ID_INPUT_TABLET_PAD"] if pad else [])}
    if codes.BTN_TOOL_FINGER in keys and not direct:
        return {"ID_INPUT_TOUCHPAD"}
    if keys & set(range(codes.BTN_MOUSE, codes.BTN_JOYSTICK)):
        return {"ID_INPUT_MOUSE"}
    if codes.BTN_TOUCH in keys or direct:
        return {"ID_INPUT_TOUCHSCREEN"}
    if keys & JOYSTICK_BUTTONS or axes & JOYSTICK_AXES:
        return {"ID_INPUT_JOYSTICK"}
    return set()
