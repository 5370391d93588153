"""Lines known by their shape say what the strict way says of them, and leave to it what is odd."""

import sys
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devshim.errors import ShimNotBuilt
from devshim.trace.event import Event, Header, Node
from devshim.trace.format.json_line import members_of, pairs_of
from devshim.trace.format.lines import event_of
from devshim.trace.format.reader import Trace, TraceError
from devshim.trace.format.shapes import Shapes
from devshim.trace.format.writer import Writer

HEADER = '{"format": "devtrace/1"}\n'
OPEN = '{"call": "open", "file": 1, "node": "/dev/x", "flags": "O_RDWR"}\n'
READ = '{"call": "read", "file": 1, "size": 8, "text": "%s", "time": 0.000001, "took": 0.000001}\n'
IOCTL = '{"call": "ioctl", "file": 1, "request": "0x80084d01", "out": "%s"}\n'

DATA = st.binary(max_size=40) | st.text("aZ09 \"'\\\n\r\t,:{}", max_size=40).map(str.encode)
TIMES = st.floats(0, 1e9) | st.just(0.0)
MEMORY = st.lists(st.none() | st.binary(max_size=9), min_size=1, max_size=3)
READS = st.builds(
    lambda data, more: Event("read", "/dev/x", 1, result=len(data), data=data, size=len(data) + more),
    DATA,
    st.integers(0, 9),
)
WRITES = st.builds(lambda data: Event("write", "/dev/x", 1, result=len(data), data=data), DATA)
IOCTLS = st.builds(
    lambda thread, **given: Event("ioctl", "/dev/x", 1, thread=thread, request=0xC0084D01, **given),
    st.integers(1, 2), before=MEMORY, after=MEMORY, result=st.integers(0, 3),
)  # fmt: skip
FAILED = st.builds(
    lambda error: Event("ioctl", "/dev/x", 1, request=0x4D02, argument=7, result=-1, error=error),
    st.sampled_from(["EIO", "EAGAIN"]),
)


@pytest.fixture(autouse=True, scope="module")
def at_once():
    """Shapes are made of the first line of each kind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("devshim.trace.format.shapes.OFTEN", 1)
        yield


@pytest.fixture
def written(tmp_path):
    """A function from a trace's text to its path."""

    def write(content: str):
        path = tmp_path / "a.trace"
        path.write_text(content)
        return path

    return write


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(READS | WRITES | IOCTLS | FAILED, TIMES, TIMES, st.booleans()), max_size=30))
def test_what_was_written_is_read_again(tmp_path_factory, rows) -> None:
    path = str(tmp_path_factory.mktemp("shapes") / "a.trace")
    wanted = [Event("open", "/dev/x", 1, flags=2, result=1)]
    for event, time, took, behind in rows:
        event.time, event.took = round(time, 6), round(took, 6)
        event.since = len(wanted) - 1 if behind else None
        wanted.append(event)
    writer = Writer(path, Header(nodes={"/dev/x": Node("/dev/x")}))
    for event in wanted:
        writer.event(event)
    writer.end()
    found = list(Trace(path))
    assert [
        (event.name, event.data, event.before, event.after, event.result, event.error, event.size, event.since)
        for event in found
    ] == [
        (event.name, event.data, event.before, event.after, event.result, event.error, event.size, event.since)
        for event in wanted
    ]
    assert [(event.time, event.took) for event in found] == [(event.time, event.took) for event in wanted]


@pytest.mark.parametrize(
    ("good", "line", "why"),
    [
        (READ % "abc", READ % "abcdefghi", "9 bytes came of 8"),
        (IOCTL % "00", IOCTL % "000", "two hexadecimal digits"),
        (IOCTL % "00", IOCTL % "0g", "two hexadecimal digits"),
        (READ % "abc", READ % "\\x", "no JSON"),
        (READ % "abc", READ % 'abc", "text": "d', "stands there twice"),
        (READ % "abc", (READ % "abc").replace("0.000001}", "01.000001}"), "no JSON"),
        (IOCTL % "00", (IOCTL % "00").replace('"}', '", "since": 9}'), "only 4 events"),
        (
            (IOCTL % "00").replace('"}', '", "since": 1}'),
            (IOCTL % "00").replace('"}', '", "since": 9}'),
            "only 4 events",
        ),
    ],
)
def test_a_line_that_only_looks_like_the_others_is_refused_as_it_always_was(written, good, line, why) -> None:
    with pytest.raises(TraceError, match=why):
        list(Trace(written(HEADER + OPEN + 3 * good + line)))


@pytest.mark.parametrize(
    "line",
    [
        '{"call":"write","file":1,"text":"a"}\n',
        '{"call": "write", "text": "a", "file": 1}\n',
        READ % "\\u0041",
        (READ % "a").replace("0.000001", "1e-6"),
    ],
)
def test_lines_written_in_another_way_are_read_all_the_same(written, line) -> None:
    data = [event.data for event in Trace(written(HEADER + OPEN + (READ % "b" + line) * 3))][1:]
    assert data == [b"b", b"A" if "u0041" in line else b"a"] * 3


def test_a_shape_is_recognised_with_other_data() -> None:
    shapes = Shapes()
    line = (IOCTL % "0102").encode()
    event = event_of(members_of(pairs_of(line)))
    shapes.keep(line, event, 1)
    found = shapes.find((IOCTL % "aabbcc").encode(), 1)
    assert found is not None
    assert found.after == [b"\xaa\xbb\xcc"]
    assert event.after == [b"\1\2"]


def test_a_shape_is_made_of_what_has_come_often(monkeypatch) -> None:
    monkeypatch.setattr("devshim.trace.format.shapes.OFTEN", 3)
    shapes = Shapes()
    found = []
    for number in range(4):
        line = (IOCTL % f"{number:04x}").encode()
        found.append(shapes.find(line, number) is not None)
        if not found[-1]:
            shapes.keep(line, event_of(members_of(pairs_of(line))), number)
    assert found == [False, False, False, True]


def test_long_lines_have_shapes_too_and_their_texts_are_checked_to_the_end(written) -> None:
    long = (READ % ("U" * 4990)).replace('"size": 8', '"size": 5000')
    with pytest.raises(TraceError, match=r":6: no JSON"):
        list(Trace(written(HEADER + OPEN + long * 3 + long.replace('U"', '\a"'))))
    escaped = long.replace("UU", "\\n\\\\")
    assert {event.data for event in Trace(written(HEADER + OPEN + escaped * 3))} == {b"", b"\n\\" * 2495}


PUT = st.sampled_from([bytes([byte]) for byte in b'"\\ ,:{}[]-n0a9\x00\x1f\x7f\xe9'])
LINES = (
    READ % "a b\\n",
    IOCTL % "00ff",
    '{"call": "ioctl", "file": 1, "request": "0xc0084d01", "in": "0102", "out": "0304", "since": 0}\n',
    '{"call": "ioctl", "file": 1, "request": "0xc0084d01", "in": ["01", null], "out": "0304", "result": 2}\n',
    '{"call": "write", "file": 1, "hex": "00", "time": 0.000001, "took": 0.000001}\n',
)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from([line.encode() for line in LINES]),
    st.lists(st.tuples(st.integers(0, 99), st.integers(0, 3), PUT), max_size=3),
)
def test_what_is_found_by_shape_is_what_the_strict_way_says(line, changes) -> None:
    shapes = Shapes()
    shapes.keep(line, event_of(members_of(pairs_of(line))), 1)
    changed = line
    for at, length, put in changes:
        changed = changed[:at] + put + changed[at + length :]
    found = shapes.find(changed, 1)
    if found is not None:
        assert found == event_of(members_of(pairs_of(changed)))
    elif changed == line:
        raise AssertionError("the line itself is not of its own shape")


def test_a_line_of_escapes_alone_takes_no_more_memory_than_its_length_allows(written) -> None:
    size = 1 << 20
    long = (READ % ("\\n" * size)).replace('"size": 8', f'"size": {size}')
    path = written(HEADER + OPEN + READ % "a" + READ % "b" + long)
    tracemalloc.start()
    try:
        data = [event.data for event in Trace(path)][-1]
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert data == b"\n" * size
    assert most < 16 * len(long)


def test_memory_in_very_many_pieces_is_read_without_a_shape(written) -> None:
    pieces = ", ".join(['"00", null'] * 40)
    line = f'{{"call": "ioctl", "file": 1, "request": "0x80084d01", "out": [{pieces}]}}\n'
    assert [event.after for event in Trace(written(HEADER + OPEN + line * 3))][1:] == [[b"\0", None] * 40] * 3


def test_a_reader_that_was_not_built_is_named_with_the_way_out(written, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "devshim.trace.format._pattern", None)
    with pytest.raises(ShimNotBuilt, match=r"C module that reads traces cannot be loaded \(.*\): run `make build`"):
        list(Trace(written(HEADER + OPEN + READ % "a")))


def test_where_no_two_lines_are_alike_no_shapes_are_looked_for(monkeypatch) -> None:
    monkeypatch.setattr("devshim.trace.format.shapes.PATIENCE", 8)
    shapes = Shapes()
    for number in range(20):
        line = b'{"call": "close", "file": %d}\n' % (number + 1)
        assert shapes.find(line, number) is None
        shapes.keep(line, event_of(members_of(pairs_of(line))), number)
    assert not shapes.useful
