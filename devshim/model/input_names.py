"""What people call an event: KEY_A, ABS_X."""

from __future__ import annotations

from functools import cache

from devshim.model import input_codes

#: How the names of a type's codes begin; where a number has two names, the first that the header defines.
PREFIXES = {
    input_codes.EV_SYN: ("SYN_",),
    input_codes.EV_KEY: ("KEY_", "BTN_"),
    input_codes.EV_REL: ("REL_",),
    input_codes.EV_ABS: ("ABS_",),
    input_codes.EV_MSC: ("MSC_",),
    input_codes.EV_SW: ("SW_",),
    input_codes.EV_LED: ("LED_",),
    input_codes.EV_SND: ("SND_",),
    input_codes.EV_REP: ("REP_",),
    input_codes.EV_FF: ("FF_",),
}


@cache
def code_names(type: int) -> dict[int, str]:
    """The names of all codes of a type."""
    names: dict[int, str] = {}
    for name, value in vars(input_codes).items():
        if name.startswith(PREFIXES.get(type, ())) and not name.endswith(("_MAX", "_CNT")):
            names.setdefault(value, name)
    return names


@cache
def type_names() -> dict[int, str]:
    """The names of the types."""
    found = {value: name for name, value in vars(input_codes).items() if name.startswith("EV_")}
    return {value: name for value, name in found.items() if not name.endswith(("_MAX", "_CNT"))}


def code_name(type: int, code: int) -> str:
    """The name of a code, or its type and number where it has none."""
    return code_names(type).get(code, f"{type_names().get(type, type)} {code:#x}")
