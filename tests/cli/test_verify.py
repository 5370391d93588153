"""devshim verify: all that is wrong with a trace, with its line, and the exit code."""

import pytest
from harness import run_devshim_verb
from tracetext import LINES, write_trace

from devshim.cli import verify


@pytest.fixture
def verdict(tmp_path, capsys):
    """A function from a trace's lines to the exit code and what `devshim verify` prints."""

    def run(lines, **how):
        path = write_trace(tmp_path / "a.trace", lines, **how)
        code = verify.main(["--no-replay", str(path)])
        return code, [line.removeprefix(f"{path}:").strip() for line in capsys.readouterr().out.splitlines()]

    return run


def test_a_sound_trace_is_told_so(verdict):
    assert verdict(LINES) == (0, ["sound: 11 events of 2 nodes"])


def test_all_damage_is_told_with_its_lines(verdict):
    code, lines = verdict(
        [LINES[0], "garbage", *LINES[1:4], '{"call": "red"}', '{"call": "read", "file": 9, "size": 1}']
    )

    assert code == 1
    assert [line.partition(":")[0] for line in lines[:3]] == ["3", "7", "8"]
    assert "file 9 was never opened" in lines[2]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (LINES[0], "13: file 1 was opened in line 2 already"),
        ('{"call": "open", "file": 3, "node": "/dev/y", "flags": "O_RDWR"}', "13: no line says what node /dev/y is"),
        ('{"call": "ioctl", "file": 2, "request": "0x1", "in": "00", "out": ["00", "01"]}', "13: 1 segments of memory"),
        (
            '{"call": "ioctl", "file": 2, "request": "0x1", "out": "00", "new": 5, "place": 9}',
            "13: place 9: the argument",
        ),
        ('{"call": "ioctl", "file": 2, "request": "0x1", "in": "00", "pointers": [8]}', "13: a pointer at 8"),
        (
            '{"ioctl": {"request": "0x00000002", "argument": "u999"}}',
            "the description of ioctl 0x00000002 cannot be used",
        ),
        ('{"call": "read", "file": 1, "si', "13: no JSON"),
    ],
)
def test_what_cannot_be_true_is_told(verdict, line, says):
    code, lines = verdict([*LINES, line])

    assert code == 1
    assert any(one.startswith(says) for one in lines), lines


def test_an_end_that_is_missing_or_counts_otherwise_is_told(verdict):
    assert verdict(LINES, end=None) == (1, ["there is no end line: the recorder was killed, or still records"])
    assert verdict(LINES, end='{"end": "finished", "events": 12, "lost": 3}') == (
        1,
        ["13: the end tells of 12 events, and 11 can be read", "13: the recorder says that 3 calls are missing"],
    )


def test_what_is_no_trace_has_an_exit_code_of_its_own(tmp_path):
    (tmp_path / "no.trace").write_text("hello\n")

    done = run_devshim_verb("verify", tmp_path / "no.trace")

    assert done.returncode == 2
    assert "no.trace:1: no trace: it does not begin with" in done.stderr


def test_a_trace_is_replayed_against_itself(tmp_path):
    path = write_trace(tmp_path / "a.trace")

    done = run_devshim_verb("verify", path)

    assert done.stdout == f"{path}: sound: 11 events of 2 nodes; it replays against itself\n"
    assert done.returncode == 0


def test_a_trace_whose_replay_says_something_else_is_told_with_the_line(tmp_path):
    """A terminal has no positions, so that nobody answers its lseek but the kernel."""
    lines = [LINES[0], '{"call": "mmap", "file": 1, "size": 4096, "error": "ENODEV"}', '{"call": "lseek", "file": 1, '
             '"offset": 0, "whence": "SEEK_SET", "result": 77}']  # fmt: skip
    path = write_trace(tmp_path / "a.trace", lines)

    done = run_devshim_verb("verify", path)

    assert done.returncode == 1
    assert done.stdout.startswith(f"{path}:4: replayed, it failed with ESPIPE where the trace has lseek")
