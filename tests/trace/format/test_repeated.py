"""Lines that come again are known again; where none do, nobody looks for a while, and then once more."""

from pathlib import Path

import pytest

from devshim.trace.format.reader import Trace, TraceError

HEADER = '{"format": "devtrace/1"}\n'
OPEN = '{"call": "open", "file": 1, "node": "/dev/x", "flags": "O_RDWR"}\n'
READ = '{"call": "read", "file": 1, "size": 8, "text": "%s", "time": %d.000001, "took": 0.000001}\n'


def alike(path: Path, *texts: str) -> list[int]:
    """What a trace's reads are said to be like, of lines with these texts and ever other times."""
    path.write_text(HEADER + OPEN + "".join(READ % (text, number) for number, text in enumerate(texts)))
    return [event.alike for event in Trace(path)][1:]


def test_lines_that_differ_in_their_times_alone_are_alike(tmp_path: Path) -> None:
    first, second, third, fourth = alike(tmp_path / "a.trace", "a", "b", "a", "b")
    assert (first, second) == (third, fourth)
    assert first != second


def test_after_many_different_lines_repeated_ones_are_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devshim.trace.format.repeated.PATIENCE", 16)
    monkeypatch.setattr("devshim.trace.format.repeated.PAUSE", 32)
    found = alike(tmp_path / "a.trace", *(f"a{number}" for number in range(20)), *("b" for _ in range(60)))
    assert all(found[:14])
    assert not any(found[20:40])
    assert len(set(found[-20:])) == 1
    assert found[-1]


def test_a_line_that_breaks_off_before_its_times_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.trace"
    path.write_text(HEADER + OPEN + READ % ("a", 1) + (READ % ("a", 2)).partition(', "time"')[0] + "\n")
    with pytest.raises(TraceError, match=":4: no JSON"):
        list(Trace(path))
