"""devshim devices: lists what can be plugged by name, or explains one device with its parameters."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

from devshim import catalogue, modelclass
from devshim.cli.options import wrong
from devshim.errors import DevshimError

HELP = "list the devices of the catalogue, or explain one"

USAGE = """\
usage: devshim devices [NAME]

Without NAME: what can be plugged by name, here and from other packages.
With NAME: what that device is, and its parameters.  NAME may also be file.py, file.py:Class,
package.module:Class or file.yml.

example:
  devshim devices tmp102
"""

MOST_COLUMNS = 100

#: Programs that show that such a device is there.
PROGRAMS = {
    "Serial": "cat {node}",
    "I2cChip": "i2cdetect -y 1",
    "GpioChip": "gpioinfo",
    "SpiChip": "spi-config -q -d {node}",
    "Input": "evtest {node}",
    "Iio": "iio_info",
    "Hwmon": "sensors",
    "Led": "ls /sys/class/leds",
    "Backlight": "brightnessctl",
    "PwmChip": "ls /sys/class/pwm",
    "UsbDevice": "lsusb",
    "UsbComposite": "lsusb",
}


#: Parameters that say which product it is: nobody sets these first.
IDENTITY = ("address", "bus", "vendor", "vendor_id", "product", "product_id", "version", "max_speed_hz")


class Entry(NamedTuple):
    """One line of the list."""

    name: str
    kind: str
    what: str


def main(words: list[str]) -> int:
    """Do what the words behind `devshim devices` ask for; return the exit code.

    Raises UsageError for a wrong command line, SpecError for a NAME that there is not.
    """
    if any(word in ("-h", "--help") for word in words):
        print(USAGE, end="")
        return 0
    option = next((word for word in words if word.startswith("-")), None)
    if option is not None:
        raise wrong(f"devshim devices has no option {option}")
    if len(words) > 1:
        raise wrong(f"devshim devices explains one device at a time, not {' '.join(words)}")
    print("\n".join(explained(words[0]) if words else listed()))
    return 0


def columns() -> int:
    """How wide the text may be: the terminal's width, at most 100; 100 where there is no terminal."""
    if not sys.stdout.isatty():
        return MOST_COLUMNS
    return min(MOST_COLUMNS, shutil.get_terminal_size((MOST_COLUMNS, 24)).columns)


def bold(text: str) -> str:
    """Text in bold on a terminal, unless NO_COLOR is set (no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty()
    return text if plain else f"\033[1m{text}\033[0m"


# ---- The list ---------------------------------------------------------------------------------------


def listed() -> list[str]:
    """The lines of the list."""
    entries = [entry(name) for name in sorted({*catalogue.names(), *catalogue.entry_points()})]
    name_width = max((len(one.name) for one in entries), default=0)
    kind_width = max((len(one.kind) for one in entries), default=0)
    room = columns() - name_width - kind_width - 4
    lines = [
        f"{bold(one.name)}{'':{name_width - len(one.name)}}  {one.kind:{kind_width}}  {shortened(one.what, room)}"
        for one in entries
    ]
    return [*lines, "", "devshim devices NAME explains one; devshim run -d NODE=NAME -- PROGRAM plugs it."]


def entry(name: str) -> Entry:
    """A name's line; a device that cannot be loaded says so instead of hiding the others."""
    try:
        cls = modelclass.find(name).cls
    except DevshimError as problem:
        return Entry(name, "broken", str(problem))
    return Entry(name, kind_of(cls), summary(cls))


def shortened(text: str, room: int) -> str:
    """Text cut to so many columns."""
    return textwrap.shorten(text, max(room, 20), placeholder=" ...")


def kind_of(cls: type[Any]) -> str:
    """Which of our own classes a device is derived from: Serial, I2cChip, Device, ..."""
    for base in cls.__mro__:
        if base.__module__.startswith("devshim.model.") and not base.__module__.startswith("devshim.model.scripted"):
            return base.__name__
    return cls.__name__


def texts(cls: type[Any]) -> list[str]:
    """What the file and the class say about the device, without what the class only inherited."""
    module = sys.modules.get(cls.__module__)
    ours = cls.__module__.startswith("devshim.model.")
    found = [None if ours else getattr(module, "__doc__", None), cls.__dict__.get("__doc__")]
    return [textwrap.dedent(" " * 4 + text.strip("\n")).strip() if ours else clean(text) for text in found if text]


def clean(text: str) -> str:
    """A docstring without its indentation."""
    import inspect

    return inspect.cleandoc(text)


def summary(cls: type[Any]) -> str:
    """The first sentence about a device."""
    said = texts(cls)
    if not said:
        return ""
    paragraph = " ".join(said[0].split("\n\n")[0].split())
    return re.split(r"(?<=[.;])\s", paragraph, maxsplit=1)[0].rstrip(".;")


# ---- One device -------------------------------------------------------------------------------------


def explained(name: str) -> list[str]:
    """The lines about one device.  Raises SpecError where there is none of that name."""
    model = modelclass.find(name)
    cls = model.cls
    lines = [bold(name), ""]
    for text in texts(cls):
        lines += [*wrapped(text), ""]
    own, inherited = parameters(cls)
    if own:
        lines += ["parameters:", *table(cls, own), ""]
    if inherited:
        lines += [f"parameters of every {kind_of(cls)}:", *table(cls, inherited), ""]
    return [*lines, "example:", f"  {example(name, cls, own or inherited)}"]


def wrapped(text: str) -> list[str]:
    """Text within the columns; lines that are indented, or short enough, stay as they are."""
    return [
        part
        for line in text.splitlines()
        for part in (textwrap.wrap(line, columns(), subsequent_indent=" " * (len(line) - len(line.lstrip()))) or [""])
    ]


def parameters(cls: type[Any]) -> tuple[list[Any], list[Any]]:
    """A device's parameters: those that its own file names, and those of our base class alone."""
    own: list[Any] = []
    inherited: list[Any] = []
    for parameter in cls.parameters.values():
        named = any(
            parameter.name in vars(base)
            for base in cls.__mro__
            if not base.__module__.startswith("devshim.model.") or base is cls
        )
        (own if named else inherited).append(parameter)
    return own, inherited


def table(cls: type[Any], shown: list[Any]) -> list[str]:
    """Parameters as rows: name, type, default, and what the file says behind them."""
    rows = [(one.name, type_name(one), default(one), remark(cls, one.name)) for one in shown]
    widths = [max(len(row[at]) for row in rows) for at in range(3)]
    lines = []
    for row in rows:
        head = "  " + "  ".join(f"{cell:{width}}" for cell, width in zip(row[:3], widths, strict=True))
        indent = len(head) + 2 if len(head) < columns() // 2 else 6
        lines += textwrap.wrap(f"{head}  {row[3]}".rstrip(), columns(), subsequent_indent=" " * indent) or [head]
    return lines


def type_name(parameter: Any) -> str:
    """A parameter's type as it is annotated."""
    return parameter.type.__name__ if type(parameter.type) is type else str(parameter.type).replace("typing.", "")


def default(parameter: Any) -> str:
    """A parameter's default, as it would be typed; an address as datasheets write it."""
    if parameter.name == "address" and isinstance(parameter.default, int):
        return hex(parameter.default)
    if isinstance(parameter.default, bool):
        return str(parameter.default).lower()
    return parameter.default if isinstance(parameter.default, str) else repr(parameter.default)


def remark(cls: type[Any], name: str) -> str:
    """The comment behind a parameter in the device's file (Python or YAML), or the #: line above it; else nothing."""
    for base in cls.__mro__:
        file = source_of(base)
        if file is None or name not in vars(base):
            continue
        above = ""
        for line in file.read_text("utf-8", "replace").splitlines():
            match = re.fullmatch(rf"\s+{name}\s*:\s*[^#]*?(?:#\s*(.*))?", line)
            if match:
                return match[1] or above
            stripped = line.strip()
            above = stripped[2:].strip() if stripped.startswith("#:") else ""
    return ""


def source_of(cls: type[Any]) -> Path | None:
    """The file that a class stands in."""
    file = vars(cls).get("_file") or getattr(sys.modules.get(cls.__module__), "__file__", None)
    return Path(file) if file and Path(file).is_file() else None


def example(name: str, cls: type[Any], shown: list[Any]) -> str:
    """A line that can be pasted."""
    stem = re.sub("[^a-z0-9]", "", Path(name).stem.lower())
    node = getattr(cls, "usual_node", "") or f"/dev/{stem}0"
    program = PROGRAMS.get(kind_of(cls), "PROGRAM").format(node=node)
    numbers = [one for one in shown if type(one.default) in (int, float) and one.name not in IDENTITY]
    # What it measures is a float, more often than not.
    chosen = next((one for one in numbers if type(one.default) is float), numbers[0] if numbers else None)
    setting = f",{chosen.name}={default(chosen)}" if chosen is not None else ""
    return f"devshim run -d {node}={name}{setting} -- {program}"
