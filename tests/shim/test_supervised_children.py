"""Static and musl programs that an ordinary program starts: each gets a supervisor, and nobody notices."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Outcome, run_devshim

from devshim.cli.seccomp import problem
from devshim.session.plugged import plugged

MODELS = Path(__file__).with_name("models.py")
HOT = f"/dev/hot0={MODELS}:Hot"
Build = Callable[..., Path]
WAYS = [
    "execve",
    "execv",
    "execvp",
    "execvpe",
    "execl",
    "execlp",
    "execle",
    "fexecve",
    "execveat",
    "syscall",
    "vfork",
    "posix_spawn",
    "posix_spawnp",
]
FOUND = "called so: 1234567"

FORBID = """
import ctypes, platform, subprocess, sys
from devshim.cli.seccomp import ALLOW, NUMBERS, Line, Program

fails_with_eperm = Line(0x06, 0, 0, 0x50001)
is_seccomp = Line(0x15, 0, 1, NUMBERS[platform.machine()][0])
lines = (Line * 4)(Line(0x20, 0, 0, 0), is_seccomp, fails_with_eperm, Line(0x06, 0, 0, ALLOW))
libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)
assert libc.prctl(22, 2, ctypes.byref(Program(4, lines))) == 0
for _ in range(2):
    subprocess.run(sys.argv[1:])
"""
"""A process in which seccomp(2) fails with EPERM, as in some containers, starts a program twice."""

pytestmark = pytest.mark.skipif(problem() is not None, reason=f"the engine seccomp does not work here: {problem()}")


@pytest.fixture
def static(program: Build) -> Path:
    """A program without a shim: STATIC NODE says what it reads there."""
    return program("ways_to_execute", "-static")


def said(outcome: Outcome) -> list[str]:
    """What a program said that ended well and had nothing to complain of."""
    assert (outcome.returncode, outcome.stderr) == (0, ""), f"{outcome.stdout}{outcome.stderr}"
    return outcome.stdout.splitlines()


def test_it_has_devices_however_it_is_executed(program: Build, static: Path) -> None:
    lines = said(run_devshim(program("ways_to_execute"), static, "/dev/hot0", devices=[HOT]))

    by_shells = [f"{way}: {static}: 1234567" for way in ("system", "popen")]
    assert lines == [*(f"{way}:  {FOUND}" for way in WAYS), *by_shells]


def test_it_has_devices_with_the_host_inside_of_its_parent(program: Build, static: Path) -> None:
    ways = program("ways_to_execute")

    lines = said(run_devshim(ways, static, "/dev/hot0", devices=[HOT], options=["--in-process"]))

    assert f"execve:  {FOUND}" in lines and len(lines) == len(WAYS) + 2


def test_a_directory_on_the_path_is_no_program(static: Path, tmp_path: Path) -> None:
    (tmp_path / static.name).mkdir()
    places = f"PATH={tmp_path}:{static.parent}:{os.environ['PATH']}"

    outcome = run_devshim("env", places, static.name, "/dev/hot0", devices=[HOT])

    assert outcome.stdout.endswith(": 1234567\n"), outcome


def test_what_runs_a_script_may_be_static(static: Path, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(f"#!{static}\n")
    script.chmod(0o755)
    (tmp_path / "node").symlink_to("/dev/hot0")

    # The interpreter gets the script's path as its node.
    outcome = run_devshim("sh", "-c", f"cd {tmp_path}; ./script", devices=[HOT])

    assert outcome.stdout.endswith(f"{static}: #!{str(static)[:5]}\n"), outcome


@pytest.mark.client("musl-gcc")
@pytest.mark.parametrize("kind", ["-static", "-pie"])
def test_a_program_with_musl_has_devices(program: Build, tmp_path: Path, kind: str) -> None:
    source = Path(__file__).parent / "programs/ways_to_execute.c"
    subprocess.run(["musl-gcc", "-w", "-fPIE", kind, source, "-o", tmp_path / "small"], check=True)

    outcome = run_devshim("bash", "-c", f"{tmp_path}/small /dev/hot0; echo $?", devices=[HOT])

    assert outcome.stdout.endswith(" 1234567\n7\n"), outcome


def test_plain_subprocess_in_a_test_starts_it_with_devices(static: Path) -> None:
    from shim.models import Hot

    with plugged({"/dev/hot0": Hot()}):
        for environment in (None, {"LANG": "C"}):
            child = subprocess.Popen([static, "/dev/hot0"], stdout=subprocess.PIPE, text=True, env=environment)
            assert child.communicate()[0] == f"{child.pid} {os.getpid()} {static}: 1234567\n"
            assert child.returncode == 7


def test_killing_its_process_group_fails_nobody_else(program: Build) -> None:
    waits = program("supervised", "-static")
    bell = f"/dev/bell0={MODELS.parents[1] / 'targets/models.py'}:Bell"
    script = (
        "import os, signal, subprocess, sys\n"
        "one = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, start_new_session=True)\n"
        "print(one.stdout.readline())\n"
        "os.killpg(one.pid, signal.SIGKILL)\n"
        "print(one.wait())\n"
    )

    lines = said(run_devshim(sys.executable, "-c", script, waits, "blocked", "/dev/bell0", devices=[bell]))

    assert lines == ["b'waiting 0 \\n'", str(-signal.SIGKILL)]


def test_it_is_started_without_devices_and_said_once_where_it_cannot_be_supervised(static: Path) -> None:
    outcome = run_devshim(sys.executable, "-c", FORBID, static, "/dev/hot0", devices=[HOT])

    why = "seccomp(2) is forbidden here, as some containers do (--security-opt seccomp=unconfined)"
    assert f"devshim: {static}: no devices in this static, Go or musl program: {why}\n" in outcome.stderr
    assert outcome.stderr.count("no devices in") == 1
    assert outcome.stdout.count("Bad file descriptor") == 2


def test_it_is_started_without_devices_and_said_once_where_a_run_is_recorded(
    static: Path, devshim_verb: Callable[..., Outcome], tmp_path: Path
) -> None:
    script = f"{static} /dev/hot0; {static} /dev/hot0; head -c2 /dev/hot0"

    outcome = devshim_verb("record", "-d", HOT, "-o", tmp_path / "a.trace", "--", "sh", "-c", script)

    assert outcome.stderr.count("no devices in this static, Go or musl program: what it does cannot be recorded") == 1
    assert outcome.returncode == 0 and outcome.stdout.endswith("12")


def test_a_program_with_its_owner_s_rights_keeps_them(static: Path, tmp_path: Path) -> None:
    owned = tmp_path / "owned"
    owned.write_bytes(static.read_bytes())
    owned.chmod(0o4755)

    outcome = run_devshim("sh", "-c", f"{owned} /dev/hot0", devices=[HOT])

    assert "Bad file descriptor" in outcome.stdout  # it has no devices, but nobody looks at its calls


@pytest.mark.client("strace")
def test_a_tracer_s_program_is_not_started_by_detours_and_has_devices_with_the_engine(
    static: Path, tmp_path: Path
) -> None:
    command = "strace", "-o", tmp_path / "calls", static, "/dev/hot0"

    alone = run_devshim(*command, devices=[HOT])
    supervised = run_devshim(*command, devices=[HOT], options=["--engine", "seccomp"])

    way_out = "a debugger or tracer starts it; devshim run --engine seccomp catches its calls"
    assert f"devshim: {static}: no devices in this static, Go or musl program: {way_out}\n" in alone.stderr
    assert (tmp_path / "calls").read_text().count("execve(") == 1
    assert supervised.stdout.endswith(f"{static}: 1234567\n") and supervised.stderr == "", supervised


def test_it_is_left_alone_where_the_user_wants_the_shim_alone(static: Path) -> None:
    outcome = run_devshim("sh", "-c", f"{static} /dev/hot0; exit 0", devices=[HOT], options=["--engine", "preload"])

    assert "Bad file descriptor" in outcome.stdout and outcome.stderr == "", outcome
