"""Descriptions in traces: back as they went in, decoded by name, without addresses; hostile ones are refused."""

import json
from ctypes import BigEndianStructure, Structure, c_char, c_uint8, c_uint16, c_uint32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devshim.known import descriptions, modules
from devshim.known.record import known, packed, pointer, record, union
from devshim.model import i2c_abi, spi_abi
from devshim.model.ioctl import IOR, IOWR, Description, describe, sized, trailing
from devshim.trace.description import decode, from_object, plain, to_object
from devshim.trace.memory import leads, with_addresses, without_addresses

RDWR = describe(i2c_abi.I2C_RDWR, i2c_abi.I2cRdwrIoctlData, access="w", name="I2C_RDWR")
BEFORE = [
    bytes.fromhex("701a718a9d7f00000200000000000000"),
    bytes.fromhex("570000000200000000a88c8a9d7f0000570001000300000020a08c8a9d7f0000"),
    b"\1\0",
    b"",
]
AFTER = [None, None, None, b"\1\x08\x0f"]


def through_a_trace(description: Description) -> Description:
    return from_object(json.loads(json.dumps(to_object(description))))


class Bits(Structure):
    _fields_ = [("low", c_uint16, 3), ("high", c_uint16, 13), ("next", c_uint8, 4), ("last", c_uint32)]


class Network(BigEndianStructure):
    _fields_ = [("port", c_uint16), ("address", c_uint32)]


@pytest.mark.parametrize("again", [False, True], ids=["as described", "as a trace has it"])
def test_a_transfer_is_shown_by_its_members(again):
    description = through_a_trace(RDWR) if again else RDWR

    assert decode(description, BEFORE, AFTER) == {
        "in": {
            "msgs": [
                {"addr": 87, "flags": 0, "len": 2, "buf": b"\1\0"},
                {"addr": 87, "flags": 1, "len": 3, "buf": b""},
            ],
            "nmsgs": 2,
        },
        "out": {
            "msgs": [
                {"addr": 87, "flags": 0, "len": 2, "buf": b"\1\0"},
                {"addr": 87, "flags": 1, "len": 3, "buf": b"\1\x08\x0f"},
            ],
            "nmsgs": 2,
        },
    }


def test_no_address_stays_in_a_trace():
    hidden = without_addresses(RDWR, BEFORE)

    assert hidden[0] == bytes([1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0])
    assert hidden[1] is not None
    assert (hidden[1][8:16], hidden[1][24:]) == (bytes([2] + [0] * 7), bytes([3] + [0] * 7))
    assert [lead.target for lead in leads(RDWR, BEFORE)[1]] == [2, 3]
    assert with_addresses(RDWR, hidden, hidden, BEFORE) == BEFORE
    assert without_addresses(RDWR, BEFORE, AFTER) == AFTER


def test_a_null_is_nought_and_leads_nowhere():
    memory = [bytes.fromhex("000000000000000000ffffffff7f0000") + bytes([3]) + bytes(15), None, b""]
    message = describe(IOWR("k", 0, sized(spi_abi.SpiIocTransfer)))

    assert [lead.target for lead in leads(message, memory)[0]] == [0, 2]
    assert decode(message, memory, None)["in"][0]["tx_buf"] is None


def test_a_place_that_is_no_pointer_keeps_its_bytes():
    control = packed(
        "control",
        size="u32",
        _0=union(value="i32", text=pointer(c_uint8, length="size", width=8, when=("size", 1, 99))),
    )
    description = known("CONTROL", 0xC00C5601, control)

    number, text = [b"\0\0\0\0" + b"\7\0\0\0\0\0\0\0", None], [b"\2\0\0\0" + b"\7\1\2\3\4\5\6\7", b"ok"]
    for one in (description, through_a_trace(description)):
        assert without_addresses(one, number) == number
        assert decode(one, number, None)["in"] == {"size": 0, "value": 7}
        assert without_addresses(one, text)[0] == b"\2\0\0\0\1\0\0\0\0\0\0\0"
        assert decode(one, text, None)["in"]["text"] == "ok"


def test_a_flexible_array_is_shown_with_its_structure():
    listed = record("listed", count="u32", numbers=trailing(c_uint16, length="count"))
    description = through_a_trace(known("LIST", 0xC0045601, listed))

    assert decode(description, [b"\2\0\0\0", b"\1\0\2\0"], None) == {"in": {"count": 2, "numbers": [1, 2]}}


def test_bit_fields_and_big_endian_numbers_mean_the_same_in_a_trace():
    for kind, data, values in (
        (Bits, bytes.fromhex("0d000300 78563412"), {"low": 5, "high": 1, "next": 3, "last": 0x12345678}),
        (Network, bytes.fromhex("1f900000 7f000001"), {"port": 8080, "address": 0x7F000001}),
    ):
        description = describe(IOR("B", 1, kind))
        assert decode(description, None, [data]) == {"out": values}
        assert decode(through_a_trace(description), None, [data]) == {"out": values}


def test_text_is_text_and_what_is_no_text_is_bytes():
    named = record("named", name="char*8", raw="u8*4", reserved="u32*2")
    description = known("NAME", 0x80145601, named)

    assert decode(description, None, [b"eth0\0\0\0\0" + b"\1\2\3\4" + bytes(8)])["out"] == {
        "name": "eth0",
        "raw": b"\1\2\3\4",
    }
    assert plain({"a": [b"\1\2", None, "x"]}) == {"a": ["0102", None, "x"]}


def test_memory_that_does_not_fit_its_description_is_an_error():
    with pytest.raises(ValueError, match="3 segments are too few"):
        leads(RDWR, BEFORE[:3])
    with pytest.raises(ValueError, match="5 segments instead of 4"):
        leads(RDWR, [*BEFORE, b""])


GOOD = {"request": "0xc0105601", "name": "GOOD", "access": "rw"}
STRUCT = {"struct": "s", "size": 16, "members": [["len", 0, "u32"], ["data", 8, {"to": "u8", "length": "len"}]]}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"request": 1},
        {"request": "0x123456789"},
        {"request": "-0x1"},
        {"request": "0x1", "run": 0},
        {"request": "0xff", "run": 2},
        {"request": "0x1", "access": "x"},
        {"request": "0x1", "access": "r"},
        {"request": "0x1", "argument": "u8"},
        {"request": "0x1", "value": "u8", "access": "r", "argument": "u8"},
        {"request": "0x1", "value": {"of": "u8", "count": 4}},
        {"request": "0x1", "code": "print(1)"},
        {"request": "0x1", "name": "x\n"},
        {"request": "0x1", "name": "x" * 201},
        GOOD | {"argument": "void"},
        GOOD | {"argument": []},
        GOOD | {"argument": {"of": "u8", "count": 1 << 21}},
        GOOD | {"argument": {"of": {"of": "u64", "count": 1 << 18}, "count": 2}},
        GOOD | {"argument": {"of": "u8", "count": -1}},
        GOOD | {"argument": {"of": "u8", "count": True}},
        GOOD | {"argument": {**STRUCT, "size": 8}},
        GOOD | {"argument": {**STRUCT, "members": [["len", 0, "u32"], ["len", 8, "u32"]]}},
        GOOD | {"argument": {**STRUCT, "members": [["len", 0, "u32"], ["over", 2, "u32"]]}},
        GOOD | {"argument": {**STRUCT, "members": [["__init__", 0, "u32"]]}},
        GOOD | {"argument": {**STRUCT, "members": [["from_buffer", 0, "u32"]]}},
        GOOD | {"argument": {**STRUCT, "members": [["@8", 0, "u32"]]}},
        GOOD | {"argument": {**STRUCT, "members": [["bits", 0, "u32", 30, 3]]}},
        GOOD | {"argument": {**STRUCT, "members": [["bits", 0, "f32", 0, 3]]}},
        GOOD | {"argument": {**STRUCT, "members": {}}},
        GOOD | {"argument": {**STRUCT, "anonymous": ["other"]}},
        GOOD | {"argument": {"to": "u8", "width": 3}},
        GOOD | {"argument": {"to": "u8", "length": "nobody"}},
        GOOD | {"argument": {"to": "u8", "access": "x"}},
        GOOD | {"argument": {"to": "u8", "when": ["a", 1]}},
        GOOD | {"argument": {"to": "u8", "length": "a", "table": {"x": 1}}},
        GOOD | {"argument": {"union": "u", "size": 4, "members": [["a", 4, "u32"]]}},
        GOOD | {"access": "r", "argument": STRUCT},
    ],
    ids=str,
)
def test_what_devshim_could_not_have_written_is_refused(wrong):
    with pytest.raises(ValueError, match=r"."):
        from_object(wrong)


def test_a_description_cannot_be_huge():
    nested: object = "u8"
    for _ in range(20):
        nested = {"of": nested, "count": 1}
    many = {"struct": "s", "size": 5000, "members": [[f"m{at}", at, "u8"] for at in range(5000)]}
    pointers = {
        "struct": "s",
        "size": 256,
        "members": [[f"p{at}", 8 * at, {"to": "u8", "length": 1}] for at in range(20)],
    }
    for argument in (nested, many, pointers):
        with pytest.raises(ValueError, match=r"more than|too many"):
            from_object(GOOD | {"argument": argument})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["u8", "len", "", "0x1", "rw"]) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "request",
                    "name",
                    "run",
                    "access",
                    "argument",
                    "sized",
                    "value",
                    "new",
                    "of",
                    "count",
                    "to",
                    "width",
                    "length",
                    "table",
                    "optional",
                    "when",
                    "text",
                    "struct",
                    "union",
                    "size",
                    "members",
                    "anonymous",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(
    st.dictionaries(
        st.sampled_from(["request", "name", "run", "access", "argument", "sized", "value", "new"]), JSON, max_size=6
    )
)
def test_nothing_but_a_value_error_comes_of_nonsense(shown):
    try:
        description = from_object({"request": "0x1", **shown})
    except ValueError:
        return
    assert from_object(to_object(description)).matches == description.matches


@given(st.sampled_from([one for module in modules() for one in descriptions(module)]), st.data())
def test_any_memory_decodes_or_is_an_error(description, data):
    memory = data.draw(st.lists(st.none() | st.binary(max_size=300), min_size=1, max_size=6))
    try:
        plain(decode(description, memory, memory))
    except ValueError:
        return


def test_a_short_memory_counts_as_noughts():
    number = describe(IOR("B", 1, c_uint32))

    assert decode(number, None, [b"\1"]) == {"out": 0}
    assert decode(describe(IOR("B", 2, c_char * 4)), None, [b"ab"]) == {"out": "ab"}
