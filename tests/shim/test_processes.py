"""Processes: whoever the program starts, in whatever way, belongs to the run."""

import os
import pwd
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Outcome, run_devshim

MODELS = Path(__file__).with_name("models.py")
HOT = f"/dev/hot0={MODELS}:Hot"
Build = Callable[..., Path]


def fine(outcome: Outcome) -> None:
    """Expect that a program ended with 0 and that nobody had anything to say."""
    assert (outcome.returncode, outcome.stderr) == (0, ""), f"{outcome.args}\n{outcome.stdout}{outcome.stderr}"


@pytest.mark.parametrize("how", ["fork", "clone", "vfork", "vfork-first"])
def test_children_have_the_device(program: Build, how: str) -> None:
    fine(run_devshim(program("children"), how, "/dev/hot0", devices=[HOT], timeout=60))


def test_vfork_children_open_while_their_parents_threads_do(program: Build) -> None:
    fine(run_devshim(program("children", "-pthread"), "vfork-among-threads", "/dev/hot0", devices=[HOT], timeout=60))


def test_two_hundred_processes_use_one_device(program: Build) -> None:
    fine(run_devshim(program("children"), "crowd", "/dev/hot0", devices=[HOT], timeout=40))


def test_processes_that_ended_leave_room_for_others(program: Build) -> None:
    fine(run_devshim(program("children"), "row", "/dev/hot0", devices=[HOT], timeout=40))


def test_file_actions_of_posix_spawn_open_the_device(program: Build) -> None:
    fine(run_devshim(program("spawn"), "/dev/hot0", devices=[HOT]))


def test_children_keep_the_shim_whatever_becomes_of_the_environment(program: Build) -> None:
    outcome = run_devshim(program("environment"), "/dev/hot0", devices=[HOT])

    assert outcome.returncode == 0, outcome.stderr


def test_env_i_keeps_the_shim() -> None:
    outcome = run_devshim(
        "env", "-i", "/bin/sh", "-c", "head -c 8 /dev/hot0; exec env -i head -c 4 /dev/hot0", devices=[HOT]
    )

    assert (outcome.stdout, outcome.stderr) == ("123456781234", "")


def test_a_preload_of_the_users_own_is_kept(program: Build, tmp_path: Path) -> None:
    source = tmp_path / "own.c"
    source.write_text("int getuid(void) { return 4711; }")
    library = tmp_path / "own.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)

    outcome = run_devshim("sh", "-c", "id -ru; head -c 8 /dev/hot0", devices=[HOT], env={"LD_PRELOAD": str(library)})

    assert outcome.stdout == "4711\n12345678", outcome.stderr


def test_a_chain_of_execs_keeps_the_device(tmp_path: Path) -> None:
    script = tmp_path / "chain.sh"
    script.write_text('#!/bin/sh\nhead -c 1 /dev/hot0\ntest $1 -eq 0 || exec "$0" $(($1 - 1))\n')
    script.chmod(0o755)

    outcome = run_devshim(script, "20", devices=[HOT])

    assert (outcome.stdout, outcome.stderr) == ("1" * 21, "")


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_a_daemon_opens_the_device_after_it_has_cut_all_ties(program: Build, tmp_path: Path, user: str) -> None:
    if os.getuid() and user != "root":
        pytest.skip("only root can become somebody else")
    report = tmp_path / "report"
    os.mkfifo(report)
    words = [] if user == "root" else [str(pwd.getpwnam(user).pw_uid)]

    command = '"$@" & cat "$REPORT"; wait'
    outcome = run_devshim(
        "sh", "-c", command, "-", program("daemon"), "/dev/hot0", report, *words,
        devices=[HOT], env={"REPORT": str(report)}, timeout=60,
    )  # fmt: skip

    assert (outcome.stdout, outcome.stderr) == ("ok\n", "")
