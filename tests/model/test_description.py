"""Arguments whose shape depends on what is in them: unions with a pointer, and flexible arrays."""

import textwrap
from ctypes import Structure, Union, c_int32, c_uint8, c_uint32, c_uint64

import pytest

from devshim.model.ioctl import IOR, IOWR, BadDescription, Descriptions, describe, pointer, sized, trailing

MODEL = """
    from ctypes import Structure, Union, c_int32, c_int64, c_uint8, c_uint32
    from devshim import Device, IOWR, ioctl, pointer
    from devshim.model.ioctl import trailing

    class Payload(Union):
        _pack_ = 1
        _layout_ = "ms"
        _fields_ = [("value", c_int32), ("value64", c_int64),
                    ("text", pointer(c_uint8, length="size", width=8, when=("size", 1, 0xFFFFFFFF)))]
    class Control(Structure):
        _pack_ = 1
        _layout_ = "ms"
        _anonymous_ = ["payload"]
        _fields_ = [("id", c_uint32), ("size", c_uint32), ("payload", Payload)]
    class List(Structure):
        _fields_ = [("count", c_uint32), ("most", c_uint32), ("numbers", trailing(c_uint32, length="most"))]

    class Board(Device):
        @ioctl(IOWR("B", 1, Control))
        def control(self, control):
            if control.size:
                control.text[:] = bytes(control.text).upper()
            else:
                assert control.text is None
                control.value += 1
        @ioctl(IOWR("B", 2, List))
        def list(self, found):
            for index in range(found.most):
                found.numbers[index] += index
            found.count = found.most
"""

CLIENT = """
    import ctypes, fcntl, os, struct
    board = os.open("/dev/board", os.O_RDWR)
    text = ctypes.create_string_buffer(b"hello", 5)
    control = bytearray(struct.pack("<IIQ", 7, 5, ctypes.addressof(text)))
    fcntl.ioctl(board, 0xC0104201, control)
    print(text.raw.decode(), control == struct.pack("<IIQ", 7, 5, ctypes.addressof(text)))
    control = bytearray(struct.pack("<IIq", 7, 0, 41))
    fcntl.ioctl(board, 0xC0104201, control)
    print(struct.unpack("<IIq", control)[2])
    numbers = bytearray(struct.pack("<6I", 0, 4, 10, 20, 30, 40))
    fcntl.ioctl(board, 0xC0084202, numbers)
    print(struct.unpack("<6I", numbers))
"""


def test_a_program_may_hand_over_a_number_or_a_pointer_in_one_place_and_an_array_behind_its_argument(
    devshim_run, tmp_path
):
    (tmp_path / "board.py").write_text(textwrap.dedent(MODEL))
    (tmp_path / "client.py").write_text(textwrap.dedent(CLIENT))

    outcome = devshim_run("python3", tmp_path / "client.py", devices=[f"/dev/board={tmp_path}/board.py:Board"])

    assert outcome.stderr == ""
    assert outcome.stdout == "HELLO True\n42\n(4, 4, 10, 21, 32, 43)\n"


@pytest.mark.parametrize(
    "when", ["size", ("size",), ("size", "1"), ("size", -1), ("size", 1, 1 << 32), ("size", 1, 2, 3)]
)
def test_a_condition_is_a_member_and_a_value_or_two(when):
    with pytest.raises(BadDescription, match="condition"):
        pointer(c_uint8, length=1, when=when)


def test_a_condition_names_a_member_that_is_there():
    class Wrong(Structure):
        _fields_ = [("size", c_uint32), ("data", pointer(c_uint8, length="size", when=("kind", 1)))]

    with pytest.raises(BadDescription, match="no member 'kind' holds its condition; there are: size, data"):
        describe(IOWR("B", 1, Wrong))


def test_a_flexible_array_needs_a_length():
    with pytest.raises(BadDescription, match="which member says how many"):
        trailing(c_uint32, None)


def test_a_description_stands_without_a_method():
    description = describe(IOR("B", range(3, 6), sized(c_uint8)), name="BGET")

    assert (description.label, description.access, description.sized, description.first) == ("BGET", "r", True, 3)
    assert Descriptions([description]).find(0x80104204) is description
    assert Descriptions([description]).find(0x80104206) is None


def test_a_description_by_value_may_make_a_descriptor():
    description = describe(0xAE01, value=c_uint64, new_file=True)

    assert description.new_file
    assert description.access == ""
    assert description.label == "0x0000ae01"


def test_what_goes_one_way_only_is_said_so():
    class Both(Union):
        _fields_ = [("number", c_int32), ("data", pointer(c_uint8, length=1))]

    with pytest.raises(BadDescription, match='use IOWR, or access="rw"'):
        describe(IOR("B", 1, Both))
