"""Every number, size and offset that devshim knows of the kernel's ioctls is what this machine's headers say."""

import ctypes
import importlib
import re
import subprocess
from collections.abc import Iterator

import pytest

from devshim.known import modules
from devshim.model.argument import is_array, is_pointer, is_record
from devshim.model.description import Description
from devshim.trace.layout import fields

HEADERS = {
    "block": "linux/fs.h linux/blkpg.h linux/blkzoned.h linux/hdreg.h linux/loop.h linux/mmc/ioctl.h",
    "clocks": "linux/rtc.h linux/pps.h linux/ptp_clock.h",
    "console": "linux/kd.h linux/vt.h asm/ioctls.h",
    "entropy": "linux/random.h linux/rfkill.h",
    "framebuffer": "linux/fb.h",
    "gpio": "linux/gpio.h",
    "hid": "linux/hidraw.h",
    "i2c": "linux/i2c.h linux/i2c-dev.h",
    "industrial": "linux/iio/buffer.h linux/iio/events.h",
    "input": "linux/input.h linux/uinput.h",
    "ipmi": "linux/ipmi.h",
    "joystick": "linux/joystick.h",
    "kvm": "linux/kvm.h",
    "media": "linux/media.h linux/v4l2-subdev.h",
    "mtd": "mtd/mtd-abi.h",
    "parallel": "sys/time.h linux/ppdev.h linux/lp.h",
    "ppp": "sys/time.h linux/filter.h linux/ppp_defs.h linux/ppp-ioctl.h",
    "nvme": "sys/uio.h linux/nvme_ioctl.h",
    "remote": "linux/lirc.h linux/cec.h",
    "scsi": "scsi/sg.h scsi/scsi_ioctl.h linux/bsg.h linux/cdrom.h",
    "sound": "sound/asound.h",
    "spi": "linux/spi/spidev.h",
    "tape": "linux/mtio.h",
    "terminal": "asm/termbits.h asm/termios.h asm/ioctls.h linux/serial.h linux/sockios.h",
    "tun": "linux/if.h linux/if_tun.h linux/filter.h linux/sockios.h",
    "usb": "linux/usbdevice_fs.h linux/hiddev.h",
    "v4l2": "linux/videodev2.h",
    "watchdog": "linux/watchdog.h",
}

#: Requests that older headers do not have, and those that take an argument: the macro's, with one that fits.
ARGUMENTS = {
    "JSIOCGNAME": "(0)",
    "SPI_IOC_MESSAGE": "(0)", "UI_GET_SYSNAME": "(0)", "EVIOCGBIT": "(0, 0)", "EVIOCGABS": "(0)", "EVIOCSABS": "(0)",
    **dict.fromkeys([f"EVIOCG{name}" for name in ("NAME", "PHYS", "UNIQ", "PROP", "MTSLOTS")], "(0)"),
    **dict.fromkeys([f"EVIOCG{name}" for name in ("KEY", "LED", "SND", "SW")], "(0)"),
    **dict.fromkeys([f"HIDIOCGRAW{name}" for name in ("NAME", "PHYS", "UNIQ")], "(0)"),
    **dict.fromkeys([f"HIDIOC{way}{name}" for way in "SG" for name in ("FEATURE", "INPUT", "OUTPUT")], "(0)"),
}  # fmt: skip
#: EVIOCGABS takes its size from a structure; the kernel takes any.
SIZED = {"EVIOCGABS": "0xFFFFU & ", "EVIOCSABS": "0xFFFFU & "}


def described(module: str) -> list[Description]:
    found = importlib.import_module(f"devshim.known.{module}")
    return list(dict.fromkeys([*found.DESCRIPTIONS, *getattr(found, "BSG", ())]))


def records(ctype: object, seen: dict[object, None]) -> None:
    """Put a ctype, and all that it holds or leads to, among seen where it is a structure or union."""
    if is_pointer(ctype):
        records(ctype.description.element, seen)  # type: ignore[attr-defined]
    elif is_array(ctype):
        records(ctype._type_, seen)  # type: ignore[attr-defined]
    elif is_record(ctype) and ctype not in seen:
        seen[ctype] = None
        for member in fields(ctype):  # type: ignore[arg-type]
            records(member.ctype, seen)


def tag(ctype: type) -> str:
    """What C calls a structure: "struct i2c_msg"; "" where it has no name there."""
    name = getattr(ctype, "c_name", None)
    if name is None:
        found = re.match(r"(struct|union) (\w+)", ctype.__doc__ or "")
        return found[0] if found else ""
    return f"{'union' if issubclass(ctype, ctypes.Union) else 'struct'} {name}" if name else ""


def checks(ctype: type) -> Iterator[str]:
    """C's own words for what a structure is said to be."""
    name = tag(ctype)
    if not name:
        return
    yield f'_Static_assert(sizeof({name}) == {ctypes.sizeof(ctype)}, "size of {name}");'
    for path, offset in paths(ctype, "", 0):
        yield f'_Static_assert(__builtin_offsetof({name}, {path}) == {offset}, "{name}.{path}");'


#: Members that bit-fields of C were read as one of, those of our own making, and those that another name stands for.
OURS = {"adr_ctrl", "vectors", "raw", "__pad", "rest", "raw_data", "data_in"}
BIT_FIELDS = {
    "struct snd_interval.flags",
    "struct snd_ctl_elem_value.indirect",
    "struct snd_rawmidi_params.no_active_sensing",
}


def paths(ctype: type, path: str, at: int) -> Iterator[tuple[str, int]]:
    for member in fields(ctype):
        if member.name in OURS or f"{tag(ctype)}.{member.name}" in BIT_FIELDS:
            continue
        unnamed = member.name in getattr(ctype, "_anonymous_", ())
        inner = path if unnamed else f"{path}.{member.name}".lstrip(".")
        if not unnamed:
            yield inner, at + member.offset
        if is_record(member.ctype) and not tag(member.ctype):
            yield from paths(member.ctype, inner, at + member.offset)


def request_check(one: Description) -> str:
    name = one.label
    less, macro = SIZED.get(name, ""), name + ARGUMENTS.get(name, "")
    return f'_Static_assert(({less}{macro}) == ({less}{one.number:#x}U), "{name}");'


@pytest.mark.parametrize("module", modules())
def test_the_headers_agree(module, tmp_path):
    seen: dict[object, None] = {}
    for one in described(module):
        records(one.ctype, seen)
    lines = ["#include <stddef.h>", "#include <sys/types.h>", "#include <stdint.h>", "#include <linux/ioctl.h>"]
    lines += [f"#include <{header}>" for header in HEADERS[module].split()]
    lines += [line for ctype in seen for line in checks(ctype)]
    lines += [request_check(one) for one in described(module)]
    source = tmp_path / "check.c"
    source.write_text("\n".join(lines) + "\n")

    outcome = subprocess.run(
        ["cc", "-w", "-fsyntax-only", "-D_GNU_SOURCE", str(source)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert outcome.stderr == ""
