"""devshim cut: what is left is a sound trace that says the same."""

import json
import subprocess

import pytest
from harness import devshim_command, devshim_environment
from tracetext import HEADER, LINES, write_trace

from devshim.cli import cut, verify
from devshim.cli.usage import UsageError
from devshim.trace.event import Event
from devshim.trace.format.reader import Trace

CHAIN = (
    '{"call": "open", "file": 1, "node": "/dev/gpiochip0", "flags": "O_RDWR"}',
    '{"call": "open", "file": 2, "node": "/dev/ttyUSB0", "flags": "O_RDWR"}',
    '{"call": "ioctl", "file": 1, "request": "0xc250b407", "in": "00", "out": "01", "new": 3, "place": 0}',
    '{"call": "ioctl", "file": 1, "request": "0xc250b407", "in": "00", "out": "01", "new": 4, "place": 0}',
    '{"call": "write", "file": 2, "text": "x"}',
    '{"call": "read", "file": 4, "size": 16, "hex": "00", "since": 2}',
    '{"call": "read", "file": 2, "size": 16, "since": 1}',
)


def events(path) -> list[Event]:
    return list(Trace(path))


def test_a_range_keeps_the_opens_that_it_needs_and_is_sound(tmp_path, capsys):
    path, out = write_trace(tmp_path / "a.trace"), tmp_path / "b.trace"

    assert cut.main([str(path), "8-9", "-o", str(out)]) == 0
    assert [(event.name, event.node) for event in events(out)] == [
        ("open", "/dev/i2c-1"),
        ("ioctl", "/dev/i2c-1"),
        ("ioctl", "/dev/i2c-1"),
    ]
    assert list(Trace(out).header.nodes) == ["/dev/i2c-1"]
    assert verify.main([str(out)]) == 0


def test_files_that_ioctls_made_keep_all_that_they_come_from(tmp_path):
    header = HEADER.replace("/dev/i2c-1", "/dev/gpiochip0")
    path, out = write_trace(tmp_path / "a.trace", CHAIN, header), tmp_path / "b.trace"

    cut.main([str(path), "--file", "4", "-o", str(out)])

    found = events(out)
    assert [(event.name, event.file, event.new_file) for event in found] == [
        ("open", 1, 0),
        ("ioctl", 1, 4),
        ("read", 4, 0),
    ]
    assert found[2].since == 1, "of what is left, only the open had ended when it began"


def test_what_is_chosen_says_the_same_as_before(tmp_path):
    path, out = write_trace(tmp_path / "a.trace"), tmp_path / "b.trace.zst"

    cut.main(["--node", "/dev/tty*", str(path), "-o", str(out)])

    left = events(out)
    same = [event for event in events(path) if event.node == "/dev/ttyUSB0"]
    for one, other in zip(left, same, strict=True):
        one.number = other.number = one.line = other.line = 0
        assert one == other


def test_it_goes_to_stdout_and_on_into_another_verb(tmp_path):
    path = write_trace(tmp_path / "a.trace")
    command = " ".join(devshim_command())

    done = subprocess.run(
        ["sh", "-c", f"{command} cut {path} 4-6 | {command} show - | tail -2"],
        capture_output=True,
        text=True,
        env=devshim_environment(),
        timeout=60,
        check=True,
    )

    assert done.stdout.splitlines()[-2:] == ["# finished", "# cut from a.trace"]


def test_damage_behind_the_range_does_no_harm(tmp_path):
    path, out = write_trace(tmp_path / "a.trace", [*LINES[:6], "garbage", *LINES[6:]]), tmp_path / "b.trace"

    assert cut.main([str(path), "1-6", "-o", str(out)]) == 0
    assert len(events(out)) == 6


def test_a_trace_is_never_cut_into_itself(tmp_path):
    path = write_trace(tmp_path / "a.trace")
    before = path.read_text()

    with pytest.raises(UsageError, match="cannot be cut into itself"):
        cut.main([str(path), "1-3", "-o", str(path)])
    assert path.read_text() == before


def test_processes_and_descriptions_go_along(tmp_path):
    described = '{"ioctl": {"request": "0x00000703", "name": "MINE", "value": "u64"}}'
    path = write_trace(tmp_path / "a.trace", ['{"program": "one", "process": 2, "parent": 1}', described, *LINES])
    out = tmp_path / "b.trace"

    cut.main([str(path), "7", "-o", str(out)])

    trace = Trace(out)
    assert len(list(trace)) == 2
    assert trace.programs == {2: ("one", 1)}
    assert trace.header.ioctls[0x703]["name"] == "MINE"
    assert json.loads(out.read_text().splitlines()[-1])["notes"] == ["cut from a.trace"]
