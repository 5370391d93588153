"""wire.h and its twins in Python say the same: every structure, every offset, every constant."""

import ctypes
import os
import re
import struct
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
from harness import ROOT

from devshim.host import segments, structures, table, wire

HEADER = ROOT / "devshim/shim/wire.h"
STRUCTURES = {
    "registry": structures.Registry,
    "node": structures.Node,
    "device": structures.DeviceEntry,
    "carrier": structures.Carrier,
    "bell": structures.Bell,
    "ring": structures.Ring,
    "hello_request": structures.HelloRequest,
    "hello_answer": structures.HelloAnswer,
}
PACKED = {
    "ioctl_table": (table.TABLE, "exact patterns pointers lengths"),
    "ioctl_entry": (table.ENTRY, "request mask size flags pointers first_pointer place"),
    "ioctl_pointer": (
        table.POINTER,
        "parent offset element flags width length_kind length length_offset length_width length_count "
        "when_offset when_width when_first when_last",
    ),
    "record": (
        wire.RECORD,
        "state length kind call number time process thread file device flags error data new_file first second third",
    ),
    "registry": (
        wire.REGISTRY,
        "magic version ready flags host_pid changes root_length declared nodes_at carriers_at devices_at text_at "
        "text_used roots present apart moves behind",
    ),
    "node": (wire.NODE, "kind hash path length directory device"),
    "device": (wire.DEVICE, "flags mode rdev path ioctls record gone"),
    "carrier": (wire.CARRIER, "inode dev born device file access tag"),
    "hello_request": (wire.HELLO_REQUEST, "magic version what abi flags mode ticket length thread inode channel"),
    "hello_answer": (wire.HELLO_ANSWER, "magic error flags file device device_flags tag"),
    "segments": (segments.SEGMENTS, "count kept"),
    "kept": (segments.KEPT, "address length next"),
    "segment": (segments.SEGMENT, "at length flags from to reserved"),
}
OTHER_NAMES = {"MAX_SEGMENTS": "MOST_SEGMENTS"}  # what Python calls a constant of wire.h
PADDING = re.compile(r"pad\d*")


def constants() -> list[str]:
    """The names of all numbers that wire.h defines."""
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.DOTALL)
    names = re.findall(r"^#define (\w+)[ \t]+\S", text, re.MULTILINE)
    for body in re.findall(r"enum \w+ \{(.*?)\}", text, re.DOTALL):
        names += re.findall(r"(\w+)\s*(?:=[^,]*)?(?:,|$)", body.strip())
    return names


def members() -> list[tuple[str, str]]:
    """(structure, member) of all that Python has a twin of."""
    found = [
        (name, field[0])
        for name, kind in STRUCTURES.items()
        for field in kind._fields_
        if not PADDING.fullmatch(field[0])
    ]
    return found + [(name, member) for name, (_, names) in PACKED.items() for member in names.split()]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """What the C compiler makes of wire.h: "NAME", "sizeof NAME" and "NAME.MEMBER" with its offset and size."""
    folder = tmp_path_factory.mktemp("wire")
    lines = [f'P("{name}", (unsigned long long)({name}))' for name in constants()]
    lines += [f'P("sizeof {name}", sizeof(struct {name}))' for name in (*STRUCTURES, *PACKED, "slot", "channel")]
    lines += [f'P("{name}.{member}", offsetof(struct {name}, {member}))' for name, member in members()]
    lines += [f'P("sizeof {name}.{member}", sizeof(((struct {name} *)0)->{member}))' for name, member in members()]
    lines += ['P("slot.data", offsetof(struct slot, data))']
    source = folder / "wire.c"
    source.write_text(
        f'#include <stddef.h>\n#include <stdio.h>\n#include "{HEADER}"\n'
        '#define P(name, value) printf("%s=%llu\\n", name, '
        f"(unsigned long long)(value));\nint main(void)\n{{\n{chr(10).join(lines)}\nreturn 0;\n}}\n"
    )
    compiler = os.environ.get("CC", "cc").split()
    subprocess.run([*compiler, "-o", folder / "wire", source], check=True, timeout=60)
    printed = subprocess.run([folder / "wire"], capture_output=True, text=True, check=True, timeout=60).stdout
    return {name: int(value) for name, _, value in (line.partition("=") for line in printed.splitlines())}


def places(layout: struct.Struct, names: str) -> dict[str, tuple[int, int]]:
    """(offset, size) of each member of a packed structure."""
    codes = re.findall(r"(\d*)([a-zA-Z])", layout.format.lstrip("<"))
    each = [one for count, code in codes for one in ([count + code] if code == "s" else [code] * int(count or 1))]
    return {
        name: (struct.calcsize("<" + "".join(each[:index])), struct.calcsize("<" + each[index]))
        for index, name in enumerate(names.split())
    }


def test_structures_have_the_same_layout(compiled: dict[str, int]) -> None:
    for name, kind in STRUCTURES.items():
        assert ctypes.sizeof(kind) == compiled[f"sizeof {name}"], name
        for field in kind._fields_:
            if not PADDING.fullmatch(field[0]):
                place = getattr(kind, field[0])
                assert (place.offset, place.size) == (
                    compiled[f"{name}.{field[0]}"],
                    compiled[f"sizeof {name}.{field[0]}"],
                ), field


def test_packed_structures_have_the_same_layout(compiled: dict[str, int]) -> None:
    for name, (layout, names) in PACKED.items():
        assert layout.size == compiled[f"sizeof {name}"], name
        for member, place in places(layout, names).items():
            assert place == (compiled[f"{name}.{member}"], compiled[f"sizeof {name}.{member}"]), f"{name}.{member}"


@pytest.mark.parametrize("module", [wire, table, segments], ids=lambda module: module.__name__)
def test_constants_have_the_same_value(compiled: dict[str, int], module: ModuleType) -> None:
    names = [(name, OTHER_NAMES.get(name, name)) for name in constants()]
    twins = {name: getattr(module, ours) for name, ours in names if hasattr(module, ours)}

    assert twins
    assert twins == {name: compiled[name] for name in twins}


def test_every_number_of_wire_py_is_one_of_wire_h() -> None:
    ours = {name for name, value in vars(wire).items() if isinstance(value, int) and name.isupper()}

    assert ours - set(constants()) == {"BELL_SIZE", "NO_PLACE"}


def test_a_slots_head_leaves_its_data_where_both_sides_look(compiled: dict[str, int]) -> None:
    assert compiled["slot.data"] == compiled["SLOT_HEAD"]
    assert compiled["sizeof bell"] <= wire.BELL_SIZE
    assert compiled["sizeof channel"] <= wire.CHANNEL_HEAD


def test_a_change_of_the_header_is_noticed() -> None:
    """The version is checked at each bootstrap; this is only to have the file that the compiler saw."""
    assert Path(HEADER).read_text().count("#define WIRE_VERSION") == 1
