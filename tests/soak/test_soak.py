"""A little of each step of the soak; `make soak` does as much as one likes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.soak import deaths, lines, memory, sanitized, starved
from tests.soak.build import build
from tests.soak.expected import Step
from tests.soak.generate import Generator
from tests.soak.scripts import Player, play_seeds
from tests.soak.telling import answers

EXAMPLE = [Step(0, "open", (0, 0, os.O_RDWR)), Step(0, "read", (0, 8, 0, 0, -1, 0)), Step(0, "close", (0,))]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the programs of this worker are built."""
    return tmp_path_factory.mktemp("soak")


@pytest.fixture(scope="session")
def busy(folder: Path) -> Path:
    """programs/busy.c."""
    return build("busy", folder)


@pytest.fixture(scope="session")
def actors(folder: Path) -> Path:
    """programs/actors.c."""
    return build("actors", folder)


@pytest.mark.parametrize("options", [(), ("--log", os.devnull)], ids=["plain", "logged"])
def test_random_scripts_get_the_answers_that_a_model_expects(actors: Path, options: tuple[str, ...]) -> None:
    play_seeds(Player(actors, options), range(1, 21), shrink=False)


def test_a_seed_always_gives_the_same_script() -> None:
    assert Generator(7, 120).make() == Generator(7, 120).make()


def test_what_a_generator_expected_is_what_the_script_alone_says() -> None:
    generator = Generator(11, 120)

    steps = generator.make()

    assert list(answers(steps)) == generator.answers


def test_a_wrong_answer_is_noticed_and_shrunk_to_what_it_needs(actors: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.soak.expectedcalls.Calls.cell_4", lambda *arguments: None)  # as if it had to wait
    steps = [*EXAMPLE[:2], Step(0, "ioctl", (0, 4, 5, 0, 0)), EXAMPLE[2]]
    player = Player(actors)
    found = player.fails(steps)

    shorter, why = player.shrink(steps, found)

    assert "it must wait, and answered 5 0 0 0" in why
    assert [step.name for step in shorter] == ["open", "ioctl"]


@pytest.mark.parametrize("seed", range(20))
def test_after_a_death_at_a_random_moment_the_others_end_and_nothing_is_left(busy: Path, seed: int) -> None:
    deaths.kill_at_random(busy, seed)


@pytest.mark.parametrize(("processes", "threads"), [(8, 4), (1, 1)])
def test_memory_is_flat(busy: Path, processes: int, threads: int) -> None:
    memory.flat(busy, 100_000 if processes > 1 else 2000, processes, threads)


def test_calls_of_a_session_leave_nothing() -> None:
    memory.flat_session(4000)


def test_plugging_running_and_unplugging_leaves_nothing() -> None:
    memory.flat_cycles(20)


@pytest.mark.parametrize("limit", ["-n 8", "-n 22", f"-v {40 << 10}"])
def test_a_limit_that_is_too_low_is_said_in_one_line(busy: Path, limit: str) -> None:
    starved.judge(limit, starved.limited(limit, busy))


def test_one_busy_processor_is_enough(busy: Path) -> None:
    starved.judge("one processor", starved.on_one_busy_processor(busy), must_work=True)


@pytest.mark.skipif(
    not starved.can_be_another(), reason="only root can be a user of its own, and Python must be readable"
)
@pytest.mark.parametrize("processes", [1, 3, 5])
def test_too_few_processes_are_said_in_one_line(busy: Path, processes: int) -> None:
    starved.judge(f"{processes} processes", starved.among_few_processes(processes, busy))


@pytest.mark.skipif(not starved.can_mount(), reason="only root can mount a small file system")
@pytest.mark.parametrize("kilobytes", [16, 72])
def test_a_full_disk_ends_a_run_with_a_word(busy: Path, kilobytes: int) -> None:
    starved.judge(f"{kilobytes} KiB", starved.on_full_disk(kilobytes, busy))


def test_lines_of_random_traces_say_the_same_by_their_shapes_and_without() -> None:
    assert 100 < lines.compare(1, 500) < 500


@pytest.mark.client("valgrind")
def test_the_shim_is_clean_under_valgrind() -> None:
    sanitized.shim_under_valgrind(1, 100)
