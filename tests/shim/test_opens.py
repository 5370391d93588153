"""Opens: each gets a file of its own, whoever asks at the same time, and whoever dies meanwhile."""

from collections.abc import Callable
from pathlib import Path

from harness import run_devshim

MODELS = Path(__file__).with_name("open_models.py")
COUNTED = f"/dev/counted0={MODELS}:Counted"
Build = Callable[..., Path]


def opens(program: Build, how: str, *nodes: str, devices: list[str]) -> None:
    outcome = run_devshim(program("opens"), how, *nodes, devices=devices, timeout=60)

    assert (outcome.returncode, outcome.stderr) == (0, "")


def test_who_opens_at_once_in_many_processes_and_threads_gets_files_of_their_own(program: Build) -> None:
    opens(program, "crowd", "/dev/counted0", devices=[COUNTED])


def test_an_open_needs_one_descriptor(program: Build) -> None:
    opens(program, "one-left", "/dev/counted0", devices=[COUNTED])


def test_what_is_not_writable_from_the_start_becomes_so(program: Build) -> None:
    opens(program, "shut", "/dev/counted0", "/dev/shut0", devices=[COUNTED, f"/dev/shut0={MODELS}:Shut"])


def test_flags_of_an_open_are_the_descriptors(program: Build) -> None:
    opens(program, "statuses", "/dev/counted0", devices=[COUNTED])


def test_no_file_stays_open_of_those_who_are_killed_while_they_open(program: Build) -> None:
    devices = [f"/dev/opens0={MODELS.with_name('models.py')}:Opens"]
    opens(program, "killed", "/dev/opens0", devices=devices)


def test_a_close_is_noticed_though_nobody_calls_behind_it(program: Build) -> None:
    opens(program, "heard", "/dev/counted0", "/dev/ear0", devices=[COUNTED, f"/dev/ear0={MODELS}:Listener,wanted=25"])


def test_a_child_forked_while_another_thread_opens_does_not_keep_the_file_open(program: Build) -> None:
    devices = [f"/dev/gate0={MODELS}:Gate", f"/dev/keeper0={MODELS}:Keeper", f"/dev/ear0={MODELS}:Listener,wanted=1"]
    opens(program, "forked", "/dev/gate0", "/dev/keeper0", "/dev/ear0", devices=devices)
