"""Answers that stand: given again without the host, never where they would be others by now, or calls are seen."""

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import run_devshim, run_devshim_verb

from devshim.modelclass import module_of
from devshim.session.session import Session
from devshim.trace.format.reader import Trace

MODELS = Path(__file__).with_name("standing_models.py")
GAUGE, OTHER, PLACES = (f"/dev/gauge0={MODELS}:{name}" for name in ("Gauge", "Other", "Places"))
CALLS = 100


@pytest.fixture(scope="module")
def standing(program: Callable[..., Path]) -> Path:
    return program("standing", "-lpthread")


def ask(standing: Path, what: str, *more: object, device: str = GAUGE, options: tuple[str, ...] = ()) -> str:
    """Run the program, which has to succeed; what it printed."""
    words = [what, "/dev/gauge0", *map(str, more)]
    outcome = run_devshim(standing, *words, devices=[device], options=options)
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout


@pytest.mark.parametrize("what", ["again", "unlike", "timer", "family", "exec", "unplugged", "pointers", "signals"])
def test_an_answer_stands_until_something_moves(standing: Path, what: str) -> None:
    ask(standing, what)


@pytest.mark.parametrize("seed", range(4))
def test_all_answers_are_as_if_the_host_gave_them(standing: Path, seed: int) -> None:
    ask(standing, "random", seed, 5000)


def test_it_needs_no_host(standing: Path) -> None:
    ask(standing, "stopped")


@pytest.mark.parametrize(("threads", "processes"), [(3, 0), (0, 3), (2, 2)])
def test_nobody_gets_what_was_true_before_a_call_that_has_returned(
    standing: Path, threads: int, processes: int
) -> None:
    ask(standing, "change", threads, processes)


def test_each_file_has_answers_of_its_own(standing: Path) -> None:
    ask(standing, "files", device=PLACES)


def test_a_method_in_a_querys_place_is_called_each_time(standing: Path) -> None:
    assert int(ask(standing, "count", CALLS)) < CALLS / 2
    assert int(ask(standing, "count", CALLS, device=OTHER)) == CALLS


def test_a_program_that_only_asks_notices_that_its_host_was_killed(standing: Path) -> None:
    outcome = run_devshim(standing, "lost", "/dev/gauge0", devices=[GAUGE])

    assert ": errno" not in outcome.stderr and "standing.c" not in outcome.stderr, outcome.stderr


# ---- Where each call is seen


def test_verbose_shows_each_call(standing: Path) -> None:
    outcome = run_devshim(standing, "count", "/dev/gauge0", str(CALLS), devices=[GAUGE], options=["-v"])

    assert int(outcome.stdout) == CALLS == outcome.stderr.count("ioctl(")


def test_a_session_sees_each_call(standing: Path) -> None:
    with Session() as session:
        gauge = session.plug("/dev/gauge0", module_of(MODELS).Gauge())
        assert int(session.run(standing, "count", "/dev/gauge0", str(CALLS)).stdout) == CALLS
        assert sum(call.name == "ioctl" for call in gauge.calls) == CALLS


def test_a_recording_has_each_call(standing: Path, tmp_path: Path) -> None:
    trace = tmp_path / "gauge.trace"
    words = ("-d", GAUGE, "-o", trace, "--", standing, "count", "/dev/gauge0", str(CALLS))
    outcome = run_devshim_verb("record", *words)

    assert (outcome.returncode, int(outcome.stdout)) == (0, CALLS), outcome.stderr
    assert sum(event.name == "ioctl" for event in Trace(str(trace))) == CALLS


# ---- Replays


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Two queries with their answers, and a command between."""
    get, put = 0x80084701, 0x40044702
    lines = [
        '{"format": "devtrace/1", "made": "record", "machine": "x86_64", "word": 8, "order": "little"}',
        '{"node": "/dev/gauge0", "kind": "char", "rdev": "511:9"}',
        '{"call": "open", "file": 1, "node": "/dev/gauge0", "flags": "O_RDWR"}',
        f'{{"call": "ioctl", "file": 1, "request": "{get:#x}", "out": "0100000002000000"}}',
        f'{{"call": "ioctl", "file": 1, "request": "{get:#x}", "out": "0300000004000000"}}',
        f'{{"call": "ioctl", "file": 1, "request": "{put:#x}", "in": "05000000"}}',
        f'{{"call": "ioctl", "file": 1, "request": "{get:#x}", "out": "0500000006000000"}}',
    ]
    trace = tmp_path / "queries.trace"
    trace.write_text("\n".join(lines) + "\n")
    return trace


def test_a_replayed_query_needs_no_host_once_its_answers_have_been_given(standing: Path, recorded: Path) -> None:
    outcome = run_devshim_verb("replay", recorded, "--", standing, "stopped", "/dev/gauge0", "0x80084701")
    assert "standing.c" not in outcome.stderr
    outcome = run_devshim_verb("replay", recorded, "-v", "--", standing, "count", "/dev/gauge0", str(CALLS))

    assert outcome.stderr.count("ioctl(/dev/gauge0, 0x80084701") == CALLS
