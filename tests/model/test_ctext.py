"""Pasted C text becomes ctypes with gcc's own layout, and says where it is wrong."""

from __future__ import annotations

import ctypes
import random
import shutil
import subprocess
from ctypes import c_char, c_int32, c_uint8, c_uint16, c_uint32, c_uint64
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devshim.model.argument import members, steps
from devshim.model.ctext import CNames, CTextError, header, structures
from devshim.model.ioctl import IO, IOR, IOW, IOWR

INCLUDE = Path("/usr/include/linux")
HEADERS = [
    "i2c.h", "i2c-dev.h", "spi/spidev.h", "gpio.h", "input.h", "rtc.h", "watchdog.h", "videodev2.h", "hdreg.h",
    "cdrom.h",
    "usbdevice_fs.h", "nvme_ioctl.h", "ipmi.h", "fb.h", "lirc.h", "serial.h",
]  # fmt: skip
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc compares the layouts: apt install gcc")


def compiled(tmp_path: Path, source: str) -> list[str]:
    """The lines that a C program prints."""
    (tmp_path / "layout.c").write_text(source)
    program = tmp_path / "layout"
    subprocess.run(["gcc", "-w", "-o", program, tmp_path / "layout.c"], check=True, timeout=120)
    return subprocess.run([program], check=True, timeout=60, capture_output=True, text=True).stdout.splitlines()


def probe(names: CNames) -> tuple[list[str], list[str]]:
    """Statements that print sizes, offsets and numbers, and the lines that they should print."""
    statements, expected = [], []
    for tag, made in sorted(names.structures.items()):
        kind = f"{'union' if issubclass(made, ctypes.Union) else 'struct'} {tag}"
        statements.append(f'printf("{tag} %zu\\n", sizeof({kind}));')
        expected.append(f"{tag} {ctypes.sizeof(made)}")
        for name, _, offset, bits in members(made):
            if name.startswith(("_pad", "_gap", "_bits")) or name == "_size":
                continue
            if bits is not None:
                value = made()
                setattr(value, name, -1)
                statements.append(
                    f'{{ {kind} v; memset(&v, 0, sizeof v); v.{name} = -1; show("{tag}.{name}", &v, sizeof v); }}'
                )
                expected.append(f"{tag}.{name} {bytes(value).hex()}")
            elif name not in getattr(made, "_anonymous_", ()):
                statements.append(f'printf("{tag}.{name} %zu\\n", offsetof({kind}, {name}));')
                expected.append(f"{tag}.{name} {offset}")
    for name, number in sorted({**names.constants, **names.requests}.items()):
        statements.append(f'printf("{name} %llx\\n", (unsigned long long)({name}) & 0xffffffff);')
        expected.append(f"{name} {number & 0xFFFFFFFF:x}")
    return statements, expected


PROGRAM = """
#include <stdio.h>
#include <stddef.h>
#include <string.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/ioctl.h>
#include <linux/types.h>
%s
static void show(const char *name, const void *at, size_t size)
{
    printf("%%s ", name);
    for (size_t i = 0; i < size; i++)
        printf("%%02x", ((const unsigned char *)at)[i]);
    printf("\\n");
}
int main(void)
{
%s
    return 0;
}
"""


@needs_gcc
@pytest.mark.parametrize("name", HEADERS)
def test_a_kernel_header_has_the_sizes_offsets_and_numbers_that_gcc_gives_it(name: str, tmp_path: Path) -> None:
    path = INCLUDE / name
    if not path.exists():
        pytest.skip(f"{path} is missing: apt install linux-libc-dev")

    statements, expected = probe(header(path))

    assert len(expected) > 5
    assert compiled(tmp_path, PROGRAM % (f"#include <linux/{name}>", "\n".join(statements))) == expected


def random_record(chance: random.Random, index: int, kinds: list[str]) -> str:
    """One struct or union of random members, packed, aligned or neither."""
    lines = []
    for number in range(chance.randint(1, 7)):
        kind, form = chance.choice(kinds), chance.random()
        if form < 0.35 and not kind.startswith(("struct", "union")):
            bits = chance.randint(1, {"8": 8, "6": 16, "2": 32, "4": 64}[kind[-1]])
            lines.append(f"{kind} m{number} : {bits};")
        elif form < 0.45:
            lines.append(f"{kind} m{number}[{chance.randint(1, 5)}];")
        elif form < 0.55:
            lines.append(f"union {{ {kind} m{number}; __u8 n{number}[3]; }};")
        else:
            lines.append(f"{kind} m{number};")
    ending = chance.choice(["", "", " __attribute__((packed))", " __attribute__((aligned(16)))"])
    return f"{chance.choice(['struct', 'struct', 'struct', 'union'])} r{index} {{ {' '.join(lines)} }}{ending};"


@needs_gcc
def test_random_structures_have_gccs_layout_or_are_refused(tmp_path: Path) -> None:
    chance = random.Random(20240229)
    kinds = ["__u8", "__u16", "__u32", "__u64", "__s8", "__s16", "__s32", "__s64"]
    names, texts, refused = structures(""), [], []
    for index in range(300):
        text = random_record(chance, index, kinds)
        try:
            names = structures(text, known=names)
        except CTextError as problem:
            refused.append(str(problem))
            continue
        texts.append(text)
        if chance.random() < 0.2:
            kinds.append(" ".join(text.split()[:2]))

    statements, expected = probe(names)

    assert compiled(tmp_path, PROGRAM % ("\n".join(texts), "\n".join(statements))) == expected
    assert len(refused) < 30
    assert all("as gcc does" in problem for problem in refused)


def test_a_motor_header_gives_structures_and_requests() -> None:
    motor = structures("""
        #ifndef _MOTOR_H
        #define _MOTOR_H
        #include <linux/types.h>
        enum motor_mode { MOTOR_OFF, MOTOR_ON = 5, MOTOR_FAST = MOTOR_ON << 1 | 1, };
        struct motor_state {            /* where it is */
            __s32 position, speed;
            char name[16];              // as printed
            unsigned a : 3, b : 5;
        };
        typedef struct { uint8_t const x; uint16_t y; } __attribute__((packed)) point_t;
        #define MOTOR_MAGIC 'M'
        #define MOTOR_GET _IOR(MOTOR_MAGIC, 1, struct motor_state)
        #define MOTOR_SET _IOW(MOTOR_MAGIC, 2, int)
        #define MOTOR_XY  _IOWR(MOTOR_MAGIC, 3, point_t)
        #define MOTOR_STOP _IO(MOTOR_MAGIC, 4)
        #define MOTOR_NAME(len) _IOC(_IOC_READ, MOTOR_MAGIC, 5, len)
        #define MOTOR_ALL (~0U)
        static inline int motor_open(const char *path) { if (path) { return -1; } return 0; }
        extern int motor_close(int fd);
        #endif
    """)

    assert issubclass(motor.motor_state, ctypes.Structure)
    assert motor.motor_state(1, -2, b"left").name == b"left"
    assert (motor.MOTOR_OFF, motor.MOTOR_ON, motor.MOTOR_FAST, motor.MOTOR_ALL) == (0, 5, 11, 0xFFFFFFFF)
    assert IOR("M", 1, motor.motor_state) == motor.MOTOR_GET
    assert motor.MOTOR_GET.name == "MOTOR_GET"
    assert IOW("M", 2, c_int32) == motor.MOTOR_SET
    assert IOWR("M", 3, motor.point_t) == motor.MOTOR_XY
    assert ctypes.sizeof(motor.point_t) == 3
    assert IO("M", 4) == motor.MOTOR_STOP
    assert motor.MOTOR_NAME(32) == IOR("M", 5, c_uint8 * 32)


def test_the_pointers_of_a_header_are_described_beside_it() -> None:
    i2c = structures(
        """
        struct i2c_msg { __u16 addr; __u16 flags; __u16 len; __u8 *buf; };
        struct i2c_rdwr_ioctl_data { struct i2c_msg __user *msgs; __u32 nmsgs; };
        """,
        pointers={
            "i2c_msg.buf": {"length": "len", "access": "rw"},
            "i2c_rdwr_ioctl_data.msgs": {"length": "nmsgs", "access": "w"},
        },
    )

    outer, inner = steps(i2c.i2c_rdwr_ioctl_data)

    assert (outer.place.path, outer.place.pointer.element, outer.place.pointer.access) == ("msgs", i2c.i2c_msg, "w")
    assert (inner.parent, inner.place.path, inner.place.length_offset) == (1, "buf", 4)


def test_an_annotation_in_a_comment_describes_a_pointer() -> None:
    names = structures("""
        union data { __u8 byte; __u16 word; __u8 block[34]; };
        struct smbus {
            __u32 size;
            union data *data;   /* devshim: length=size{1:1,2:34} access=rw optional element=__u8 */
            __u64 tx_buf;       // devshim: length=4 access=w element=uint16_t
            const char __user *name; /* devshim: length=nul access=w most=64 */
        };
    """)

    data, tx, name = (step.place.pointer for step in steps(names.smbus))

    assert data.length == ("size", {1: 1, 2: 34})
    assert data.optional
    assert data.element is c_uint8
    assert (tx.length, tx.access, tx.element) == (4, "w", c_uint16)
    assert (name.is_string, name.most, name.element) == (True, 64, c_char)
    assert ctypes.sizeof(names.smbus) == 32


def test_annotations_on_one_line_belong_to_the_members_before_them() -> None:
    names = structures(
        "struct x { __u32 n; __u8 *p; /* devshim: length=n */ __u8 *q; __u8 *r; // devshim: length=2\n};"
    )

    assert [(step.place.path, step.place.pointer.length) for step in steps(names.x)] == [("p", "n"), ("r", 2)]
    assert names.x._fields_[0] == ("n", c_uint32)


def test_an_annotation_of_two_pointers_at_once_is_refused() -> None:
    with pytest.raises(CTextError, match="declare each member apart"):
        structures("struct x { __u8 *p, *q; /* devshim: length=2 */ };")


def test_a_pointer_that_nobody_describes_is_a_number() -> None:
    names = structures("struct x { void *p; int (*call)(int, char *); struct later *next; };")

    assert names.x(7).p == 7
    assert ctypes.sizeof(names.x) == 24
    assert steps(names.x) == ()


def test_conditions_choose_as_a_compiler_for_programs_would() -> None:
    names = structures("""
        #define VERSION 3
        struct x {
        #ifdef __KERNEL__
            __u64 hidden;
        #elif VERSION >= 2 && !defined(NOBODY_KNOWS)
            __u32 a;
        #else
            __u8 a;
        #endif
        #if 0
            this is no C at all
        #endif
        };
    """)

    assert names.x._fields_ == [("a", c_uint32)]


def test_big_endian_members_read_as_their_numbers() -> None:
    names = structures("struct x { __be16 a; __le32 b; };")

    x = names.x.from_buffer_copy(bytes([1, 2, 0, 0, 4, 3, 2, 1]))

    assert (x.a, x.b) == (0x0102, 0x01020304)


def test_pragma_pack_holds_until_it_is_popped() -> None:
    names = structures("""
        #pragma pack(push, 1)
        struct a { __u8 x; __u32 y; };
        #pragma pack(pop)
        struct b { __u8 x; __u32 y; };
    """)

    assert (ctypes.sizeof(names.a), ctypes.sizeof(names.b)) == (5, 8)


def test_anonymous_members_show_through() -> None:
    names = structures("struct x { __u32 kind; union { __u64 value; struct { __u16 low, high; }; }; };")

    x = names.x(kind=1)
    x.value = 0x20001

    assert (x.low, x.high) == (1, 2)


def test_a_flexible_array_takes_no_room() -> None:
    names = structures("struct x { __u32 n; __u8 data[]; }; struct y { __u32 n; __DECLARE_FLEX_ARRAY(__u16, data); };")

    assert ctypes.sizeof(names.x) == ctypes.sizeof(names.y) == 4


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 << 4 | 2", 18), ("10 / -3", -3), ("-7 % 3", -1), ("~0", -1), ("~0UL", 2**64 - 1),
        ("0x7fffffff + 0u", 2**31 - 1),
        ("0xffffffff", 2**32 - 1), ("017", 15), ("'A' + 1", 66), ("'\\n'", 10), ("1 ? 2 : 3", 2),
        ("sizeof(__u16) * 3", 6),
        ("(unsigned char)300", 44), ("-1 < 0u", 0), ("!3 || 2 > 1", 1), ("(1 << 3) - 1", 7), ("2 - 1 - 1", 0),
        ("sizeof(struct pair)", 8), ("_BITUL(3)", 8), ("(__u32)-1", 2**32 - 1),
    ],
)  # fmt: skip
def test_a_constant_has_the_value_that_c_gives_it(text: str, value: int) -> None:
    assert value == structures(f"struct pair {{ int a, b; }};\n#define X {text}").X


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("struct x {\n  __u33 a;\n};", "C text:2:3: unknown type '__u33'; did you mean __u32?"),
        ("struct x {\n  __u32 a\n};", "C text:3:1: expected ';', found '}'"),
        ("struct x { __u32 a;", "C text:1:1: this struct never ends"),
        ("struct x { struct y z; };", "C text:1:21: struct y is not declared before this; paste its declaration too"),
        ("struct x { __u8 a[N]; };", "C text:1:19: 'N' is not known here"),
        ("struct x { __u8 a[1/0]; };", "C text:1:20: division by zero"),
        ("struct x { __u8 a[1<<99]; };", "C text:1:20: a shift by 99 of a number of 32 bits"),
        ("/* never", "C text:1:1: this comment never ends"),
        ("#if 1\nstruct x { int a; };", "C text: an #if without its #endif"),
        ("#endif", "C text:1:1: #endif without an #if"),
        ("struct x { __u8 a : 9; };", "C text:1:17: a bit-field of 9 bits in 1 bytes"),
        ("struct x { int a; int a; };", "C text:1:1: struct x has two members of one name"),
        (
            "struct x {\n  __u8 *p; /* devshim: length=n access=rw */\n};",
            "C text:1:1: x.p: no member 'n' holds its length; there are: p",
        ),
        ("struct x { __u8 *p; /* devshim: size=3 */\n};", "C text:1:12: annotation 'size=3': expected length="),
        ("int y; /* devshim: length=1 */", "C text:1:8: this annotation stands behind no member"),
        ("#define LOOP LOOP + 1\nstruct x { int a[LOOP]; };", "C text:2:18: 'LOOP' is not known here"),
    ],
)
def test_an_error_names_the_line_and_the_column(text: str, message: str) -> None:
    with pytest.raises(CTextError) as caught:
        structures(text)

    assert str(caught.value).startswith(message)


def test_a_define_that_is_no_constant_is_explained_when_it_is_asked_for() -> None:
    names = structures("#define X _IOR('M', 1, struct nobody)\nstruct near { int a; };")

    with pytest.raises(AttributeError, match="struct nobody is not declared"):
        names.X  # noqa: B018
    with pytest.raises(AttributeError, match=r"did you mean near\?"):
        names.neer  # noqa: B018


def test_a_description_of_a_member_that_is_not_there_is_refused() -> None:
    with pytest.raises(CTextError, match=r"describes x\.q"):
        structures("struct x { __u8 *p; };", pointers={"x.q": {"length": 1}})


def test_a_file_includes_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "types.h").write_text("typedef unsigned short word;\n")
    (tmp_path / "motor.h").write_text('#include "types.h"\nstruct motor { word a, b; };\n')

    assert header(tmp_path / "motor.h").motor._fields_ == [("a", c_uint16), ("b", c_uint16)]


def test_a_file_that_includes_itself_is_named(tmp_path: Path) -> None:
    (tmp_path / "loop.h").write_text('#include "loop.h"\n')

    with pytest.raises(CTextError, match="too many files include each other"):
        header(tmp_path / "loop.h")


def test_macros_that_explode_are_stopped() -> None:
    text = "#define A0 1+1\n" + "".join(f"#define A{i} A{i - 1} + A{i - 1}\n" for i in range(1, 40))

    with pytest.raises(CTextError, match="grow beyond"):
        structures(text + "struct x { int a[A39]; };")


def test_what_was_read_before_can_be_used() -> None:
    first = structures("struct a { __u64 x; };\n#define N 3")

    assert structures("struct b { struct a as[N]; };", known=first).b._fields_ == [("as", first.a * 3)]


FRAGMENTS = st.sampled_from(
    ["struct", "union", "x", "{", "}", ";", "__u8", "int", "*", "[", "]", "(", ")", "3", ":", ",", "typedef", "enum",
    "=", "+",
     "#define", "#if", "#endif", "\n", "_IOR", "'M'", "/*", "*/", "__packed", '"', "sizeof", "unsigned", "0x", "~"]
)  # fmt: skip


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.lists(FRAGMENTS, max_size=40).map(" ".join) | st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_message(text: str) -> None:
    problem = None
    try:
        structures(text)
    except CTextError as error:
        problem = str(error)

    assert problem is None or problem.startswith("C text")


def test_members_keep_their_ctypes() -> None:
    names = structures("struct x { char c; char text[4]; bool b; unsigned long long l; };")

    assert names.x(text=b"ab").text == b"ab"
    assert isinstance(names.x(c=1).c, int)
    assert dict(names.x._fields_)["l"] is c_uint64 or ctypes.sizeof(dict(names.x._fields_)["l"]) == 8
