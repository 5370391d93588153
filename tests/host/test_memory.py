"""An ioctl's argument on its way: table, segments, views, what goes back; with the shim's own walk against it."""

from __future__ import annotations

import ctypes
import errno
import shutil
import struct
import subprocess
from ctypes import Structure, c_char, c_int, c_int32, c_uint8, c_uint16, c_uint32, c_uint64
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devshim.host.memory import RESULT, SEGMENT, SEGMENTS, call, call_unknown, unpack, unpack_unknown
from devshim.host.table import ENTRY, POINTER, TABLE, compile_table
from devshim.model.device import REAL, WAIT, Device, File
from devshim.model.ioctl import IO, IOR, IOW, IOWR, NewFile, ioctl, pointer, sized

SHIM = Path(__file__).resolve().parents[2] / "devshim" / "shim"


class State(Structure):
    _fields_ = [("position", c_int32), ("speed", c_int32)]


class Xfer(Structure):
    _fields_ = [("len", c_uint32), ("buf", pointer(c_uint8, length="len", access="rw"))]


class Message(Structure):
    _fields_ = [("addr", c_uint16), ("flags", c_uint16), ("len", c_uint16), ("buf", pointer(c_uint8, "len", "rw"))]


class Messages(Structure):
    _fields_ = [("msgs", pointer(Message, "nmsgs", "w")), ("nmsgs", c_uint32)]


class Smbus(Structure):
    _fields_ = [("size", c_uint32), ("data", pointer(c_uint8, ("size", {1: 1, 2: 3}), "rw", optional=True))]


class Transfer(Structure):
    _fields_ = [
        ("tx", pointer(c_uint8, "len", "w", optional=True, width=8)),
        ("rx", pointer(c_uint8, "len", "r", optional=True, width=8)),
        ("len", c_uint32), ("speed", c_uint32),
    ]  # fmt: skip


class Line(Structure):
    _fields_ = [("offset", c_uint32), ("fd", NewFile)]


class Named(Structure):
    _fields_ = [
        ("name", pointer(c_char, "nul", "w", most=16)),
        ("state", pointer(State)),
        ("words", pointer(c_uint16, 3, "r")),
    ]


class Opened(File):
    """A line's own file."""


class Board(Device):
    """Answers one request of each shape; what it saw stays in `seen`."""

    seen: Any = None
    answer: Any = None

    @ioctl(IOR("M", 1, State))
    def get_state(self) -> Any:
        return self.answer

    @ioctl(IOW("M", 2, c_int32))
    def set_speed(self, speed: Any) -> Any:
        self.seen = speed.value
        return self.answer

    @ioctl(IOWR("M", 3, Xfer))
    def transfer(self, xfer: Any) -> Any:
        self.seen = (xfer.len, bytes(xfer.buf))
        if len(xfer.buf) > 3:
            xfer.buf[1:3] = b"zz"
        return self.answer

    @ioctl(IO("M", 4), value=c_int)
    def set_mode(self, mode: int) -> Any:
        self.seen = mode
        return self.answer

    @ioctl(IOWR("M", 5, State))
    def move(self, state: Any) -> Any:
        self.seen = (state.position, state.speed)
        state.position += 1 if state.speed else 0
        return self.answer

    @ioctl(IO("M", 6))
    def stop(self) -> Any:
        return self.answer

    @ioctl(0x0707, Messages, access="w")
    def rdwr(self, data: Any) -> int:
        self.seen = [(message.addr, bytes(message.buf)) for message in data.msgs]
        for message in data.msgs:
            if message.flags & 1:
                message.buf[:] = bytes(range(1, message.len + 1))
        return len(data.msgs)

    @ioctl(0x0720, Smbus, access="w")
    def smbus(self, smbus: Any) -> None:
        self.seen = None if smbus.data is None else bytes(smbus.data)

    @ioctl(IOW("k", 0, sized(Transfer)))
    def message(self, transfers: Any) -> int:
        self.seen = [None if transfer.tx is None else bytes(transfer.tx) for transfer in transfers]
        for transfer in transfers:
            if transfer.rx is not None and transfer.tx is not None:
                transfer.rx[:] = transfer.tx
        return sum(transfer.len for transfer in transfers)

    @ioctl(IOR("E", 6, sized(c_uint8)))
    def get_name(self) -> Any:
        return self.answer

    @ioctl(IOWR("H", 7, sized(c_uint8)))
    def feature(self, report: Any) -> int:
        report[1:3] = b"ab"
        return len(report)

    @ioctl(IOR("E", range(0x20, 0x40), sized(c_uint8)))
    def bits(self, kind: int) -> bytes:
        return bytes([kind] * 4)

    @ioctl(IOWR(0xB4, 7, Line))
    def get_line(self, line: Any) -> Any:
        self.seen = line.offset
        return self.answer

    @ioctl(IOWR("M", 8, Named))
    def named(self, named: Any) -> None:
        self.seen = (named.name, named.state.speed)
        named.state.speed += 1
        named.words[:] = [1, 2, 0xFFFF]


def wire(*parts: bytes | None, at: int | None = None) -> bytes:
    """Segments as the shim sends them; None is a NULL."""
    end = at if at is not None else SEGMENTS.size + SEGMENT.size * len(parts)
    heads, body = b"", b""
    for part in parts:
        body += bytes(-(end + len(body)) % 8)
        heads += SEGMENT.pack(end + len(body), len(part or b""), int(part is None), 0, 0, 0)
        body += part or b""
    heads += bytes(end - SEGMENTS.size - len(heads))
    return SEGMENTS.pack(len(parts), 0) + heads + body


def written(answer: bytes | None) -> dict[int, tuple[int, bytes]]:
    """What an answer writes back: segment -> (from, bytes)."""
    found = {}
    if answer is not None:
        count, _ = SEGMENTS.unpack_from(answer)
        for index in range(count):
            at, _, flags, start, end, _ = SEGMENT.unpack_from(answer, SEGMENTS.size + index * SEGMENT.size)
            if flags & 2:
                found[index] = (start, answer[at + start : at + end])
    return found


def ask(board: Board, name: str, data: bytes = b"", request: int | None = None, argument: int = 0) -> Any:
    """call() by the name of a Board's method."""
    handler = getattr(Board, name)
    return call(board, handler, handler.number if request is None else request, argument, data)


# ---- Flat arguments ----------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [None, 6152], ids=["right behind the head", "elsewhere"])
def test_what_a_read_request_returns_is_copied_out(at: int | None) -> None:
    board = Board()
    board.answer = State(1, -2)

    result, out, new, place = ask(board, "get_state", wire(bytes(8), at=at))

    assert (result, new, place) == (0, None, RESULT)
    assert written(out) == {0: (0, struct.pack("<ii", 1, -2))}


def test_what_the_program_writes_is_handed_over_and_nothing_goes_back() -> None:
    board = Board()

    assert ask(board, "set_speed", wire(struct.pack("<i", -60))) == (0, None, None, RESULT)
    assert board.seen == -60


def test_a_structure_changed_in_place_goes_back_whole() -> None:
    board = Board()

    result, out, _, _ = ask(board, "move", wire(struct.pack("<ii", 4, 9)))

    assert result == 0
    assert written(out) == {0: (0, struct.pack("<ii", 5, 9))}


def test_a_structure_that_was_not_changed_does_not_go_back() -> None:
    assert ask(Board(), "move", wire(struct.pack("<ii", 4, 0))) == (0, None, None, RESULT)


def test_an_int_is_the_calls_result() -> None:
    board = Board()
    board.answer = 17

    assert [
        ask(board, name, data)[0]
        for name, data in [("set_speed", wire(bytes(4))), ("move", wire(bytes(8))), ("stop", b"")]
    ] == [17] * 3


def test_a_returned_structure_replaces_the_argument() -> None:
    board = Board()
    board.answer = State(8, 9)

    assert written(ask(board, "move", wire(bytes(8)))[1]) == {0: (0, struct.pack("<ii", 8, 9))}


def test_a_pair_is_a_result_and_what_is_copied_out() -> None:
    board = Board()
    board.answer = (3, State(8, 9))

    assert [(lambda o: (o[0], written(o[1])))(ask(board, name, wire(bytes(8)))) for name in ("get_state", "move")] == [
        (3, {0: (0, struct.pack("<ii", 8, 9))})
    ] * 2


@pytest.mark.parametrize(("raw", "value"), [(5, 5), (0xFFFFFFFF, -1), (2**64 - 2, -2), (2**40 + 7, 7)])
def test_an_argument_by_value_has_its_ctypes_sign(raw: int, value: int) -> None:
    board = Board()

    ask(board, "set_mode", argument=raw)

    assert board.seen == value
    assert unpack(Board.set_mode, 0x4D04, raw, b"") == value


@pytest.mark.parametrize("special", [WAIT, REAL])
@pytest.mark.parametrize(
    "name", ["get_state", "set_speed", "transfer", "set_mode", "move", "stop", "get_name", "get_line"]
)
def test_wait_and_real_pass_through_and_nothing_goes_back(name: str, special: Any) -> None:
    board = Board()
    board.answer = special
    data = {
        "get_state": wire(bytes(8)), "set_speed": wire(bytes(4)), "move": wire(b"\1" * 8), "get_line": wire(bytes(8)),
        "transfer": wire(struct.pack("<IxxxxQ", 4, 1), b"abcd"), "get_name": wire(bytes(9)),
    }.get(name, b"")  # fmt: skip

    assert ask(board, name, data, IOR("E", 6, c_uint8 * 9) if name == "get_name" else None) == (
        special,
        None,
        None,
        RESULT,
    )


@pytest.mark.parametrize(
    ("name", "answer", "part"),
    [
        ("get_state", None, r"Board.get_state (get_state) returned None: it must return State; is a return missing?"),
        ("get_state", 5, "returned 5: it must return State, or a pair (result, State)"),
        ("get_state", b"12345678", "returned b'12345678'"),
        ("get_state", (0, 5), "returned 5"),
        ("set_speed", -22, "to fail, raise OSError(errno)"),
        ("set_speed", "ok", "it may return None, an int, a File, WAIT or REAL"),
        ("set_speed", c_int32(4), "it may return None"),
        ("set_speed", 1 << 31, "it may return"),
        ("move", c_int32(4), "it may return None, an int, State, a File"),
        ("set_mode", 1.5, "returned 1.5"),
        ("get_name", "text", "returned 'text'"),
    ],
)
def test_an_answer_that_was_not_declared_is_named(name: str, answer: Any, part: str) -> None:
    board = Board()
    board.answer = answer
    data = {"set_mode": b"", "get_name": wire(bytes(8)), "set_speed": wire(bytes(4))}.get(name, wire(bytes(8)))

    with pytest.raises(TypeError) as caught:
        ask(board, name, data, IOR("E", 6, c_uint8 * 8) if name == "get_name" else None)

    assert part in str(caught.value)


def test_an_oserror_passes_through() -> None:
    class Refusing(Board):
        def stop(self) -> Any:
            raise OSError(errno.ERANGE, "too fast")

    with pytest.raises(OSError, match="too fast"):
        call(Refusing(), Board.stop, 0x4D06, 0, b"")


def test_a_method_replaced_on_the_instance_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Board()
    monkeypatch.setattr(board, "stop", lambda: 9)

    assert ask(board, "stop")[0] == 9


# ---- Pointers ----------------------------------------------------------------------------------------


def test_a_buffer_is_a_memoryview_and_only_its_changed_bytes_go_back() -> None:
    board = Board()
    board.answer = 4

    result, out, _, _ = ask(board, "transfer", wire(struct.pack("<IxxxxQ", 6, 0x1234), b"abcdef"))

    assert result == 4
    assert board.seen == (6, b"abcdef")
    assert written(out) == {1: (1, b"zz")}


def test_an_unchanged_buffer_is_never_written() -> None:
    board = Board()

    assert ask(board, "transfer", wire(struct.pack("<IxxxxQ", 4, 0x1234), b"azzd"))[1] is None


def test_a_returned_structure_keeps_the_programs_pointers() -> None:
    board = Board()
    board.answer = Xfer(3)

    out = ask(board, "transfer", wire(struct.pack("<IxxxxQ", 2, 0x1234), b"ab"))[1]

    assert written(out) == {0: (0, struct.pack("<IxxxxQ", 3, 0x1234))}


def messages(*parts: tuple[int, int, bytes]) -> bytes:
    """An I2C_RDWR argument."""
    heads = b"".join(struct.pack("<HHHxxQ", addr, flags, len(data), 0x9999) for addr, flags, data in parts)
    return wire(struct.pack("<QIxxxx", 0x5555, len(parts)), heads, *(data for _, _, data in parts))


def test_pointers_behind_pointers_are_followed() -> None:
    board = Board()

    result, out, _, _ = ask(board, "rdwr", messages((0x48, 0, b"\0"), (0x48, 1, bytes(2)), (0x49, 0, b"const")))

    assert result == 3
    assert board.seen == [(0x48, b"\0"), (0x48, b"\0\0"), (0x49, b"const")]
    assert written(out) == {3: (0, b"\1\2")}


@pytest.mark.parametrize(
    ("size", "data", "seen"), [(1, b"x", b"x"), (2, b"xyz", b"xyz"), (0, b"", b""), (2, None, None), (7, None, None)]
)
def test_a_length_may_come_from_a_table_and_a_null_is_none(size: int, data: bytes | None, seen: bytes | None) -> None:
    board = Board()

    ask(board, "smbus", wire(struct.pack("<IxxxxQ", size, 5), data))

    assert board.seen == seen


def test_a_sized_argument_is_as_many_structures_as_its_number_says() -> None:
    board = Board()
    transfers = struct.pack("<QQII", 1, 2, 3, 0) + struct.pack("<QQII", 1, 0, 2, 0)

    result, out, _, _ = ask(board, "message", wire(transfers, b"abc", b"de", bytes(3), None), IOW("k", 0, c_uint8 * 48))

    assert result == 5
    assert board.seen == [b"abc", b"de"]
    assert written(out) == {3: (0, b"abc")}


def test_a_size_that_is_no_whole_number_of_elements_is_einval() -> None:
    with pytest.raises(OSError, match="Invalid argument") as caught:
        ask(Board(), "message", wire(bytes(30)), IOW("k", 0, c_uint8 * 30))

    assert caught.value.errno == errno.EINVAL


@pytest.mark.parametrize(("size", "copied"), [(4, b"acme"), (9, b"acme\0")])
def test_of_a_sized_answer_as_much_goes_out_as_fits_and_its_length_is_the_result(size: int, copied: bytes) -> None:
    board = Board()
    board.answer = b"acme\0"

    result, out, _, _ = ask(board, "get_name", wire(bytes(size)), IOR("E", 6, c_uint8 * size))

    assert result == len(copied)
    assert written(out) == {0: (0, copied)}


def test_sized_bytes_are_a_memoryview_changed_in_place() -> None:
    result, out, _, _ = ask(Board(), "feature", wire(bytes(5)), IOWR("H", 7, c_uint8 * 5))

    assert result == 5
    assert written(out) == {0: (0, b"\0ab\0\0")}


def test_the_index_in_a_run_of_requests_comes_first() -> None:
    assert written(ask(Board(), "bits", wire(bytes(3)), IOR("E", 0x25, c_uint8 * 3))[1]) == {0: (0, b"\5\5\5")}


def test_text_one_structure_and_words_are_seen_as_what_they_are() -> None:
    board = Board()
    pointers = struct.pack("<QQQ", 1, 2, 3)

    out = ask(board, "named", wire(pointers, b"left\0", struct.pack("<ii", 1, 255), bytes(6)))[1]

    assert board.seen == (b"left", 255)
    assert written(out) == {2: (4, b"\0\1"), 3: (0, b"\1\0\2\0\xff\xff")}


def test_what_the_program_only_hands_in_cannot_be_written() -> None:
    shown = unpack(Board.message, IOW("k", 0, c_uint8 * 24), 0, wire(struct.pack("<QQII", 1, 0, 3, 0), b"abc", None))

    with pytest.raises(TypeError, match="read-only"):
        shown[0].tx[0] = 1


def test_a_pointer_itself_cannot_be_assigned() -> None:
    shown = unpack(Board.transfer, Board.transfer.number, 0, wire(struct.pack("<IxxxxQ", 2, 1), b"ab"))

    assert isinstance(shown, Xfer)
    with pytest.raises(TypeError, match=r"write to what it points to, \.buf\[:\] ="):
        shown.buf = b"xy"


def test_pointers_in_members_arrays_and_anonymous_unions_are_shown() -> None:
    class Payload(ctypes.Union):
        _fields_ = [("number", c_uint64), ("bytes", pointer(c_uint8, length="size"))]

    class Control(Structure):
        _anonymous_ = ("payload",)
        _fields_ = [("id", c_uint32), ("size", c_uint32), ("payload", Payload)]

    class Controls(Structure):
        _fields_ = [("one", Control), ("two", Control * 2), ("list", pointer(c_uint8, 1) * 2)]

    class Panel(Device):
        @ioctl(IOWR("V", 1, Controls))
        def set(self, controls: Any) -> None:
            seen.append(
                (
                    bytes(controls.one.bytes),
                    [bytes(two.bytes) for two in controls.two],
                    [bytes(i) for i in controls.list],
                )
            )
            seen.append((controls.two[1].id, controls.two[1].number))
            controls.two[1].id = 9

    seen: list[Any] = []
    control = "<IIQ"
    argument = b"".join(struct.pack(control, i, i, 7) for i in (1, 2, 3)) + struct.pack("<QQ", 1, 1)

    out = call(Panel(), Panel.set, Panel.set.number, 0, wire(argument, b"a", b"bb", b"ccc", b"x", b"y"))[1]

    assert seen == [(b"a", [b"bb", b"ccc"], [b"x", b"y"]), (3, 7)]
    assert written(out)[0][1][32] == 9


# ---- New files ---------------------------------------------------------------------------------------


def test_a_file_is_a_new_descriptor_as_the_result() -> None:
    board = Board()
    board.answer = Opened()

    assert ask(board, "stop") == (0, None, board.answer, RESULT)


def test_a_file_goes_into_the_argument_where_the_structure_has_a_place() -> None:
    board = Board()
    board.answer = Opened()

    result, out, new, place = ask(board, "get_line", wire(struct.pack("<Ii", 3, 0)))

    assert (result, new, place, board.seen) == (0, board.answer, 4, 3)
    assert written(out) == {0: (0, struct.pack("<Ii", 3, 0))}


# ---- Requests that nobody described --------------------------------------------------------------------


class Unknown(Device):
    answer: Any = None

    def ioctl(self, request: int, argument: Any) -> Any:
        self.seen = argument
        return self.answer


def test_an_unknown_request_gets_its_bytes_or_its_raw_argument() -> None:
    assert unpack_unknown(IO("X", 1), 7, b"") == 7
    assert unpack_unknown(IOW("X", 1, c_uint32), 7, wire(b"abcd")) == b"abcd"


def test_bytes_from_an_unknown_request_go_back() -> None:
    unknown = Unknown()
    unknown.answer = b"xy"

    result, out, _, _ = call_unknown(unknown, IOWR("X", 1, c_uint32), 7, wire(b"abcd"))

    assert (result, written(out)) == (0, {0: (0, b"xy")})
    assert unknown.seen == b"abcd"
    with pytest.raises(TypeError, match=r"Unknown\.ioctl"):
        call_unknown(unknown, IOW("X", 1, c_uint32), 7, wire(b"abcd"))
    with pytest.raises(OSError, match="nothing answers") as caught:
        call_unknown(Board(), IO("X", 1), 7, b"")
    assert caught.value.errno == errno.ENOTTY


# ---- Hostile programs ----------------------------------------------------------------------------------


HOSTILE = [
    b"", bytes(8), bytes(31), SEGMENTS.pack(0, 0) + bytes(32), SEGMENTS.pack(0xFFFFFFFF, 0) + bytes(64),
    wire(bytes(15)),
    wire(bytes(16)) + b"", wire(struct.pack("<IxxxxQ", 4, 1), b"abc"), wire(struct.pack("<IxxxxQ", 4, 1), None),
    wire(struct.pack("<IxxxxQ", 4, 1), b"abcd", b"more"), wire(None, b""),
    SEGMENTS.pack(1, 0) + SEGMENT.pack(0, 16, 0, 0, 0, 0) + bytes(16),
    SEGMENTS.pack(1, 0) + SEGMENT.pack(32, 0xFFFFFFFF, 0, 0, 0, 0) + bytes(16),
    SEGMENTS.pack(2, 0) + SEGMENT.pack(56, 16, 0, 0, 0, 0) + SEGMENT.pack(56, 4, 0, 0, 0, 0)
        + struct.pack("<IxxxxQ", 4, 1) + bytes(8),
    SEGMENTS.pack(2, 0) + SEGMENT.pack(56, 16, 2, 0, 16, 0) + SEGMENT.pack(72, 4, 2, 0, 99, 0)
        + struct.pack("<IxxxxQ", 4, 1) + bytes(8),
]  # fmt: skip


@pytest.mark.parametrize("data", HOSTILE)
def test_a_malformed_argument_is_a_valueerror(data: bytes) -> None:
    board = Board()

    with pytest.raises(ValueError, match=r"bytes|segment"):
        ask(board, "transfer", data)

    assert board.seen is None


@pytest.mark.parametrize("name", ["get_state", "set_speed", "move"])
def test_a_malformed_flat_argument_is_a_valueerror(name: str) -> None:
    board = Board()
    board.answer = State() if name == "get_state" else None

    for data in [
        b"",
        wire(bytes(3)),
        wire(bytes(9)),
        wire(bytes(8), bytes(8)),
        wire(bytes(8))[:-1],
        wire(bytes(4))[:-1],
    ]:
        if name == "get_state" and len(data) == 39:
            continue
        with pytest.raises(ValueError, match=r"bytes|segment"):
            ask(board, name, data)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(
    st.sampled_from([messages((1, 0, b"ab"), (2, 1, b"cde")), messages(), messages((1, 1, bytes(40)))]),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_damaged_arguments_are_answered_or_refused(data: bytes, damage: list[tuple[int, int]]) -> None:
    hostile = bytearray(data)
    for at, value in damage:
        hostile[at % len(hostile)] = value

    try:
        _, out, _, _ = ask(Board(), "rdwr", bytes(hostile))
    except ValueError:
        return

    assert out is None or len(out) == len(hostile)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 1), st.binary(max_size=60)), max_size=20), st.booleans()
)
def test_messages_arrive_as_they_were_sent_and_only_reads_come_back(
    parts: list[tuple[int, int, bytes]], apart: bool
) -> None:
    board = Board()
    data = messages(*parts)

    result, out, _, _ = ask(board, "rdwr", data)

    assert result == len(parts)
    assert board.seen == [(addr, bytes(text)) for addr, _, text in parts]
    after = [bytearray(text) for _, _, text in parts]
    for index, (start, changed) in written(out).items():
        after[index - 2][start : start + len(changed)] = changed
        assert parts[index - 2][1] == 1
        assert changed
        assert changed[0] != parts[index - 2][2][start]
    assert [bytes(text) for text in after] == [bytes(range(1, len(t) + 1)) if read else t for _, read, t in parts]


# ---- The table, and the shim's own walk ----------------------------------------------------------------


def test_the_table_has_exact_requests_sorted_before_patterns() -> None:
    table = compile_table(Board.ioctls.values(), native=[0x5413, IOR("T", 0x31, c_uint32), IOR("T", 9, sized(c_uint8))])
    exact, patterns, pointers, lengths = TABLE.unpack_from(table)
    rows = [ENTRY.unpack_from(table, TABLE.size + ENTRY.size * index) for index in range(exact + patterns)]

    assert [row[0] for row in rows[:exact]] == sorted(row[0] for row in rows[:exact])
    assert all(row[1] == 0xFFFFFFFF for row in rows[:exact])
    assert all(row[1] != 0xFFFFFFFF for row in rows[exact:])
    assert {row[0] for row in rows if row[3] == 8} == {0x5413, 0x80045431, 0x80005409}
    by_request = {row[0]: row for row in rows}
    assert by_request[0x80084D01][2:5] == (8, 2, 0)
    assert by_request[0x40044D02][2:5] == (4, 1, 0)
    assert by_request[0x4D04][2:5] == (0, 4, 0)
    assert by_request[0x40006B00][2:5] == (24, 17, 2)
    assert len(table) == TABLE.size + ENTRY.size * len(rows) + POINTER.size * pointers + 4 * lengths
    first = by_request[0x720][5]
    at = TABLE.size + ENTRY.size * len(rows) + POINTER.size * first
    assert POINTER.unpack_from(table, at) == (0, 8, 1, 7, 8, 2, 0, 0, 4, 3, 0, 0, 0, 0)
    assert struct.unpack("<3I", table[-12:]) == (0, 1, 3)


def test_a_handler_wins_over_a_native_request() -> None:
    table = compile_table([Board.stop], native=[0x4D06])

    assert TABLE.unpack_from(table)[0] == 1
    assert ENTRY.unpack_from(table, TABLE.size)[3] == 4


WALK = """
#include <stdlib.h>
#include <string.h>
#include "arguments.h"
#include "channel.h"
#include "memory.h"

static union { struct slot slot; uint8_t room[SLOT_SIZE]; } own;
static uint8_t *large;
static struct argument walk;

void *slot_room(struct slot *slot)
{
    if (!large)
        large = malloc(LARGE_DATA);
    return slot->large ? large : slot->data;
}
size_t slot_limit(const struct slot *slot) { (void)slot; return LARGE_DATA; }
void *slot_data(struct slot *slot, size_t size) { slot->large = size > SLOT_DATA; return slot_room(slot); }
bool copy_from_target(void *to, uintptr_t from, size_t size)
{
    if (from >= 4096)
        memcpy(to, (void *)from, size);
    return from >= 4096;
}
bool copy_to_target(uintptr_t to, const void *from, size_t size) { memcpy((void *)to, from, size); return true; }

int collect_all(const void *table, uint32_t request, void *address)
{
    if (!describe_argument(&walk, table, request, (uintptr_t)address, true))
        return -1;
    return collect_argument(&walk, &own.slot);
}
uint32_t collected(void) { return own.slot.size; }
const void *where(void) { return slot_room(&own.slot); }
int give_back(const void *answer, size_t size)
{
    memcpy(slot_room(&own.slot), answer, size);
    return return_argument(&walk, slot_room(&own.slot), own.slot.large ? LARGE_DATA : SLOT_DATA);
}
"""


class Program:
    """The shim's walk over this process's own memory, as in a program that makes an ioctl."""

    def __init__(self, folder: Path) -> None:
        (folder / "walk.c").write_text(WALK)
        command = [
            "gcc",
            "-shared",
            "-fPIC",
            "-D_GNU_SOURCE",
            "-I",
            SHIM,
            "-o",
            folder / "walk.so",
            folder / "walk.c",
            SHIM / "arguments.c",
        ]
        subprocess.run(command, check=True, timeout=120)
        self.library = ctypes.CDLL(str(folder / "walk.so"))
        self.library.where.restype = ctypes.c_void_p
        self.table = compile_table(Board.ioctls.values())

    def ioctl(self, board: Board, name: str, argument: Any, request: int | None = None) -> Any:
        """Make an ioctl; the result, or -errno."""
        handler = getattr(Board, name)
        request = handler.number if request is None else request
        error = self.library.collect_all(self.table, c_uint32(request), ctypes.byref(argument))
        if error:
            return -error
        data = ctypes.string_at(self.library.where(), self.library.collected())
        result, out, _, _ = call(board, handler, request, 0, data)
        if out is not None:
            assert self.library.give_back(out, ctypes.c_size_t(len(out)))
        return result


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    if shutil.which("gcc") is None:
        pytest.skip("the shim's walk is compiled for this: apt install gcc")
    return Program(tmp_path_factory.mktemp("walk"))


class CMessage(Structure):
    _fields_ = [("addr", c_uint16), ("flags", c_uint16), ("len", c_uint16), ("buf", ctypes.POINTER(c_uint8))]


class CMessages(Structure):
    _fields_ = [("msgs", ctypes.POINTER(CMessage)), ("nmsgs", c_uint32)]


class CTransfer(Structure):
    _fields_ = [("tx", ctypes.c_void_p), ("rx", ctypes.c_void_p), ("len", c_uint32), ("speed", c_uint32)]


class CNamed(Structure):
    _fields_ = [("name", ctypes.c_char_p), ("state", ctypes.POINTER(State)), ("words", ctypes.POINTER(c_uint16))]


def test_the_shims_walk_brings_flat_structures(program: Program) -> None:
    board, state = Board(), State(3, 4)

    assert program.ioctl(board, "move", state) == 0
    assert board.seen == (3, 4)
    assert state.position == 4

    board.answer = State(8, 9)
    assert program.ioctl(board, "get_state", state) == 0
    assert (state.position, state.speed) == (8, 9)


@pytest.mark.parametrize("length", [2, 8000], ids=["small", "in the large room"])
def test_the_shims_walk_follows_pointers_behind_pointers(program: Program, length: int) -> None:
    board, sent, received = Board(), (c_uint8 * 2)(7, 8), (c_uint8 * length)()
    array = (CMessage * 2)(CMessage(0x48, 0, 2, sent), CMessage(0x48, 1, min(length, 255), received))

    result = program.ioctl(board, "rdwr", CMessages(array, 2))

    assert result == 2
    assert board.seen[0] == (0x48, b"\7\10")
    assert bytes(received[:3]) == bytes([1, 2, 3])[:length]
    assert bytes(sent) == b"\7\10"


def test_the_shims_walk_takes_a_sized_argument_element_by_element(program: Program) -> None:
    board, tx, rx = Board(), (c_uint8 * 3)(1, 2, 3), (c_uint8 * 3)()
    array = (CTransfer * 2)(
        CTransfer(ctypes.addressof(tx), None, 2, 0), CTransfer(ctypes.addressof(tx), ctypes.addressof(rx), 3, 0)
    )

    result = program.ioctl(board, "message", array, IOW("k", 0, CTransfer * 2))

    assert result == 5
    assert board.seen == [b"\1\2", b"\1\2\3"]
    assert bytes(rx) == b"\1\2\3"


def test_the_shims_walk_takes_text_up_to_its_nul(program: Program) -> None:
    board, state, words = Board(), State(0, 41), (c_uint16 * 3)()

    result = program.ioctl(board, "named", CNamed(b"left\0right", ctypes.pointer(state), words))

    assert result == 0
    assert board.seen == (b"left", 41)
    assert state.speed == 42
    assert words[:] == [1, 2, 0xFFFF]


def test_the_shims_walk_answers_efault_for_a_null_with_a_length(program: Program) -> None:
    assert program.ioctl(Board(), "rdwr", CMessages(None, 2)) == -errno.EFAULT
    assert program.ioctl(Board(), "rdwr", CMessages(None, 0)) == 0


def test_the_shims_walk_gives_none_for_an_optional_null(program: Program) -> None:
    board = Board()
    board.seen = b"before"

    assert program.ioctl(board, "smbus", Smbus(2)) == 0
    assert board.seen is None
