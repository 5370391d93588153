"""devshim replay: its options, what it says where it cannot begin, and traces as specs."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from handmade import ioctl, opened, write_trace
from harness import Outcome
from recordings import record

GET = "0x80044d01"
PROGRAM = "import fcntl, os, sys; print(fcntl.ioctl(os.open(sys.argv[1], os.O_RDWR), 0x80044d01, bytes(4))[0])"

Run = Callable[..., Outcome]


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Return a trace of one node."""
    return write_trace(tmp_path / "one.trace", "/dev/thing0", [opened("/dev/thing0"), ioctl(GET, after="2a000000")])


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Return a trace of two nodes."""
    nodes = [{"node": "/dev/thing0"}, {"node": "/dev/thing1", "rdev": "240:7", "mode": "0600"}]
    events = [
        opened("/dev/thing0"),
        ioctl(GET, after="2a000000"),
        opened("/dev/thing1", 2),
        ioctl(GET, after="2b000000", file=2),
    ]
    return write_trace(tmp_path / "two.trace", nodes, events)


def test_options_may_stand_before_and_after_the_trace(devshim_verb: Run, trace: Path) -> None:
    for words in (["--strict", trace], [trace, "--strict"]):
        outcome = devshim_verb("replay", *words, sys.executable, "-c", PROGRAM, "/dev/thing0")
        assert (outcome.stdout, outcome.returncode) == ("42\n", 0)


def test_a_node_may_be_plugged_elsewhere(devshim_verb: Run, trace: Path) -> None:
    outcome = devshim_verb(
        "replay", trace, "--map", "/dev/thing0=/dev/other5", "--", sys.executable, "-c", PROGRAM, "/dev/other5"
    )
    assert outcome.stdout == "42\n"


def test_every_node_of_the_trace_is_there_with_its_numbers_and_mode(devshim_verb: Run, two: Path) -> None:
    outcome = devshim_verb("replay", two, "--", "sh", "-c", "ls -l /dev/thing1")
    assert outcome.stdout.startswith("crw-------")
    assert " 240, 7 " in outcome.stdout


def test_a_trace_is_a_spec_like_any_other(devshim_run: Run, trace: Path, two: Path) -> None:
    for spec in (f"/dev/else={trace}", f"/dev/thing0={two}", f"/dev/else={two},recorded=/dev/thing0"):
        outcome = devshim_run(sys.executable, "-c", PROGRAM, spec.partition("=")[0], devices=[spec])
        assert (outcome.stdout, outcome.returncode) == ("42\n", 0)


def test_devices_may_be_plugged_beside_the_trace_and_in_place_of_its_nodes(
    devshim_verb: Run, two: Path, trace: Path
) -> None:
    words = ["-d", f"/dev/thing1={trace}", "--", sys.executable, "-c", PROGRAM, "/dev/thing1"]
    assert devshim_verb("replay", two, *words).stdout == "42\n"


def test_a_trace_that_nobody_used_fails_the_run(devshim_verb: Run, trace: Path) -> None:
    outcome = devshim_verb("replay", trace, "--", "true")
    assert outcome.returncode == 1
    assert "nothing of the trace was used: the program opened none of its nodes" in outcome.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "no trace to replay"),
        (["x.trace"], "no program to run"),
        (["x.trace", "--strict", "--loose", "true"], "which one?"),
        (["x.trace", "--speed", "fast", "true"], "must be max, recorded, or a number above 0"),
        (["x.trace", "--map", "thing", "true"], "must be RECORDED=NODE"),
        (["x.trace", "--until", "3", "true"], "--on-miss MODEL"),
        (["x.trace", "--until", "none", "true"], "must be the number of an event"),
        (["x.trace", "--", "true"], "x.trace: No such file"),
        (["{trace}", "--map", "/dev/none=/dev/x", "true"], "has only /dev/thing0"),
        (["{trace}", "--match", "none.py", "true"], "none.py: no such file"),
        (["{trace}", "--on-miss", "nothing_like_it", "true"], "no model"),
    ],
)
def test_what_cannot_be_replayed_is_said_in_one_line(
    devshim_verb: Run, trace: Path, words: list[str], says: str
) -> None:
    outcome = devshim_verb("replay", *[word.format(trace=trace) for word in words])
    assert outcome.returncode == 2
    assert says in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def test_a_spec_must_say_which_node_it_means(devshim_run: Run, two: Path) -> None:
    outcome = devshim_run("true", devices=[f"/dev/else={two}"])
    assert outcome.returncode == 2
    assert "which of its nodes? recorded=NODE tells; it has /dev/thing0, /dev/thing1" in outcome.stderr


def test_check_says_whether_a_recording_is_still_true(devshim_verb: Run, tmp_path: Path) -> None:
    recording = tmp_path / "sensor.trace"
    words = ("--", "i2cget", "-y", "1", "0x48", "0", "w")
    assert record(recording, *words[1:], devices=["/dev/i2c-1=tmp102"]).returncode == 0
    still = devshim_verb("replay", recording, "--check", "-d", "/dev/i2c-1=tmp102", *words)
    assert still.returncode == 0
    assert "sensor.trace is still true" in still.stderr
    warmer = devshim_verb("replay", recording, "--check", "-d", "/dev/i2c-1=tmp102,celsius=99", *words)
    assert warmer.returncode == 1
    assert "not true any more: another answer" in warmer.stderr
    assert (
        devshim_verb("replay", recording, "--check", "--loose", "-d", "/dev/i2c-1=tmp102,celsius=99", *words).returncode
        == 0
    )
    other = devshim_verb("replay", recording, "--check", "-d", "/dev/i2c-1=tmp102", *words[:-2], "1", "w")
    assert other.returncode == 1
    assert "mismatch: I2C_SMBUS: " in other.stderr


def test_help_tells_the_options(devshim_verb: Run) -> None:
    outcome = devshim_verb("replay", "--help")
    assert outcome.returncode == 0
    assert all(
        option in outcome.stdout
        for option in ("--strict", "--loose", "--match", "--speed", "--map", "--on-miss", "--until")
    )


def test_a_damaged_line_is_told_when_the_replay_comes_to_it(devshim_verb: Run, trace: Path) -> None:
    trace.write_text(trace.read_text() + '{"call": "ioctl", "file": 1, "request": "0x"}\n')
    outcome = devshim_verb("replay", trace, "--", sys.executable, "-c", PROGRAM, "/dev/thing0")
    assert "one.trace:4: " in outcome.stderr
    assert outcome.returncode != 0
    assert "Traceback" not in outcome.stderr


def test_a_replay_inside_the_program_is_refused_with_the_way_out(devshim_verb: Run) -> None:
    result = devshim_verb("replay", "ft232-stty", "--in-process", "true")

    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (125, "", 1)
    assert "devshim run --in-process -d NODE=ft232-stty" in result.stderr
