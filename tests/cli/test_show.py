"""devshim show: what it prints, which events it chooses, and its surroundings: terminals, pipes, stdin."""

import io
import json
import subprocess
import sys

import pytest
from harness import devshim_command, devshim_environment
from tracetext import HEADER, LINES, write_trace

from devshim.cli import show
from devshim.trace.format.lines import TraceError


@pytest.fixture
def trace(tmp_path):
    return write_trace(tmp_path / "a.trace")


@pytest.fixture
def shown(capsys):
    """A function from words to the lines that `devshim show` prints for them."""

    def run(*words) -> list[str]:
        assert show.main([str(word) for word in words]) == 0
        return capsys.readouterr().out.splitlines()

    return run


def numbers(lines: list[str]) -> list[int]:
    return [int(line.split()[0]) for line in lines if not line.startswith("#")]


def test_each_call_is_a_line_in_straces_manner_with_ioctls_in_words(trace, shown):
    lines = shown(trace)

    assert lines[:10] == [
        "# hand by me on x86_64: prog",
        "# /dev/ttyUSB0: tty 188:0, mode 0660",
        "# /dev/i2c-1: char 89:1, mode 0666",
        "     1     0.000000  open(1</dev/ttyUSB0>, O_RDWR|O_NOCTTY) = 1 <0.000020>",
        "     2     0.001000  open(2</dev/i2c-1>, O_RDWR) = 2 <0.000010>",
        "     3     0.001100  open(/dev/i2c-1, O_RDONLY) = -1 EACCES (Permission denied) <0.000005>",
        '     4     0.002000  write(1</dev/ttyUSB0>, "AT\\r", 3) = 3 <0.000030>',
        "     5     0.003000  poll(1</dev/ttyUSB0>, POLLIN, 1.5 s) = POLLIN <0.012000>",
        '     6     0.016000  read(1</dev/ttyUSB0>, "\\r\\nOK\\r\\n", 64) = 6 <0.000010>',
        "     7     0.020000  [2] ioctl(2</dev/i2c-1>, I2C_SLAVE, 72) = 0 <0.000002>",
    ]
    assert lines[11].startswith("     9     0.022000  [2.2] ioctl(2</dev/i2c-1>, I2C_SMBUS, {")
    assert lines[11].endswith(" = -1 ENXIO (No such device or address) <0.000100>")
    assert lines[12:] == [
        "    10     0.023000  [2] close(2</dev/i2c-1>) = 0 <0.000001>",
        '    11     0.024000  read(1</dev/ttyUSB0>, "", 64) = ?',
        "# finished",
    ]


def test_an_i2c_transaction_is_decoded(trace, shown):
    (line,) = [line for line in shown(trace, "8") if not line.startswith("#")]

    assert line.startswith("     8     0.021000  [2] ioctl(2</dev/i2c-1>, I2C_SMBUS, {read_write=1, command=0, size=3")
    assert line.endswith(" = 0 <0.000400>")
    assert "=> " in line


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["3"], [3]),
        (["3-5"], [3, 4, 5]),
        (["9-", "1"], [1, 9, 10, 11]),
        (["--node", "/dev/tty*"], [1, 4, 5, 6, 11]),
        (["--file", "2"], [2, 7, 8, 9, 10]),
        (["--call", "read,write"], [4, 6, 11]),
        (["--request", "0x703"], [7]),
        (["--request", "I2C_SM*"], [8, 9]),
        (["--request", "1824"], [8, 9]),
        (["--errno", "enxio"], [9]),
        (["--errno", "any"], [3, 9]),
        (["--process", "2"], [7, 8, 9, 10]),
        (["-p", "2", "--call", "ioctl", "1-8"], [7, 8]),
        (["--call", "mmap"], []),
    ],
)
def test_events_are_chosen_by_what_they_are(trace, shown, words, expected):
    assert numbers(shown(trace, *words)) == expected


@pytest.mark.parametrize("tool", ["show", "stats", "cut", "diff"])
def test_a_node_that_the_trace_does_not_have_is_told_with_those_it_has(trace, tmp_path, tool):
    output = tmp_path / "cut.trace"
    words = {"cut": ["-o", output], "diff": [trace]}.get(tool, [])
    done = subprocess.run(
        [*devshim_command(), tool, trace, *words, "--node", "/dev/nope"],
        env=devshim_environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "devshim: --node /dev/nope: no such node in the trace, which has /dev/ttyUSB0, /dev/i2c-1"
    )
    assert not output.exists()


def test_a_node_that_was_missed_is_one_of_the_trace(tmp_path, shown):
    missed = '{"call": "open", "node": "/dev/gone", "flags": "O_RDONLY", "error": "ENOENT"}'
    path = write_trace(tmp_path / "missed.trace", [missed])

    assert numbers(shown(path, "--node", "/dev/gone")) == [1]
    assert numbers(shown(path, "--node", "/dev/gone", "--call", "read")) == []


def test_a_node_may_come_behind_what_is_shown(trace, shown):
    assert numbers(shown(trace, "--node", "/dev/later", "1-3")) == []


def test_json_has_an_object_for_each_event_with_what_is_decoded(trace, shown):
    found = [json.loads(line) for line in shown(trace, "--json")]

    assert [one["number"] for one in found] == list(range(1, 12))
    assert found[3] == {
        "number": 4, "line": 5, "node": "/dev/ttyUSB0", "call": "write", "file": 1, "text": "AT\r",
        "time": 0.002, "took": 3e-05,
    }  # fmt: skip
    assert found[7]["name"] == "I2C_SMBUS"
    assert found[7]["decoded"]["in"]["command"] == 0


def test_data_is_shortened_unless_more_is_wanted(tmp_path, shown):
    long = write_trace(tmp_path / "long.trace", [LINES[0], '{"call": "write", "file": 1, "text": "%s"}' % ("x" * 100)])

    assert f'"{"x" * 64}"..., 100) = 100' in shown(long)[-2]
    assert '"xxx"..., 100' in shown(long, "--bytes", "3")[-2]
    assert f'"{"x" * 100}", 100' in shown(long, "--bytes", "0")[-2]


def test_nothing_of_a_strangers_reaches_the_terminal_as_it_is(tmp_path, shown):
    evil = write_trace(
        tmp_path / "evil.trace",
        ['{"call": "open", "file": 1, "node": "/dev/\\u202ex\\udc9b", "flags": "O_RDWR"}',
         '{"call": "ioctl", "file": 1, "request": "0x1", "name": "A\\u2028B", "value": 1}',
         '{"call": "write", "file": 1, "hex": "1b5b326a07"}'],
        end='{"end": "\\u2029"}',
    )  # fmt: skip

    text = "\n".join(shown(evil))

    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert "\\x1b[2j\\x07" in text


def test_a_damaged_line_ends_it_with_the_line_and_a_cut_off_one_is_told(tmp_path, capfd):
    damaged = write_trace(tmp_path / "a.trace", [*LINES[:3], "garbage", *LINES[3:]])
    with pytest.raises(TraceError, match=r"a\.trace:5: no JSON"):
        show.main([str(damaged)])
    assert numbers(capfd.readouterr().out.splitlines()) == [1, 2, 3]

    with open(damaged, "w") as file:
        file.write(f"{HEADER}\n{LINES[0]}\n{LINES[1][:30]}")
    assert show.main([str(damaged)]) == 0
    out, err = capfd.readouterr()
    assert "devshim: " + str(damaged) + ":3: the last line is cut off and was left out" in err
    assert "# the recording has no end" in out


def test_a_trace_comes_from_stdin_too(trace):
    done = subprocess.run(
        [*devshim_command(), "show", "-", "--call", "close"],
        stdin=trace.open(),
        capture_output=True,
        text=True,
        env=devshim_environment(),
        check=True,
        timeout=60,
    )

    assert numbers(done.stdout.splitlines()) == [10]


def test_a_reader_that_goes_away_is_no_cause_for_words(tmp_path):
    long = write_trace(tmp_path / "long.trace", [LINES[0], *[LINES[3]] * 20000])

    done = subprocess.run(
        ["sh", "-c", '"$@" | head -1; echo "$?"', "sh", *devshim_command(), "show", str(long)],
        capture_output=True,
        text=True,
        env=devshim_environment(),
        timeout=60,
        check=True,
    )

    assert done.stderr == ""
    assert done.stdout.startswith("# hand by me")


def test_colours_are_for_terminals_without_no_color(trace, capsys, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    for no_color, expected in (("", True), ("1", False)):
        monkeypatch.setenv("NO_COLOR", no_color)
        terminal = Terminal()
        monkeypatch.setattr(sys, "stdout", terminal)
        show.main([str(trace)])
        assert ("\033[" in terminal.getvalue()) is expected
        plain = [line for line in terminal.getvalue().splitlines() if "EACCES" in line]
        assert ("\033[31m-1 EACCES" in plain[0]) is expected


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "devshim show needs a trace"),
        (["a", "b"], "b: events are told as"),
        (["a", "5-3"], "the last event comes before the first"),
        (["a", "0"], "events are told as"),
        (["a", "--call", "raed"], "did you mean read?"),
        (["a", "--errno", "EOI"], "no such errno"),
        (["a", "--file", "x"], "must be a number from 1"),
        (["a", "--jsn"], "unknown option --jsn; did you mean --json?"),
        (["/nope/a"], "/nope/a: No such file or directory"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line(words, says):
    done = subprocess.run(
        [*devshim_command(), "show", *words], capture_output=True, text=True, env=devshim_environment(), timeout=60
    )

    assert done.returncode == 2
    assert done.stderr.startswith("devshim: ")
    assert done.stderr.count("\n") == 1
    assert says in done.stderr


def test_help_explains_it(shown):
    text = "\n".join(shown("--help"))

    assert "usage: devshim show" in text
    assert "--request REQUEST" in text
    assert all(len(line) <= 104 for line in text.splitlines())
    assert "example" in text
