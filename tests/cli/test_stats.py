"""devshim stats: what is counted, and how it is laid out."""

import io
import json
import sys

import pytest
from tracetext import LINES, write_trace

from devshim.cli import output, stats
from devshim.trace.statistics import duration, histogram


def printed(capsys, *words) -> list[str]:
    assert stats.main([str(word) for word in words]) == 0
    return capsys.readouterr().out.splitlines()


def test_calls_are_counted_by_node_and_call_with_bytes_failures_and_times(tmp_path, capsys):
    rows = printed(capsys, write_trace(tmp_path / "a.trace"))

    assert rows[0] == "/dev/ttyUSB0"
    assert rows[1].split()[:7] == ["call", "calls", "bytes", "failed", "median", "99", "%"]
    assert [row.split()[:4] for row in rows[2:6]] == [
        ["open", "1", "0", "-"],
        ["write", "1", "3", "-"],
        ["poll", "1", "0", "-"],
        ["read", "2", "6", "-"],
    ]
    assert rows[7] == "/dev/i2c-1"
    assert [row.split()[:6] for row in rows[9:]] == [
        ["open", "2", "0", "EACCES", "1", "10"],
        ["ioctl", "I2C_SLAVE", "1", "0", "-", "2"],
        ["ioctl", "I2C_SMBUS", "2", "2", "ENXIO", "1"],
        ["close", "1", "0", "-", "1", "us"],
    ]


def test_the_histogram_has_a_bar_for_each_class(tmp_path, capsys):
    read = '{"call": "read", "file": 1, "size": 9, "time": 1.0, "took": '
    times = [0.000002] * 8 + [0.0002] * 4 + [20]
    lines = [LINES[0], *(read + f"{took}}}" for took in times)]
    rows = printed(capsys, write_trace(tmp_path / "a.trace", lines))

    assert rows[3].endswith(" █   ▄         ▁")
    assert " 3 us  " in rows[3]
    assert " 20 s  " in rows[3]
    assert histogram([0, 1, 8]) == " ▁█"
    assert [duration(seconds) for seconds in (None, 4e-7, 1.5e-5, 0.25, 12)] == [
        "-",
        "0.4 us",
        "15 us",
        "250 ms",
        "12 s",
    ]


def test_json_has_an_object_for_each_row_and_choices_hold(tmp_path, capsys):
    path = write_trace(tmp_path / "a.trace")

    found = [json.loads(row) for row in printed(capsys, path, "--json", "--errno", "any")]

    assert [(one["node"], one["call"], one["errors"]) for one in found] == [
        ("/dev/i2c-1", "open", {"EACCES": 1}),
        ("/dev/i2c-1", "ioctl I2C_SMBUS", {"ENXIO": 1}),
    ]
    assert found[1]["latencies"] == [{"to": 0.0001, "calls": 1}]


def test_a_trace_without_calls_or_times_is_no_trouble(tmp_path, capsys):
    stable = [line.partition(', "time"')[0] + "}" if ', "time"' in line else line for line in LINES]

    assert printed(capsys, write_trace(tmp_path / "a.trace", [])) == ["no calls"]
    assert printed(capsys, write_trace(tmp_path / "b.trace", stable))[2].split() == [
        "open",
        "1",
        "0",
        "-",
        "-",
        "-",
        "-",
    ]


def test_a_bar_shows_how_far_a_large_trace_is_on_a_terminal_alone(tmp_path, capsys, monkeypatch):
    pytest.importorskip("rich")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(output, "LARGE", 1)
    monkeypatch.setattr(output, "OFTEN", 1)
    monkeypatch.setenv("TERM", "xterm")
    path = write_trace(tmp_path / "a.trace")
    before = printed(capsys, path)
    monkeypatch.setattr(sys, "stderr", Terminal())

    assert printed(capsys, path) == before
    assert "counting" in sys.stderr.getvalue()
