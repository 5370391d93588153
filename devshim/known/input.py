"""Input devices and programs that play one: linux/input.h, linux/uinput.h."""

from __future__ import annotations

from ctypes import c_char, c_uint8

from devshim.known.record import known, record, sized, trailing, value
from devshim.model import input_abi as abi
from devshim.model.argument import BadDescription
from devshim.model.description import Description, describe
from devshim.model.request import IOR, Request


def of_evdev(request: Request) -> Description:
    """The description of a request; a mask's number says that it only reads, and it holds a pointer."""
    try:
        return describe(request)
    except BadDescription:
        return describe(request, access="rw")


#: Their numbers say a pointer to a number, and evdev.c takes the number itself.
BY_VALUE = (abi.EVIOCGRAB, abi.EVIOCREVOKE, abi.EVIOCRMFF)
EVDEV = [
    value(str(request.name), int(request)) if request in BY_VALUE else of_evdev(request)
    for request in vars(abi).values()
    if isinstance(request, Request)
]

uinput_setup = record("uinput_setup", id=abi.InputId, name="char*80", ff_effects_max="u32")
uinput_abs_setup = record("uinput_abs_setup", code="u16", absinfo=abi.InputAbsinfo)
uinput_ff_upload = record("uinput_ff_upload", request_id="u32", retval="i32", effect=abi.FfEffect, old=abi.FfEffect)
uinput_ff_erase = record("uinput_ff_erase", request_id="u32", retval="i32", effect_id="u32")
bits = {
    "EVBIT": 0x64, "KEYBIT": 0x65, "RELBIT": 0x66, "ABSBIT": 0x67, "MSCBIT": 0x68, "LEDBIT": 0x69, "SNDBIT": 0x6A,
    "FFBIT": 0x6B, "SWBIT": 0x6D, "PROPBIT": 0x6E,
}  # fmt: skip

UINPUT = [
    known("UI_DEV_CREATE", 0x5501),
    known("UI_DEV_DESTROY", 0x5502),
    known("UI_DEV_SETUP", 0x405C5503, uinput_setup),
    known("UI_ABS_SETUP", 0x401C5504, uinput_abs_setup),
    describe(IOR("U", 44, sized(c_uint8)), name="UI_GET_SYSNAME"),
    known("UI_GET_VERSION", 0x8004552D, "u32"),
    *(value(f"UI_SET_{name}", 0x40045500 | nr) for name, nr in bits.items()),
    # Its argument is the text itself, where the number says a pointer to it.
    known(
        "UI_SET_PHYS",
        0x4008556C,
        record(first="u8", rest=trailing(c_char, length="nul", access="w", when=("first", 1, 255))),
        "w",
    ),
    known("UI_BEGIN_FF_UPLOAD", 0xC06855C8, uinput_ff_upload),
    known("UI_END_FF_UPLOAD", 0x406855C9, uinput_ff_upload),
    known("UI_BEGIN_FF_ERASE", 0xC00C55CA, uinput_ff_erase),
    known("UI_END_FF_ERASE", 0x400C55CB, uinput_ff_erase),
]
DESCRIPTIONS = [*EVDEV, *UINPUT]
