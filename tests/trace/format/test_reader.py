"""The reader: what it gives, and what it does with files that were made to hurt it."""

import json
import os
import resource
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devshim.trace.event import Event, Header, Node
from devshim.trace.format.json_line import LONGEST_LINE
from devshim.trace.format.lines import CALLS
from devshim.trace.format.reader import Trace, TraceError
from devshim.trace.format.writer import Writer

HEADER = '{"format": "devtrace/1"}\n'
OPEN = '{"call": "open", "file": 1, "node": "/dev/x", "flags": "O_RDWR"}\n'
READ = '{"call": "read", "file": 1, "size": 8, "text": "abc"}\n'


@pytest.fixture
def written(tmp_path):
    """A function from a trace's text or bytes to its path."""

    def write(content):
        path = tmp_path / "a.trace"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def refusal(path) -> str:
    with pytest.raises(TraceError) as caught:
        list(Trace(path))
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_events_have_their_node_number_line_and_position(written):
    path = written(HEADER + OPEN + '{"node": "/dev/x", "rdev": "10:5"}\n' + READ)
    trace = Trace(path)

    opened, read = trace

    assert (opened.number, opened.line, opened.node, opened.flags) == (1, 2, "/dev/x", os.O_RDWR)
    assert (read.number, read.line, read.node, read.data, read.result) == (2, 4, "/dev/x", b"abc", 3)
    assert path.read_bytes()[read.position :].startswith(b'{"call": "read"')
    assert trace.header.nodes["/dev/x"].rdev == (10, 5)


def test_reading_begins_again_at_any_event_that_was_met(written):
    reads = "".join(f'{{"call": "read", "file": 1, "size": {size}}}\n' for size in range(100))
    trace = Trace(written(HEADER + OPEN + reads))
    events = list(trace)

    middle = events[50]
    again = list(trace.events(middle.position, middle.number, middle.line))

    assert again == events[50:]


def test_several_readings_of_one_trace_do_not_disturb_each_other(written):
    trace = Trace(written(HEADER + OPEN + READ * 20))

    assert all(one == other for one, other in zip(trace, trace, strict=True))


def test_a_last_line_without_its_end_is_left_out_and_told(written):
    trace = Trace(written(HEADER + OPEN + READ + READ[:20]))

    assert [event.name for event in trace] == ["open", "read"]
    assert trace.left_out == 20
    assert trace.finished == ""


def test_the_end_line_says_how_it_ended(written):
    end = '{"end": "killed", "events": 2, "lost": 3, "notes": ["the ring was full"]}\n'
    trace = Trace(written(HEADER + OPEN + READ + end))
    list(trace)

    assert (trace.finished, trace.promised, trace.lost, trace.notes) == ("killed", 2, 3, ["the ring was full"])


def test_a_trace_from_a_pipe_is_read_once():
    reading, writing = os.pipe()
    threading.Thread(target=lambda: (os.write(writing, (HEADER + OPEN + READ).encode()), os.close(writing))).start()
    trace = Trace(f"/dev/fd/{reading}")

    assert len(list(trace)) == 2
    with pytest.raises(TraceError, match="a pipe is read once"):
        list(trace)
    os.close(reading)


def test_a_packed_trace_reads_as_a_plain_one_and_one_that_is_cut_off_to_there(tmp_path):
    pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    paths = [str(tmp_path / name) for name in ("a.trace", "a.trace.zst")]
    for path in paths:
        writer = Writer(path, Header())
        writer.event(Event("open", "/dev/x", 1, flags=2))
        for number in range(100):
            writer.event(Event("write", "/dev/x", 1, data=b"%d" % number, result=len(b"%d" % number)))
            writer.flush()
        writer.end()
    plain, packed = (list(Trace(path)) for path in paths)
    assert packed == plain

    with open(paths[1], "r+b") as file:
        file.truncate(os.path.getsize(paths[1]) // 2)
    trace = Trace(paths[1])
    found = list(trace)

    assert 10 < len(found) < 100
    assert found == plain[: len(found)]
    assert trace.left_out

    with open(paths[1], "r+b") as file:
        file.seek(200)
        file.write(b"\0\xff" * 20)
    assert paths[1] in refusal(paths[1])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "it is empty"),
        ("root:x:0:0::/root:/bin/bash\n", "no trace: it does not begin with"),
        ('{"format": "devtrace/1"}', "the header is cut off"),
        ('{"format": "devtrace/2"}\n', "this devshim reads devtrace/1; a newer one may read it"),
        ('{"format": "pcap/1"}\n', "is not devtrace/1"),
        ('{"format": 1}\n', "must be a text, not a whole number"),
        ('{"by": "x"}\n', "it does not begin as a trace does"),
        ('{"format": "devtrace/1", "word": 3}\n', "a pointer has 4 or 8 bytes"),
        ('{"format": "devtrace/1", "speed": 3}\n', "the header has no member 'speed'"),
        ('{"format": "devtrace/1", "nodes": [{"node": "dev/x"}]}\n', "is no absolute path"),
        ('{"format": "devtrace/1", "nodes": [{"node": "/dev/../etc/passwd"}]}\n', "climbs"),
        (
            '{"format": "devtrace/1", "nodes": [{"node": "/dev/x", "surroundings": {"/etc/passwd": {}}}]}\n',
            "not lie in",
        ),
        ('{"format": "devtrace/1", "nodes": [{"node": "/dev/x", "rdev": "99999:1"}]}\n', "no MAJOR:MINOR"),
    ],
)
def test_a_header_that_is_none_is_refused_with_the_reason(written, content, says):
    path = written(content)

    message = refusal(path)

    assert message.startswith(f"{path}:1: ")
    assert says in message


def ioctl(more: str) -> str:
    return '{"call": "ioctl", "file": 1, "request": "0x5401"' + more + "}\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("garbage\n", "no JSON"),
        ("\n", "no JSON"),
        (b"\xff\xfe\n", "no UTF-8"),
        (b"\xef\xbb\xbf" + READ.encode(), "no JSON"),
        ("[1, 2]\n", "not an object"),
        ("3\n", "not an object"),
        (READ[:-2] + "} {}\n", "something stands behind the object"),
        ('{"size": 3}\n', "a line begins with format, call, node"),
        ('{"call": "red", "file": 1}\n', "there is no such call"),
        ('{"call": ["read"], "file": 1}\n', "there is no such call"),
        ('{"call": "read", "file": 1}\n', "read lacks its member size"),
        ('{"call": "read", "file": 1, "size": 8, "colour": 1}\n', "read has no member 'colour'"),
        ('{"call": "write", "file": 1, "request": "0x5401"}\n', "write has no member 'request'"),
        ('{"call": "read", "file": 1, "size": 8, "size": 9}\n', "'size' stands there twice"),
        ('{"call": "read", "file": 1, "size": -8}\n', "-8 is not from 0"),
        ('{"call": "read", "file": 1, "size": 8.0}\n', "must be a whole number, not a number"),
        ('{"call": "read", "file": 1, "size": true}\n', "must be a whole number, not true"),
        ('{"call": "read", "file": 1, "size": "8"}\n', "must be a whole number, not text"),
        ('{"call": "read", "file": 1, "size": 99999999999999999999}\n', "is not from 0"),
        ('{"call": "read", "file": 1, "size": ' + "9" * 5000 + "}\n", "digits"),
        ('{"call": "read", "file": 1, "size": 2, "text": "abc"}\n', "3 bytes came of 2 that were asked for"),
        ('{"call": "read", "file": 1, "size": 8, "text": "abc", "result": 5}\n', "result 5, but there are 3 bytes"),
        ('{"call": "read", "file": 1, "size": 8, "text": "\\u00e4"}\n', "is not all ASCII"),
        ('{"call": "read", "file": 1, "size": 8, "text": ["abc"]}\n', "must be a text, not a list"),
        ('{"call": "read", "file": 1, "size": 8, "hex": "0"}\n', "not two hexadecimal digits a byte"),
        ('{"call": "read", "file": 1, "size": 8, "hex": "00 11"}\n', "not two hexadecimal digits a byte"),
        ('{"call": "read", "file": 1, "size": 8, "hex": "00", "text": "a"}\n', "side by side"),
        ('{"call": "read", "file": 1, "size": 8, "time": NaN}\n', "NaN is no number"),
        ('{"call": "read", "file": 1, "size": 8, "time": -Infinity}\n', "-Infinity is no number"),
        ('{"call": "read", "file": 1, "size": 8, "time": 1e999}\n', "is not from 0 to"),
        ('{"call": "read", "file": 1, "size": 8, "took": -0.1}\n', "is not from 0 to"),
        ('{"ioctl": {"request": "0x00005401", "size": [1e999]}}\n', "inf is no number"),
        ('{"call": "read", "file": 1, "size": 8, "error": "EIO", "result": 3}\n', "side by side"),
        ('{"call": "read", "file": 1, "size": 8, "error": "EEK"}\n', "no errno's name"),
        ('{"call": "read", "file": 1, "size": 8, "error": "errorcode"}\n', "no errno's name"),
        ('{"call": "read", "file": 1, "size": 8, "finished": false, "result": 3}\n', "never returned"),
        ('{"call": "read", "file": 2, "size": 8}\n', "file 2 was never opened"),
        ('{"call": "read", "size": 8}\n', "lacks its member file"),
        ('{"call": "read", "file": 1, "size": 8, "since": 3}\n', "only 1 events ended before"),
        ('{"call": "open", "file": 1, "node": "/dev/y", "flags": "O_RDWR"}\n', "file 1 is open on /dev/x already"),
        ('{"call": "open", "file": 2, "node": "/dev/y", "flags": "O_RDWT"}\n', "no flag that is known"),
        ('{"call": "open", "file": 2, "node": "/dev/y", "flags": "0xfffffffff"}\n', "no flag"),
        ('{"call": "open", "file": 2, "node": "/dev//y", "flags": "O_RDWR"}\n', "no absolute path"),
        ('{"call": "open", "file": 2, "node": "/dev/a\\u0000b", "flags": "O_RDWR"}\n', "control character 0"),
        ('{"call": "open", "file": 2, "node": "/dev/\\ud800", "flags": "O_RDWR"}\n', "surrogate"),
        ('{"call": "open", "file": 2, "node": "/dev/y", "flags": "O_RDWR", "mode": "0o8"}\n', "no octal number"),
        (ioctl(', "request": "0x5401"'), "stands there twice"),
        ('{"call": "ioctl", "file": 1, "request": "0x1_0"}\n', "no number of an ioctl"),
        (ioctl(', "in": "0g"'), "not two hexadecimal digits"),
        (ioctl(', "in": {"0": "00"}'), "must be hexadecimal digits or a list of them"),
        (ioctl(', "in": [["00"]]'), "must be hexadecimal digits"),
        (ioctl(f', "out": [{", ".join(["null"] * 70000)}]'), "70000 segments of memory"),
        (ioctl(', "place": 3'), "place without new"),
        (ioctl(', "pointers": [-1]'), "-1 is not from 0"),
        (ioctl(', "value": 18446744073709551616'), "is not from"),
        (ioctl(', "decoded": ' + "[" * 100_000 + "]" * 100_000), "nested too deeply"),
        ('{"node": "/dev/y", "surroundings": ' + '{"a":' * 500 + "1" + "}" * 500 + "}\n", "nested too deeply"),
        ('{"node": "/dev/y", "surroundings": {"/sys/a": {"text": "a", "link": "b"}}}\n', "one of text, hex, link"),
        ('{"ioctl": {"name": "x"}}\n', "an object with a member request"),
        ('{"end": 3}\n', "must be a text"),
        ('{"end": "finished", "events": -1}\n', "is not from 0"),
        ('{"program": "x", "process": 0}\n', "is not from 1"),
    ],
)
def test_a_damaged_line_is_refused_with_its_number_and_the_reason(written, line, says):
    line = line if isinstance(line, bytes) else line.encode()
    path = written((HEADER + OPEN).encode() + line + READ.encode())

    message = refusal(path)

    assert message.startswith(f"{path}:3: ")
    assert says in message
    assert len(message) < 600


def test_damaged_lines_can_be_passed_over_and_told(written):
    found = []
    trace = Trace(written(HEADER + OPEN + "garbage\n" + READ + '{"call": "red"}\n' + READ))

    events = list(trace.events(damage=lambda line, what: found.append(line)))

    assert [event.line for event in events] == [2, 4, 6]
    assert [event.number for event in events] == [1, 2, 3]
    assert found == [3, 5]


def test_members_for_people_are_left_alone(written):
    *_, event = Trace(written(HEADER + OPEN + ioctl(', "decoded": {"a": [1, {"b": null}]}')))

    assert "decoded" not in event.__dict__


def test_windows_line_ends_and_members_in_another_order_are_no_damage(written):
    path = written((HEADER + '{"flags":"O_RDWR" , "node":"/dev/x","file":1,"call":"open"}\n').replace("\n", "\r\n"))

    assert [event.node for event in Trace(path)] == ["/dev/x"]


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(TraceError, match="No such file"):
        Trace(tmp_path / "nope.trace")
    with pytest.raises(TraceError, match="directory"):
        Trace(tmp_path)


HOSTILE = {
    "one line of a gigabyte": b'{"call": "read", "file": 1, "size": 1, "text": "' + b"a" * (1 << 20),
    "a list of nothing": b'{"call": "ioctl", "file": 1, "request": "0x1", "decoded": [' + b"[]," * (1 << 20),
    "no end of spaces": b" " * (1 << 20),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_memory_stays_bounded_whatever_the_file_holds(tmp_path, name):
    path = tmp_path / "large.trace"
    with open(path, "wb") as file:
        file.write((HEADER + OPEN).encode() + HOSTILE[name])
        piece = HOSTILE[name][-(1 << 19) // 3 * 3 :]
        for _ in range(LONGEST_LINE // len(piece) + 4):
            file.write(piece)
    program = (
        "import sys; from devshim.trace.format.reader import Trace, TraceError\n"
        "try: list(Trace(sys.argv[1]))\n"
        "except TraceError as error: print(error)\n"
    )
    most = 600 << 20

    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (most, most)),
    )

    assert f"{path}:3: longer than 64 MiB" in done.stdout
    assert time.monotonic() - began < 30


def test_a_long_line_of_many_values_is_refused_before_they_are_made(written):
    path = written(HEADER + OPEN + ioctl(', "decoded": [' + "[], " * 1_100_000 + "0]"))

    assert "more than 1000000 values" in refusal(path)


def test_a_line_of_megabytes_that_is_sound_is_read(written):
    *_, event = Trace(written(HEADER + OPEN + f'{{"call": "write", "file": 1, "text": "{"[,{" * 1_000_000}"}}\n'))

    assert len(event.data) == 3_000_000


# ---- Fuzz ----------------------------------------------------------------------------------------------

NUMBERS = st.integers(-(2**65), 2**65) | st.floats() | st.booleans() | st.none()
TEXTS = st.text(max_size=8) | st.sampled_from(["/dev/x", "O_RDWR", "00ff", "0x5401", "EIO", "POLLIN", "SEEK_SET"])
VALUES = st.recursive(
    NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
MEMBERS = sorted({member for members, _ in CALLS.values() for member in members} | {"ioctl", "end", "program", "kind"})
OBJECTS = st.dictionaries(st.sampled_from(MEMBERS), VALUES, max_size=8)


def read_or_refuse(path) -> None:
    """What must hold of every file: it is read, or refused with its place, in one line."""
    refusal = None
    try:
        for event in Trace(path):
            assert event.name in CALLS
            assert event.node.startswith("/") or not event.file
            assert isinstance(event.data, bytes)
            assert isinstance(event.result, int)
    except TraceError as error:
        refusal = str(error)
    if refusal is not None:
        assert refusal.startswith(str(path))
        assert "\n" not in refusal
        refusal.encode()


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / f"fuzz-{os.getpid()}.trace"
    for start in (b"", HEADER.encode(), (HEADER + OPEN).encode()):
        path.write_bytes(start + content + b"\n")
        read_or_refuse(path)


@given(st.lists(OBJECTS, max_size=4), st.sampled_from([*CALLS, None]))
def test_arbitrary_objects_are_read_or_refused(tmp_path_factory, objects, call):
    path = tmp_path_factory.getbasetemp() / f"objects-{os.getpid()}.trace"
    with open(path, "w") as file:
        file.write(HEADER + OPEN)
        for one in objects:
            file.write(json.dumps({"call": call, **one} if call else one) + "\n")
    read_or_refuse(path)


@pytest.mark.parametrize("line", ['{"node": []}', '{"node": {"a": 1}}'])
def test_a_value_of_another_type_is_refused_where_a_text_must_be(tmp_path, line):
    path = tmp_path / "a.trace"
    path.write_text(f"{HEADER}{line}\n")
    with pytest.raises(TraceError, match=r"a\.trace:2: .*must be a text, not"):
        list(Trace(path))


SOUND = (
    '{"format": "devtrace/1", "by": "x", "nodes": [{"node": "/dev/x", "rdev": "10:5", "surroundings": '
    '{"/sys/a": {"text": "1"}, "/dev/b": {"link": "x"}}}], "ioctls": [{"request": "0x00005401"}]}\n'
    + OPEN
    + READ
    + '{"call": "ioctl", "file": 1, "request": "0x5401", "name": "A", "in": ["00", null], "out": [null, "01"], '
    '"new": 2, "place": 0, "since": 1, "time": 0.000001, "took": 0.000002}\n'
    '{"call": "poll", "file": 2, "process": 2, "thread": 3, "asked": "POLLIN|0x8000", "timeout": 0.5}\n'
    '{"end": "finished", "events": 4}\n'
).encode()


@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255), st.sampled_from("rid")), max_size=5))
def test_mutations_of_a_sound_trace_are_read_or_refused(tmp_path_factory, changes):
    path = tmp_path_factory.getbasetemp() / f"mutated-{os.getpid()}.trace"
    content = bytearray(SOUND)
    for at, byte, how in changes:
        at = min(at, len(content) - 1)
        content[at : at + (how != "i")] = b"" if how == "d" else bytes([byte])
    path.write_bytes(content)
    read_or_refuse(path)


# ---- Round trip ----------------------------------------------------------------------------------------

WHOLE = st.integers(0, 2**63 - 1)
POSITION = st.integers(-(2**63), 2**63 - 1)
MEMORY = st.none() | st.lists(st.none() | st.binary(max_size=12), min_size=1, max_size=4)
SECONDS = st.none() | st.integers(0, 10**15).map(lambda micro: round(micro / 1e6, 6))
NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=10)


@st.composite
def events(draw):
    """Any event that the format has a place for, on file 1 of /dev/x."""
    name = draw(st.sampled_from(sorted(set(CALLS) - {"open", "inherit"})))
    event = Event(name, "/dev/x", 1)
    event.process, event.thread = draw(st.integers(1, 3)), draw(st.integers(1, 2**40))
    event.time, event.took = draw(SECONDS), draw(SECONDS)
    if name in ("read", "write", "pread", "pwrite"):
        event.data = draw(st.binary(max_size=30) | st.text("ab\r\n\t~", max_size=30).map(str.encode))
        event.result = len(event.data)
    if name in ("read", "pread"):
        event.size = len(event.data) + draw(st.integers(0, 2**40))
    if name in ("pread", "pwrite", "lseek"):
        event.offset = draw(POSITION)
    if name == "lseek":
        event.operation = draw(st.sampled_from(["SEEK_SET", "SEEK_END"]))
    if name in ("mmap", "ftruncate"):
        event.size = draw(WHOLE)
    if name in ("mmap", "flock", "fcntl"):
        event.operation = draw(NAMES)
    if name == "poll":
        event.asked, event.ready = draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, 2**32 - 1))
        event.timeout = draw(SECONDS)
    if name == "ioctl":
        event.request = draw(st.integers(0, 2**32 - 1))
        event.label = draw(st.none() | NAMES)
        event.argument = draw(st.none() | POSITION)
        event.before, event.after = draw(MEMORY), draw(MEMORY)
        event.pointers = tuple(draw(st.lists(st.integers(0, 4096), max_size=3)))
        event.incomplete = draw(st.booleans())
    how = draw(st.sampled_from(["result", "error", "killed", "follows"]))
    if how == "error":
        event.error, event.result = draw(st.sampled_from(["EIO", "EAGAIN", "ENOTTY"])), -1
    elif how == "killed":
        event.finished, event.result = False, -1
    elif how == "result" and name in ("ioctl", "lseek", "fcntl"):
        event.result = draw(POSITION)
    return event


@settings(max_examples=200)
@given(st.lists(events(), max_size=8))
def test_what_was_written_is_read_again(tmp_path_factory, events):
    path = str(tmp_path_factory.getbasetemp() / f"round-{os.getpid()}.trace")
    header = Header(
        by="me", program="x", command=["x", "ä\udcff"], nodes={"/dev/x": Node("/dev/x", "tty", (4, 64), 0o620)}
    )
    writer = Writer(path, header)
    first = Event("open", "/dev/x", 1, flags=os.O_RDWR | os.O_NOCTTY | 0x80000000)
    for event in (first, *events):
        writer.event(event)
    writer.end()

    trace = Trace(path)
    found = list(trace)

    assert trace.header == header
    for number, (one, other) in enumerate(zip((first, *events), found, strict=True)):
        one.line = number + 2
        assert one == other, (vars(one), vars(other))
