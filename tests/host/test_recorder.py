"""The recorder's own parts: the ring in the face of damage, and events from records that make no sense."""

import mmap
from pathlib import Path

import pytest

from devshim.host import structures, wire
from devshim.host._channel import Ring
from devshim.host.recorded import Recorded
from devshim.host.recorder import Recording, Wanted, parts, take_in
from devshim.host.ringevents import Assembler, Program
from devshim.model.description import Descriptions
from devshim.trace.event import Event, Header, Node
from devshim.trace.format.reader import Trace

NODE = Recorded(Node("/dev/thing"), Descriptions())
HEAD = wire.RECORD.size
NAMES = (
    *("call", "number", "time", "process", "thread", "file", "device", "flags", "error", "data", "new_file"),
    *("first", "second", "third"),
)


class Programs:
    """Writes into a ring as programs do, byte for byte, damaged where that is wanted."""

    def __init__(self, path: Path) -> None:
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.head = structures.Ring.from_buffer(self.map)
        self.size = self.head.size

    def put(
        self, kind: int, data: bytes = b"", *, complete: bool = True, length: int | None = None, **members: int
    ) -> int:
        """Append a record; returns its position."""
        at = self.head.head
        room = (HEAD + len(data) + 7) & ~7
        self.head.head = at + room
        size = members.pop("size", len(data))
        values = {**dict.fromkeys(NAMES, 0), "process": 1, "thread": 1, "device": 1, "data": size, **members}
        state = wire.RECORD_MAGIC ^ at if complete else 0
        head = wire.RECORD.pack(state, room if length is None else length, kind, *(values[name] for name in NAMES))
        for offset, byte in enumerate((head + data).ljust(room, b"\0")):
            self.map[wire.RING_HEAD + (at + offset) % self.size] = byte
        return at

    def call(self, what: int, data: bytes = b"", **members: int) -> None:
        """A whole call."""
        number = self.put(wire.RECORD_BEGIN, call=what, number=self.head.head, **members)
        self.put(wire.RECORD_END, data, call=what, number=number, first=len(data))


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    return Ring(str(tmp_path / "ring"), True)


@pytest.fixture
def programs(ring: Ring, tmp_path: Path) -> Programs:
    return Programs(tmp_path / "ring")


def kinds(records: list[bytes]) -> list[int]:
    return [wire.RECORD.unpack_from(record)[2] for record in records]


# ---- The ring -------------------------------------------------------------------------------------------


def test_records_come_out_in_order_and_once(ring: Ring, programs: Programs) -> None:
    programs.put(wire.RECORD_BEGIN, b"data")
    programs.put(wire.RECORD_PAD)
    programs.put(wire.RECORD_END)

    assert kinds(ring.take(100, 1)) == [wire.RECORD_BEGIN, wire.RECORD_END]
    assert ring.take(100, 1) == []


def test_a_record_that_is_not_complete_keeps_up_what_comes_behind_it(ring: Ring, programs: Programs) -> None:
    programs.put(wire.RECORD_BEGIN)
    programs.put(wire.RECORD_MORE, b"x" * 100, complete=False)
    programs.put(wire.RECORD_END)

    assert kinds(ring.take(100, 60)) == [wire.RECORD_BEGIN]
    assert kinds(ring.take(100, 0)) == [wire.RECORD_END]
    assert ring.state()["skipped"] == 1


@pytest.mark.parametrize("length", [0, 8, 20, 1 << 30, 0xFFFFFFFF])
def test_a_record_with_a_length_that_cannot_be_is_passed_over(ring: Ring, programs: Programs, length: int) -> None:
    programs.put(wire.RECORD_BEGIN, length=length)
    programs.put(wire.RECORD_END)

    assert kinds(ring.take(100, 60)) == [wire.RECORD_END]


def test_a_record_may_meet_the_end_of_the_ring(programs: Programs, tmp_path: Path) -> None:
    programs.head.head = programs.head.tail = programs.size - HEAD - 8
    programs.put(wire.RECORD_BEGIN, b"0123456789" * 10)

    (record,) = Ring(str(tmp_path / "ring"), False).take(100, 0)
    assert record[HEAD : HEAD + 100] == b"0123456789" * 10


def test_a_head_that_somebody_moved_beyond_the_ring_is_not_believed(ring: Ring, programs: Programs) -> None:
    programs.head.head = programs.size * 5

    assert ring.take(100, 0) == []


def test_what_was_taken_is_free_again_only_when_it_is_released(ring: Ring, programs: Programs) -> None:
    programs.put(wire.RECORD_BEGIN)
    ring.take(100, 0)

    assert programs.head.tail == 0
    ring.release()
    assert programs.head.tail == programs.head.head == ring.state()["position"]


# ---- Events ---------------------------------------------------------------------------------------------


def assembled(records: list[bytes], assembler: Assembler | None = None) -> list[Event]:
    assembler = assembler or Assembler({1: NODE}.get, 0)
    found = [one for record in records for one in assembler.take(record)]
    return [one[1] for one in found if not isinstance(one, Program)]


def test_data_in_pieces_is_put_together(ring: Ring, programs: Programs) -> None:
    number = programs.put(wire.RECORD_BEGIN, call=wire.CALL_READ, number=programs.head.head, first=9, second=-1)
    programs.put(wire.RECORD_MORE, b"abc", call=1, number=number)
    programs.put(wire.RECORD_MORE, b"def", call=1, number=number)
    programs.put(wire.RECORD_END, b"ghi", number=number, first=9)

    (event,) = assembled(ring.take(100, 0))
    assert (event.name, event.size, event.result, event.data) == ("read", 9, 9, b"abcdefghi")


def test_calls_that_overlap_say_so(ring: Ring, programs: Programs) -> None:
    first = programs.put(wire.RECORD_BEGIN, call=wire.CALL_CLOSE, number=programs.head.head)
    programs.call(wire.CALL_FSYNC)
    programs.put(wire.RECORD_END, number=first)
    programs.call(wire.CALL_FSYNC)

    found = assembled(ring.take(100, 0))
    assert [(event.name, event.since) for event in found] == [("fsync", None), ("close", 0), ("fsync", None)]


@pytest.mark.parametrize(
    "damage",
    [
        {"kind": 77},
        {"kind": wire.RECORD_END, "number": 12345},
        {"kind": wire.RECORD_MORE, "number": 12345},
        {"kind": wire.RECORD_BEGIN, "size": 1 << 20},
        {"kind": wire.RECORD_LOST, "device": 9999},
    ],
)
def test_records_that_make_no_sense_disturb_nobody(ring: Ring, programs: Programs, damage: dict[str, int]) -> None:
    programs.put(**damage)  # type: ignore[arg-type]
    programs.call(wire.CALL_FSYNC)

    assert [event.name for event in assembled(ring.take(100, 0))] == ["fsync"]


@pytest.mark.parametrize("call", range(20))
def test_numbers_that_make_no_sense_still_make_a_trace_that_can_be_read(
    ring: Ring, programs: Programs, tmp_path: Path, call: int
) -> None:
    for value in (-1, 0, 1 << 62, -(1 << 62)):
        at = programs.head.head
        number = programs.put(
            wire.RECORD_BEGIN, b"\xff" * 60, call=call, number=at, first=value, second=value, third=value
        )
        programs.put(wire.RECORD_END, b"\xff" * 60, number=number, first=5, second=value, file=1, error=-3)
    recording = Recording(Wanted(str(tmp_path / "x"), Header()), pytest.fail)
    assembler = Assembler({1: NODE}.get, 0)
    for record in ring.take(100, 0):
        take_in(recording, assembler, record)
    recording.end("finished", 0)

    if (tmp_path / "x").exists():
        assert all(event.node == "/dev/thing" for event in Trace(str(tmp_path / "x")))


def test_an_assembler_goes_on_where_another_one_was(ring: Ring, programs: Programs) -> None:
    number = programs.put(wire.RECORD_BEGIN, call=wire.CALL_READ, number=programs.head.head, first=3, second=-1)
    programs.put(wire.RECORD_MORE, b"ab", call=1, number=number)
    before = Assembler({1: NODE}.get, 0)
    assembled(ring.take(100, 0), before)
    after = Assembler({1: NODE}.get, 0)
    after.restore(before.state())
    programs.put(wire.RECORD_END, b"c", number=number, first=3)

    (event,) = assembled(ring.take(100, 0), after)
    assert event.data == b"abc"


def test_an_event_too_long_for_a_line_becomes_several() -> None:
    event = Event("pread", "/dev/thing", 1, size=12 << 20, offset=7, data=bytes(10 << 20), result=10 << 20)

    found = list(parts(event))
    assert [(part.size, part.result, part.offset) for part in found] == [
        (4 << 20, 4 << 20, 7),
        (4 << 20, 4 << 20, 7 + (4 << 20)),
        (4 << 20, 2 << 20, 7 + (8 << 20)),
    ]
