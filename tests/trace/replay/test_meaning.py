"""What of two calls is compared: meaning, and not what happened to lie in memory."""

import ctypes

from devshim.known import find_for
from devshim.trace.event import Event
from devshim.trace.replay.image import Image
from devshim.trace.replay.matching import Kind, kind_of, same
from devshim.trace.replay.meaning import EVIOCGMTSLOTS, I2C_RDWR, I2C_SMBUS, gaps, meaningful


class Inner(ctypes.Structure):
    _fields_ = [("one", ctypes.c_uint8), ("two", ctypes.c_uint32)]


class Outer(ctypes.Structure):
    _fields_ = [("first", ctypes.c_uint16), ("inner", Inner * 2), ("last", ctypes.c_uint8)]


def test_padding_is_found_in_nested_structures() -> None:
    assert gaps(Inner) == ((1, 4),)
    assert gaps(Outer) == ((2, 4), (5, 8), (13, 16), (21, 24))


def test_a_byte_that_is_read_over_smbus_hands_in_nothing_but_its_command() -> None:
    description = find_for("/dev/i2c-1").find(I2C_SMBUS)
    head = bytes([1, 5, 0xAA, 0xBB]) + (2).to_bytes(4, "little") + bytes(8)
    assert meaningful(I2C_SMBUS, description, [head, b"\x77"]) == [head[:2] + bytes(2) + head[4:], b"\0"]
    written = bytes([0, 5, 0xAA, 0xBB]) + (2).to_bytes(4, "little") + bytes(8)
    assert meaningful(I2C_SMBUS, description, [written, b"\x77"])[1] == b"\x77"


def test_of_a_transfer_only_what_is_written_counts() -> None:
    description = find_for("/dev/i2c-1").find(I2C_RDWR)
    messages = b"".join(
        (80).to_bytes(2, "little") + flags.to_bytes(2, "little") + (1).to_bytes(2, "little") + b"\xee\xee" + bytes(8)
        for flags in (0, 1)
    )
    head = bytes(8) + (2).to_bytes(4, "little") + b"\xee" * 4
    changed = meaningful(I2C_RDWR, description, [head, messages, b"\x10", b"\x99"])
    assert changed == [head[:12] + bytes(4), messages.replace(b"\xee\xee", b"\0\0"), b"\x10", b"\0"]


def test_a_request_of_any_size_is_known_by_its_number() -> None:
    request = EVIOCGMTSLOTS | 44 << 16
    assert meaningful(request, None, [b"\x2f\0\0\0" + b"?" * 40]) == [b"\x2f\0\0\0" + bytes(40)]


def test_kinds_of_calls() -> None:
    assert kind_of(Event("ioctl", request=1, after=[b"x"])) == Kind.QUERY
    assert kind_of(Event("ioctl", request=1, error="ENOTTY", result=-1)) == Kind.QUERY
    assert kind_of(Event("ioctl", request=1, before=[b"x"], after=[b"y"])) == Kind.EXCHANGE
    assert kind_of(Event("ioctl", request=1, before=[b"x"])) == Kind.COMMAND
    assert kind_of(Event("ioctl", request=1, after=[b"x"], new_file=3)) == Kind.COMMAND
    assert kind_of(Event("write", data=b"x")) == Kind.COMMAND
    assert kind_of(Event("write", data=b"x", error="EIO", result=-1)) == Kind.QUERY
    assert kind_of(Event("close")) == Kind.PASSIVE


def test_arguments_by_value_are_compared_as_the_kernel_sees_them() -> None:
    def alike(one: int, other: int) -> bool:
        return same(Event("ioctl", request=1, argument=one), Event("ioctl", request=1, argument=other))

    assert alike(5, 5)
    assert alike(0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
    assert not alike(5, 6)
    assert not alike(1 << 40, 2 << 40)


def test_words_that_look_like_pointers_are_not_compared() -> None:
    recorded = Event("ioctl", request=1, before=[b"\1" * 8 + b"\2" * 8], pointers=(8,))
    assert same(recorded, Event("ioctl", request=1, before=[b"\1" * 8 + b"\3" * 8]))
    assert not same(recorded, Event("ioctl", request=1, before=[b"\4" * 8 + b"\2" * 8]))


def test_null_is_like_nothing_else() -> None:
    recorded = Event("ioctl", request=1, before=[b"head", None])
    assert same(recorded, Event("ioctl", request=1, before=[b"head", None]))
    assert not same(recorded, Event("ioctl", request=1, before=[b"head", b""]))


def test_an_image_knows_what_was_put_into_it() -> None:
    image = Image()
    image.put(100, b"abc")
    image.put(103, b"def")
    image.put(200, b"xyz")
    assert (image.known(100), image.known(102), image.known(106), image.known(99)) == (6, 4, 0, 0)
    image.put_unknown(98, b"........")
    assert image.get(98, 100) == b"..abcdef"
    image.put(106, b"-" * 94)
    assert image.known(98) == 105
    assert image.get(198, 10) == b"--xyz"
    image.close()
