"""devshim run as a user sees it: what it starts, what the program gets, and the exit code."""

import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import devshim_command, devshim_environment, run_devshim, run_devshim_verb

PLUGGED = ("/dev/ttyDEVSHIM0=gps",)
"""A device, so that the program waits for the host."""


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A TMPDIR of the test's own, short enough for a socket, in which no run may leave anything."""
    with tempfile.TemporaryDirectory(prefix="room-", dir="/tmp") as path:
        monkeypatch.setenv("TMPDIR", path)
        yield Path(path)
        assert list(Path(path).glob("devshim-*")) == []


@pytest.mark.parametrize("devices", [(), PLUGGED], ids=["alone", "with-a-device"])
class TestExitCode:
    """The command's exit code tells what became of the program."""

    def test_is_the_programs_own(self, room: Path, devices: tuple[str, ...]) -> None:
        assert run_devshim("sh", "-c", "exit 7", devices=devices).returncode == 7

    def test_is_128_and_the_signal_that_killed_it(self, room: Path, devices: tuple[str, ...]) -> None:
        assert run_devshim("sh", "-c", "kill -SEGV $$", devices=devices).returncode == 128 + signal.SIGSEGV

    def test_is_127_where_there_is_no_such_program(self, room: Path, devices: tuple[str, ...]) -> None:
        result = run_devshim("no-such-program", devices=devices)

        assert (result.returncode, result.stderr) == (127, "devshim: no-such-program: no such program on $PATH\n")

    def test_is_126_where_it_may_not_be_executed(self, room: Path, devices: tuple[str, ...]) -> None:
        text = room / "text"
        text.write_text("hello")

        result = run_devshim(str(text), devices=devices)

        assert (result.returncode, result.stderr) == (126, f"devshim: {text}: may not be executed (chmod +x?)\n")

    def test_is_127_where_the_scripts_interpreter_is_missing(self, room: Path, devices: tuple[str, ...]) -> None:
        script = room / "script"
        script.write_text("#!/no/such/interpreter\n")
        script.chmod(0o755)

        result = run_devshim(str(script), devices=devices)

        assert result.returncode == 127
        assert "interpreter" in result.stderr
        assert result.stderr.count("\n") == 1


class TestCommandLine:
    """Wrong words are one line, with a way out, and exit code 2."""

    @pytest.mark.parametrize(
        ("words", "line"),
        [
            (["run"], "no program to run; devshim run --help shows how"),
            (["run", "--devcie", "x"], "unknown option --devcie; did you mean --device?"),
            (["run", "-d"], "-d needs NODE=MODEL[,param=value...]"),
            (["run", "-x", "true"], "unknown option -x"),
            (["run", "--verbose=3", "true"], "--verbose takes no value"),
            (["run", "--linger", "soon", "true"], "--linger soon: must be seconds, 0 or more, or inf"),
            (["run", "--error-exitcode", "256", "true"], "--error-exitcode 256: must be a number from 0 to 255"),
            (
                ["run", "--deny", "/dev/*=EACES", "true"],
                "--deny /dev/*=EACES: 'EACES' is no errno; did you mean EACCES?",
            ),
            (["rnu"], "unknown verb rnu; did you mean run?"),
            (["--hlep"], "unknown option --hlep; did you mean --help?"),
        ],
    )
    def test_is_refused_in_one_line(self, words: list[str], line: str) -> None:
        result = run_devshim_verb(*words)

        assert (result.returncode, result.stdout, result.stderr) == (2, "", f"devshim: {line}\n")

    def test_in_process_without_devices_just_runs_the_program(self) -> None:
        result = run_devshim_verb("run", "--in-process", "true")

        assert (result.returncode, result.stderr) == (0, "")

    def test_the_first_word_that_is_no_option_starts_the_program(self) -> None:
        result = run_devshim_verb("run", "--linger", "1", "echo", "-v", "--help", "--")

        assert result.stdout == "-v --help --\n"

    def test_help_names_every_option_and_shows_examples(self) -> None:
        result = run_devshim_verb("run", "--help")

        assert result.returncode == 0
        for option in ("--device", "--config", "--deny", "--only-plugged", "--log", "--linger"):
            assert option in result.stdout
        assert result.stdout.count("  devshim run ") == 3
        assert max(map(len, result.stdout.splitlines())) <= 120

    @pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
    def test_help_without_a_verb_lists_the_verbs(self, words: list[str]) -> None:
        result = run_devshim_verb(*words)

        assert result.returncode == 0
        assert "doctor" in result.stdout

    def test_version_is_one_line(self) -> None:
        assert re.fullmatch(r"devshim \d+\.\d+\S*\n", run_devshim_verb("--version").stdout)

    def test_a_closed_stdout_is_no_traceback(self) -> None:
        result = subprocess.run(
            ["sh", "-c", '"$@" >&-', "sh", *devshim_command(), "run", "--help"],
            env=devshim_environment(), stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip

        assert "Traceback" not in result.stderr


def masks(status: str) -> dict[str, int]:
    """The signal masks of /proc/PID/status, without 32 and 33: glibc's own, which its posix_spawn may leave ignored."""
    lines = (line.split(":") for line in status.splitlines())
    return {name: int(mask, 16) & ~0x180000000 for name, mask in lines}


class TestEnvironment:
    """What the program finds: the user's world, the shim, and the way to the host."""

    def test_loads_the_shim_first_and_keeps_the_users_preload(self, room: Path) -> None:
        result = run_devshim("sh", "-c", "echo $LD_PRELOAD", env={"LD_PRELOAD": "libm.so.6"})

        assert re.fullmatch(r"/\S+/libdevshim.so:libm.so.6\n", result.stdout)

    def test_names_a_private_directory_that_is_gone_afterwards(self, room: Path) -> None:
        result = run_devshim("sh", "-c", "stat -c '%n %a' $DEVSHIM_RUN", devices=PLUGGED)

        assert re.fullmatch(rf"{re.escape(str(room))}/devshim-[0-9a-f]{{8}}/[0-9a-f]{{32}} 711\n", result.stdout)

    def test_tells_the_address_sanitizer_not_to_look_and_keeps_its_options(self, room: Path) -> None:
        result = run_devshim("sh", "-c", "echo $ASAN_OPTIONS", env={"ASAN_OPTIONS": "detect_leaks=0"})

        assert result.stdout == "detect_leaks=0:verify_asan_link_order=0\n"

    def test_signals_are_as_a_shell_sets_them(self, room: Path) -> None:
        show = ["grep", "-E", "Sig(Blk|Ign|Cgt)", "/proc/self/status"]
        native = subprocess.run(show, stdout=subprocess.PIPE, text=True, check=True)

        result = run_devshim(*show)

        assert masks(result.stdout) == masks(native.stdout)

    def test_no_descriptor_but_the_users_reaches_the_program(self, room: Path) -> None:
        result = run_devshim("sh", "-c", "ls -l /proc/self/fd | wc -l", devices=PLUGGED)

        assert result.stdout.split() == ["5"]  # the heading, 0, 1, 2, and the directory itself

    def test_standard_input_and_output_are_the_programs_alone(self, room: Path) -> None:
        result = run_devshim("cat", devices=PLUGGED, input="through\n")

        assert (result.stdout, result.stderr, result.returncode) == ("through\n", "", 0)

    def test_closed_standard_streams_stay_closed(self, room: Path) -> None:
        words = [*devshim_command(), "run", "-d", *PLUGGED, "--", "sh", "-c", "ls /proc/self/fd >&2"]
        result = subprocess.run(
            ["sh", "-c", '"$@" <&- >&-', "sh", *words],
            env=devshim_environment(), stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip

        # 0 is the directory that ls reads, or what sh put there; 1 stays closed, or ls opened its directory at it.
        assert set(result.stderr.split()) <= {"0", "1", "2", "3"}
        assert result.returncode == 0

    def test_a_script_without_a_first_line_runs_as_the_shell_would_run_it(self, room: Path) -> None:
        script = room / "script"
        script.write_text("echo $1\n")
        script.chmod(0o755)

        assert run_devshim(str(script), "argument").stdout == "argument\n"


class TestRunDirectory:
    """Where it is, and what happens where it cannot be."""

    def test_a_place_that_cannot_be_written_is_one_line(self, room: Path) -> None:
        result = run_devshim("true", env={"TMPDIR": str(room / "missing")})

        assert result.returncode == 125
        assert re.fullmatch(
            r"devshim: cannot make the run's directory in .*/missing: .*; set TMPDIR .*\n", result.stderr
        )

    def test_a_place_too_deep_for_a_socket_is_passed_over(self, room: Path) -> None:
        deep = room / ("x" * 60)
        deep.mkdir()

        result = run_devshim("sh", "-c", "echo $DEVSHIM_RUN", env={"TMPDIR": str(deep)})

        assert result.returncode == 0
        assert len(result.stdout.strip() + "/socket") <= 107

    def test_a_run_inside_a_run_is_refused_in_one_line(self, room: Path) -> None:
        result = run_devshim(*devshim_command(), "run", "true", env=devshim_environment())

        assert result.returncode == 125
        assert re.fullmatch(r"devshim: this is a program of another devshim run already; .*\n", result.stderr)

    def test_a_run_that_is_over_does_not_count_as_outer_one(self, room: Path) -> None:
        assert run_devshim("true", env={"DEVSHIM_RUN": str(room / "gone")}).returncode == 0


@pytest.mark.parametrize("placed", [[], ["--in-process"]])
def test_what_a_model_prints_is_on_stderr_and_none_of_it_is_lost(tmp_path: Path, placed: list[str]) -> None:
    model = tmp_path / "talker.py"
    model.write_text(
        "from devshim import Device\n"
        "class Talker(Device):\n"
        "    def read(self, size):\n"
        "        print('asked')\n"
        "        return b''\n"
    )
    buffered = {"PYTHONUNBUFFERED": ""}

    outcome = run_devshim("cat", "/dev/talker", devices=[f"/dev/talker={model}"], options=placed, env=buffered)

    assert (outcome.stdout, outcome.stderr) == ("", "asked\n")


def test_mode_of_the_directory_does_not_depend_on_the_umask(room: Path) -> None:
    before = os.umask(0o077)
    try:
        result = run_devshim("sh", "-c", "stat -c %a $DEVSHIM_RUN")
    finally:
        os.umask(before)

    assert int(result.stdout, 8) == stat.S_IRWXU | stat.S_IXGRP | stat.S_IXOTH


def test_a_program_does_not_go_on_where_no_host_can_be_forked() -> None:
    refuse = (
        "import errno, os\n"
        "def fork(): raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))\n"
        "os.fork = fork\n"
        "from devshim.cli import main\n"
        "main(['run', '--', 'sleep', '1000'])\n"
    )

    # Ends with the last process that holds its standard output.
    outcome = subprocess.run(
        [sys.executable, "-c", refuse],
        env=devshim_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert outcome.returncode == 125
    assert outcome.stderr == "devshim: Resource temporarily unavailable; allow more processes (ulimit -u)\n"
