"""Descriptors: one file under many numbers, in one process and over into others; what hangs on how it was opened."""

import os
import pty
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Outcome, devshim_command, devshim_environment, run, run_devshim

from devshim import embedding

MODELS = Path(__file__).with_name("models.py")
HOT = f"/dev/hot0={MODELS}:Hot"
INSIDE = pytest.param(
    ["--in-process"],
    marks=pytest.mark.skipif(embedding.shared_library() is None, reason="this Python has no shared libpython"),
    id="inside",
)
Build = Callable[..., Path]


def fine(outcome: Outcome) -> None:
    """Expect that a program ended with 0 and that nobody had anything to say."""
    assert (outcome.returncode, outcome.stderr) == (0, ""), f"{outcome.args}\n{outcome.stdout}{outcome.stderr}"


@pytest.mark.parametrize("flags", ["", "-D_FORTIFY_SOURCE=2 -O2", "-D_FORTIFY_SOURCE=3 -O2", "-D_FILE_OFFSET_BITS=64"])
@pytest.mark.parametrize("name", ["copies", "modes", "bad_pointers", "image"])
def test_programs_of_every_build_have_the_device(program: Build, name: str, flags: str) -> None:
    fine(run_devshim(program(name, "-U_FORTIFY_SOURCE", *flags.split()), "/dev/hot0", devices=[HOT]))


@pytest.mark.parametrize("host", [pytest.param([], id="beside"), INSIDE])
def test_a_file_s_flags_are_those_that_the_kernel_shows_of_its_own(program: Build, host: list[str]) -> None:
    binary = program("flags")
    master, slave = pty.openpty()
    devices = [HOT, f"/dev/ttyE0={MODELS}:Echo"]
    mine = "/dev/zero" if os.getuid() == 0 else os.ttyname(slave)  # O_NOATIME is for who owns it
    for node, own in ("/dev/hot0", mine), ("/dev/ttyE0", os.ttyname(slave)):
        native = subprocess.run([binary, own], capture_output=True, text=True, check=True, timeout=60)

        assert run_devshim(binary, node, devices=devices, options=host).stdout == native.stdout
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("host", [pytest.param([], id="beside"), INSIDE])
def test_a_descriptor_is_what_it_was_made_behind_everybody_s_back(program: Build, host: list[str]) -> None:
    devices = [f"/dev/one0={MODELS}:Number,number=1", f"/dev/two0={MODELS}:Number,number=2"]

    fine(run_devshim(program("quietly"), "/dev/one0", "/dev/two0", devices=devices, options=host))


def test_a_descriptor_is_the_device_after_exec(program: Build) -> None:
    fine(run_devshim(program("inherited"), "/dev/hot0", devices=[HOT]))


def test_a_descriptor_is_the_device_where_it_was_sent_to(program: Build) -> None:
    fine(run_devshim(program("pass_fd"), "/dev/hot0", devices=[HOT]))


def test_open_gives_the_lowest_number(program: Build) -> None:
    fine(run_devshim(program("lowest"), "/dev/hot0", devices=[HOT]))


@pytest.mark.skipif(resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 2048, reason="the hard limit allows fewer files")
def test_a_thousand_files_are_open_at_once(program: Build) -> None:
    fine(run_devshim(program("many"), "/dev/opens0", devices=[f"/dev/opens0={MODELS}:Opens"]))


def test_no_free_number_is_emfile(program: Build) -> None:
    fine(run_devshim(program("full"), "/dev/hot0", devices=[HOT]))


def test_a_missing_node_is_missing_ten_thousand_times(program: Build) -> None:
    outcome = run_devshim(program("missing"), "/dev/none0", devices=[HOT], timeout=60)

    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stderr.count("/dev/none0: not plugged") == 1


def test_nothing_of_ours_is_lost_when_all_is_closed(program: Build) -> None:
    fine(run_devshim(program("close_all"), "/dev/hot0", devices=[HOT]))


def test_calls_by_number_reach_the_device(program: Build) -> None:
    fine(run_devshim(program("raw_calls"), "/dev/hot0", devices=[HOT]))


def test_reads_by_lists_and_rings_are_refused_where_they_would_miss_the_device(program: Build) -> None:
    fine(run_devshim(program("rings"), "/dev/hot0", devices=[HOT]))


def test_a_megabyte_goes_in_one_call(program: Build) -> None:
    fine(run_devshim(program("large"), "/dev/large0", devices=[f"/dev/large0={MODELS}:Large"]))


def test_calls_that_move_data_are_refused(program: Build, tmp_path: Path) -> None:
    fine(run_devshim(program("moving"), "/dev/hot0", tmp_path / "file", devices=[HOT]))


def test_locks_meet_between_two_opens(program: Build) -> None:
    fine(run_devshim(program("locks"), "/dev/hot0", devices=[HOT], timeout=60))


@pytest.mark.parametrize("name", ["/dev/stdin", "/proc/self/fd/0", "/dev/fd/0", "/proc/thread-self/fd/0"])
def test_names_of_open_descriptors_open_the_device(name: str) -> None:
    outcome = run_devshim("sh", "-c", f"head -c 8 {name} < /dev/hot0", devices=[HOT])

    assert (outcome.stdout, outcome.stderr) == ("12345678", "")


def test_a_shell_writes_to_a_device_by_dev_stdout() -> None:
    text = f"/dev/text0={MODELS}:Text"
    outcome = run_devshim("sh", "-c", "echo =new > /dev/stdout > /dev/text0; cat /dev/text0", devices=[text])

    assert (outcome.stdout, outcome.stderr) == ("new\n", "")


def test_a_host_out_of_descriptors_refuses_and_goes_on(program: Build) -> None:
    """The hard limit binds the host too: opens beyond it fail as they do when the system's table is full."""
    limited = ["sh", "-c", 'ulimit -n 64 && exec "$0" "$@"']
    command = "for i in 1 2 3; do $0 /dev/hot0 & done; wait; head -c 8 /dev/hot0"
    words = [*limited, *devshim_command(), "run", "-d", HOT, "--", "sh", "-c", command, str(program("hoard"))]
    outcome = run(words, env=devshim_environment(), timeout=60)

    assert outcome.stdout.count("refused: ") == 3, outcome.stderr
    assert outcome.stdout.endswith("12345678")
    assert outcome.stderr == "devshim: the host has no descriptor left; allow more (ulimit -n)\n"
