"""devshim diff: what counts as a difference, how it is told, and the exit code."""

import re
import time

import pytest
from harness import run_devshim_verb
from tracetext import HEADER, LINES, write_trace

from devshim.cli import diff


@pytest.fixture
def compared(tmp_path, capsys):
    """A function from two lists of lines to the exit code and the lines that `devshim diff` prints."""

    def run(one, other, *options, headers=(HEADER, HEADER)):
        paths = [
            write_trace(tmp_path / name, lines, header)
            for name, lines, header in zip(("a.trace", "b.trace"), (one, other), headers, strict=True)
        ]
        code = diff.main([*options, *map(str, paths)])
        return code, [line.replace(f"{tmp_path}/", "") for line in capsys.readouterr().out.splitlines()]

    return run


def test_times_processes_and_numbers_of_files_do_not_count(compared):
    moved = [re.sub(r'"file": (\d)', lambda match: f'"file": {int(match[1]) + 7}', line) for line in LINES]
    moved = [re.sub(r', "process": 2|, "thread": 2', "", line) for line in moved]
    moved = [re.sub(r'"time": [0-9.]+', '"time": 77.5', line) for line in moved]

    assert compared(LINES, moved) == (0, [])


def test_a_changed_call_is_shown_on_both_sides_with_what_is_different(compared):
    changed = [line.replace("OK", "NO") for line in LINES]

    code, lines = compared(LINES, changed)

    assert code == 1
    assert lines == [
        "--- a.trace",
        "+++ b.trace",
        "@@ event 6, line 7 | event 6, line 7 @@",
        '  write(/dev/ttyUSB0, "AT\\r", 3) = 3',
        "  poll(/dev/ttyUSB0, POLLIN, 1.5 s) = POLLIN",
        '- read(/dev/ttyUSB0, "\\r\\nOK\\r\\n", 64) = 6',
        '+ read(/dev/ttyUSB0, "\\r\\nNO\\r\\n", 64) = 6',
        "?   byte 2: 0x4f, then 0x4e",
    ]


def test_ioctls_differ_by_their_members(compared):
    changed = [line.replace('"0100000003', '"0105000003') for line in LINES]

    code, lines = compared(LINES, changed)

    assert code == 1
    assert "?   in.command: 0, then 5" in lines


def test_memory_that_means_nothing_is_no_difference(compared):
    """Bytes 2 and 3 of struct i2c_smbus_ioctl_data are padding."""
    changed = [line.replace('"0100000003', '"0100ffee03') for line in LINES]

    assert compared(LINES, changed) == (0, [])


def test_calls_that_only_one_side_has_are_shown_where_they_stand(compared):
    code, lines = compared(LINES, [*LINES[:5], *LINES[6:], LINES[3]])

    assert code == 1
    assert [line for line in lines if line[0] in "-+@"] == [
        "--- a.trace",
        "+++ b.trace",
        "@@ event 6, line 7 | nothing in b.trace @@",
        '- read(/dev/ttyUSB0, "\\r\\nOK\\r\\n", 64) = 6',
        "@@ nothing in a.trace | event 11, line 12 @@",
        '+ write(/dev/ttyUSB0, "AT\\r", 3) = 3',
    ]


def test_nodes_and_machines_that_differ_are_told(compared):
    other = '{"format": "devtrace/1", "machine": "aarch64", "nodes": [{"node": "/dev/ttyUSB0", "kind": "tty"}]}'

    code, lines = compared(LINES, LINES, headers=(HEADER, other))

    assert code == 1
    assert lines[2:] == ["- node /dev/i2c-1", "- machine x86_64", "+ machine aarch64"]


def test_only_what_is_chosen_is_compared(compared):
    changed = [line.replace("OK", "NO") for line in LINES]

    assert compared(LINES, changed, "--node", "/dev/i2c*") == (0, [])


def test_a_trace_that_cannot_be_read_is_no_difference(tmp_path):
    good = write_trace(tmp_path / "a.trace")

    assert run_devshim_verb("diff", good, tmp_path / "nope").returncode == 2
    assert run_devshim_verb("diff", good).returncode == 2


def test_long_traces_that_differ_all_over_take_no_more_than_their_length(compared):
    """20,000 events, of which each hundredth is missing on one side or the other; quadratic would be minutes."""
    lines = [LINES[0], *(f'{{"call": "write", "file": 1, "text": "{number % 50}"}}' for number in range(20_000))]
    one = [line for number, line in enumerate(lines) if number % 200 != 100]
    other = [line for number, line in enumerate(lines) if number % 200 != 199]

    began = time.process_time()
    code, shown = compared(one, other)

    assert code == 1
    assert sum(line.startswith("@@") for line in shown) == 200
    assert time.process_time() - began < 20
