"""What a device author may say about ioctls, and what is refused when the class is made."""

from __future__ import annotations

import errno
from collections.abc import Callable
from ctypes import (
    Structure,
    Union,
    c_char,
    c_int,
    c_int32,
    c_long,
    c_uint8,
    c_uint16,
    c_uint32,
    c_uint64,
    c_ulong,
    sizeof,
)
from typing import Any

import pytest

from devshim.model.argument import BadDescription, places, steps
from devshim.model.device import Device
from devshim.model.ioctl import (
    IO,
    IOR,
    IOW,
    IOWR,
    Handler,
    NewFile,
    collect_handlers,
    direction_of,
    find_handler,
    ioctl,
    pointer,
    size_of,
    sized,
    type_and_number,
)  # fmt: skip
from devshim.model.naming import NameTaken


class State(Structure):
    _fields_ = [("position", c_int32), ("speed", c_int32)]


class Xfer(Structure):
    _fields_ = [("len", c_uint32), ("buf", pointer(c_uint8, length="len", access="rw"))]


class Motor(Device):
    position = 7

    @ioctl(IOR("M", 1, State))
    def get_state(self) -> State:
        """Where it is."""
        return State(self.position, 0)

    @ioctl(IOWR("M", 3, Xfer), name="MOTOR_XFER")
    def transfer(self, xfer: Any) -> int:
        return int(xfer.len)

    @ioctl(IO("M", 4), value=c_int)
    def set_mode(self, mode: int) -> None:
        self.position = mode


@pytest.mark.parametrize(
    ("request_", "number"),
    [
        (IO("T", 0x27), 0x5427), (IOR("M", 1, State), 0x80084D01), (IOW("k", 1, c_uint8), 0x40016B01),
        # SPI_IOC_WR_MODE
        (IOR("E", 0x02, c_uint16 * 4), 0x80084502),  # EVIOCGID
        (IOR("p", 0x09, c_uint8 * 36), 0x80247009),  # RTC_RD_TIME
        (IOWR("W", 6, c_int), 0xC0045706),  # WDIOC_SETTIMEOUT
        (IOR(0xB4, 1, c_uint8 * 68), 0x8044B401),  # GPIO_GET_CHIPINFO_IOCTL
    ],
)  # fmt: skip
def test_numbers_are_those_of_the_kernel(request_: int, number: int) -> None:
    assert request_ == number


def test_a_request_is_an_int_that_knows_its_parts() -> None:
    request = IOWR("M", 3, Xfer)

    assert {int(request): 1}[request] == 1
    assert f"{request:#x}" == "0xc0104d03"
    assert (request.access, request.ctype, request.name, request.named("X").name) == ("rw", Xfer, None, "X")
    assert (direction_of(request), size_of(request), type_and_number(request)) == ("rw", 16, ("M", 3))
    assert [repr(one) for one in (request, IO("M", 1), IOR("E", range(2, 4), sized(c_char)))] == [
        "IOWR('M', 3, Xfer)", "IO('M', 1)", "IOR('E', range(2, 4), sized(c_char))",
    ]  # fmt: skip


def test_a_handler_is_the_plain_method_on_an_instance() -> None:
    motor = Motor()

    motor.set_mode(-3)

    assert motor.get_state().position == -3
    assert isinstance(Motor.get_state, Handler)
    assert Motor.get_state.__doc__ == "Where it is."


def test_a_handler_describes_its_request() -> None:
    handler = Motor.transfer

    assert (handler.name, handler.label, handler.number, handler.mask) == (
        "transfer",
        "MOTOR_XFER",
        0xC0104D03,
        0xFFFFFFFF,
    )
    assert (handler.access, handler.ctype, handler.value, handler.sized) == ("rw", Xfer, None, False)
    assert [step.place.path for step in handler.steps] == ["buf"]
    assert Motor.ioctls[0x4D04] is Motor.set_mode


def test_a_derived_class_wins_by_number_and_by_name() -> None:
    class Better(Motor):
        @ioctl(IOR("M", 1, State))
        def other_state(self) -> State:
            return State(1, 1)

        @ioctl(IOW("M", 9, c_int))
        def transfer(self, value: c_int) -> None:
            pass

        def set_mode(self, mode: int) -> None:
            self.position = -mode

    better = Better()
    better.set_mode(2)

    assert {handler.name for handler in Better.ioctls.values()} == {"other_state", "transfer", "set_mode"}
    assert 0xC0104D03 not in Better.ioctls
    assert better.position == -2
    assert Motor.ioctls[0xC0104D03] is Motor.transfer


def test_a_handler_set_to_none_is_taken_away() -> None:
    class Poorer(Motor):
        transfer = None

    assert 0xC0104D03 not in Poorer.ioctls
    assert len(Poorer.ioctls) == 2


def test_handlers_come_from_plain_mixins_too() -> None:
    class Mixin:
        @ioctl(0x5401, State, access="r")
        def get(self) -> State:
            return State()

    class Both(Mixin, Device):
        pass

    assert Both.ioctls[0x5401].name == "get"
    assert collect_handlers(Mixin).keys() == {0x5401}


def test_a_sized_request_is_found_for_every_size() -> None:
    class Keys(Device):
        @ioctl(IOR("E", 0x06, sized(c_uint8)))
        def get_name(self) -> bytes:
            return b""

        @ioctl(IOR("E", 0x06, c_uint8 * 256))
        def get_long_name(self) -> bytes:
            return bytes(256)

    assert find_handler(Keys.ioctls, IOR("E", 6, c_uint8 * 16)) is Keys.get_name
    assert find_handler(Keys.ioctls, IOR("E", 6, c_uint8 * 256)) is Keys.get_long_name
    assert find_handler(Keys.ioctls, IOW("E", 6, c_uint8 * 16)) is None


def test_a_run_of_requests_has_one_handler_that_gets_the_index() -> None:
    class Keys(Device):
        @ioctl(IOR("E", range(0x23, 0x51), sized(c_uint8)))
        def bits(self, index: int) -> bytes:
            return b""

        @ioctl(IOR("E", 0x30, sized(c_uint8)))
        def special(self) -> bytes:
            return b""

    found = {nr: find_handler(Keys.ioctls, IOR("E", nr, c_uint8 * 9)) for nr in range(0x100)}

    assert {nr for nr, handler in found.items() if handler is Keys.bits} == set(range(0x23, 0x51)) - {0x30}
    assert found[0x30] is Keys.special
    assert Keys.bits.index(IOR("E", 0x25, c_uint8)) == 2


def test_a_pointer_has_the_layout_of_c() -> None:
    class Transfer(Structure):
        _fields_ = [
            ("tx", pointer(c_uint8, length="len", access="w", width=8)),
            ("rx", pointer(c_uint8, length="len", access="r", optional=True, width=8)),
            ("len", c_uint32),
            ("small", pointer(c_uint8, length=2, width=4)),
        ]

    assert sizeof(Transfer) == 24
    assert [place.offset for place in places(Transfer)] == [0, 8, 20]
    assert {place.length_offset for place in places(Transfer)[:2]} == {16}


def test_pointers_are_found_in_nested_members_arrays_and_unions() -> None:
    class Payload(Union):
        _fields_ = [("number", c_uint64), ("bytes", pointer(c_uint8, length="size"))]

    class Control(Structure):
        _anonymous_ = ("payload",)
        _fields_ = [("id", c_uint32), ("size", c_uint32), ("payload", Payload)]

    class Controls(Structure):
        _fields_ = [("two", Control * 2), ("more", pointer(Control, length="count", access="w")), ("count", c_uint32)]

    found = [(step.parent, step.place.path, step.place.offset, step.place.length_offset) for step in steps(Controls)]

    assert found == [
        (0, "two[0].payload.bytes", 8, 4),
        (0, "two[1].payload.bytes", 24, 20),
        (0, "more", 32, 40),
        (3, "payload.bytes", 8, 4),
    ]


def test_the_place_of_a_new_descriptor_is_known() -> None:
    class Request(Structure):
        _fields_ = [("offset", c_uint32), ("fd", NewFile)]

    class Chip(Device):
        @ioctl(IOWR(0xB4, 7, Request))
        def get_line(self, request: Any) -> None:
            pass

    assert Chip.get_line.place == 4


def bad(request: int, *args: Any, method: Callable[..., Any] = lambda self: None, **kwargs: Any) -> str:
    """The message with which a description is refused."""
    with pytest.raises(BadDescription) as caught:
        ioctl(request, *args, **kwargs)(method)
    return str(caught.value)


def one(self: Any, argument: Any) -> None:
    """A method with an argument."""


@pytest.mark.parametrize(
    ("message", "part"),
    [
        (lambda: bad(IOR("M", 1, State), method=one),
        "one(self: 'Any', argument: 'Any') -> 'None' must take (self) for one"),
        (lambda: bad(IO("M", 1), method=one), "for an argument by value add value=c_int"),
        (lambda: bad(IOW("M", 1, State)), "must take (self, argument)"),
        (lambda: bad(IO("M", 1), value=c_int), "must take (self, value)"),
        (lambda: bad(IOR("E", range(1, 4), sized(c_uint8))), "must take (self, index)"),
        (lambda: bad(0x1234, State), 'Add access="r", "w" or "rw"'),
        (lambda: bad(0x1234, access="rw"), "access='rw' of what?"),
        (lambda: bad(0x1234, State, access="wr"), "access='wr'"),
        (lambda: bad(0x1234, 5, access="r"), "5 is not a ctype"),
        (lambda: bad(1 << 32), "a number of 32 bits"),
        (lambda: bad("M"), "a number of 32 bits"),  # type: ignore[arg-type]
        (lambda: bad(IO("M", 1), value=State), "by value goes a whole number"),
        (lambda: bad(IO("M", 1), State, value=c_int), "value= is the whole argument"),
        (lambda: bad(IOR("M", 1, Xfer)), "buf is a pointer, which the shim must read first"),
        (lambda: bad(IOW("M", 1, NewFile), method=one), "a NewFile goes back to the program"),
        (lambda: bad(IO("M", 1), method=5), "stands before a method"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_a_mistake_in_a_description_is_named(message: Callable[[], str], part: str) -> None:
    assert part in message()


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (lambda: IO("MM", 1), "one character"), (lambda: IO("M", 256), "below 256"), (lambda: IO("M", range(0)),
        "below 256"),
        (lambda: IOR("M", 1, c_uint8 * 20000), "do not fit"), (lambda: IOR("M", 1, 4), "not a ctype"),
        (lambda: pointer(c_uint8, length=0), "at least one"), (lambda: pointer(c_uint8, length="nul"), "access=\"w\""),
        (lambda: pointer(c_uint8, length=("a", {9999: 1})), "below 4096"), (lambda: pointer(c_uint8, access="x"),
        "access='x'"),
        (lambda: pointer(c_uint8, length=2.5), "length=2.5"), (lambda: pointer(c_uint8, width=2), "width=2"),
        (lambda: sized(Device), "not a ctype"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_part_is_named(make: Callable[[], Any], part: str) -> None:
    with pytest.raises(BadDescription, match=part.replace("(", r"\(")):
        make()


def test_a_length_that_is_no_member_is_named_with_those_that_are() -> None:
    class Bad(Structure):
        _fields_ = [("size", c_uint32), ("buf", pointer(c_uint8, length="len"))]

    assert "Bad.buf: no member 'len' holds its length; there are: size, buf" in bad(IOW("M", 1, Bad), method=one)


@pytest.mark.parametrize("kind", [c_uint16.__ctype_be__, State, c_char])
def test_a_length_must_be_a_whole_number_that_the_shim_can_read(kind: Any) -> None:
    class Bad(Structure):
        _fields_ = [("len", kind), ("buf", pointer(c_uint8, length="len"))]

    assert "Bad.len cannot be a length" in bad(IOW("M", 1, Bad), method=one)


def test_a_linked_list_is_refused() -> None:
    class Node(Structure):
        pass

    Node._fields_ = [("next", pointer(Node, optional=True))]

    assert "linked list" in bad(IOW("M", 1, Node), method=one)


def test_two_handlers_of_one_request_are_refused_by_name() -> None:
    with pytest.raises(BadDescription, match="Twice: first and second both answer request 0x00004d01"):

        class Twice(Device):
            @ioctl(IO("M", 1))
            def first(self) -> None:
                pass

            @ioctl(IO("M", 1))
            def second(self) -> None:
                pass


def test_an_override_with_another_signature_is_refused() -> None:
    with pytest.raises(BadDescription, match=r"Bad\.transfer.* must take"):

        class Bad(Motor):
            def transfer(self) -> int:  # type: ignore[override]
                return 0


def test_a_handler_that_would_hide_a_method_is_refused() -> None:
    with pytest.raises(NameTaken, match=r"Bad\.write"):

        class Bad(Device):
            @ioctl(IO("M", 1))
            def write(self) -> None:
                pass


def test_a_method_may_take_more_than_it_needs() -> None:
    class Fine(Device):
        @ioctl(IOW("M", 1, c_long))
        def one(self, *arguments: Any, verbose: bool = False) -> None:
            raise OSError(errno.EIO, "")

        @ioctl(0x0705, c_ulong, access="r")
        def two(self, extra: int = 3) -> c_ulong:
            return c_ulong(extra)

    assert len(Fine.ioctls) == 2
