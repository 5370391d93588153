"""A run under, around and beside other tools: debuggers, tracers, sanitizers, preloads, wrappers, limits, streams."""

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from harness import Outcome, devshim_command, devshim_environment, run, run_devshim

NODE = "/dev/devshim-test"

MODELS = """
from devshim import Device, Serial, every

class Box(Device):
    def read(self, size):
        return b"hello"[:size]

    def write(self, data):
        return len(data)

class Numbers(Device):
    number = 0

    def read(self, size):
        self.number += 1
        return b"number %d\\n" % self.number

class Ticks(Serial):
    number = 0

    @every(seconds=0.02)
    def tick(self):
        self.number += 1
        self.send(f"tick {self.number}\\n")
"""

HEAP = "read hello\nwrote 5\nioctl Inappropriate ioctl for device\n"
"""What heap.c prints of a Box."""


@pytest.fixture
def box(tmp_path: Path) -> Callable[..., Outcome]:
    """Return run(*words, model="Box"): `devshim run` with a model of MODELS at NODE."""
    (tmp_path / "models.py").write_text(MODELS)

    def start(*words: "str | Path", model: str = "Box", env: "dict[str, str] | None" = None) -> Outcome:
        device = f"{NODE}={tmp_path}/models.py:{model}"
        return run_devshim(*words, devices=[device], env={"LC_ALL": "C", **(env or {})}, cwd=tmp_path)

    return start


class TestDebugger:
    """gdb: a program may stand still for as long as somebody thinks about it."""

    @pytest.mark.client("gdb")
    @pytest.mark.parametrize(("model", "word"), [("Numbers", "number"), ("Ticks", "tick")])
    def test_nothing_is_lost_while_the_program_stands_at_a_breakpoint(
        self, box: Callable[..., Outcome], program: Callable[..., Path], model: str, word: str
    ) -> None:
        commands = ["break got", "run", "shell sleep 1", "backtrace 1", "delete", "continue", "info inferiors"]

        outcome = gdb(box, commands, program("lines"), NODE, "30", model=model)

        numbers = [int(number) for number in re.findall(rf"^\d+ {word} (\d+)$", outcome.stdout, re.MULTILINE)]
        assert len(numbers) == 30
        assert numbers == list(range(numbers[0], numbers[0] + 30))
        assert "exited normally" in outcome.stdout
        assert "devshim:" not in outcome.stderr
        assert outcome.returncode == 0

    @pytest.mark.client("gdb")
    def test_a_program_may_stand_still_in_the_middle_of_a_call(
        self, box: Callable[..., Outcome], program: Callable[..., Path]
    ) -> None:
        commands = ["break got", "run", "break converse", "continue", "shell sleep 1", "delete", "continue"]

        outcome = gdb(box, commands, program("lines"), NODE, "3", model="Numbers")

        assert re.search(r"^Breakpoint 2.* converse \(", outcome.stdout, re.MULTILINE)
        assert re.findall(r"^\d number (\d)$", outcome.stdout, re.MULTILINE) == ["1", "2", "3"]
        assert outcome.returncode == 0

    @pytest.mark.client("gdb")
    def test_a_signal_that_kills_the_program_is_seen_where_it_happens(
        self, box: Callable[..., Outcome], program: Callable[..., Path]
    ) -> None:
        outcome = gdb(box, ["break got", "run", "signal SIGSEGV", "info inferiors"], program("lines"), NODE, "3")

        assert "Program terminated with signal SIGSEGV" in outcome.stdout


def gdb(
    box: Callable[..., Outcome], commands: Sequence[str], program: Path, *arguments: str, model: str = "Box"
) -> Outcome:
    """Run a program under gdb, with commands, without questions and without the user's settings."""
    words = [word for command in commands for word in ("-ex", command)]
    return box("gdb", "-nx", "-q", "-batch", *words, "--args", program, *arguments, model=model)


class TestTracer:
    """valgrind and strace, inside and outside."""

    @pytest.mark.client("valgrind")
    @pytest.mark.parametrize("tool", ["memcheck", "helgrind"])
    def test_valgrind_finds_nothing_to_say(
        self, box: Callable[..., Outcome], program: Callable[..., Path], tool: str
    ) -> None:
        outcome = box("valgrind", "-q", f"--tool={tool}", "--error-exitcode=9", program("heap"), NODE)

        assert (outcome.stdout, outcome.returncode) == (HEAP, 0)
        assert "==" not in outcome.stderr

    @pytest.mark.client("valgrind")
    def test_valgrind_finds_nothing_to_say_of_nested_arguments(self, program: Callable[..., Path]) -> None:
        words = ["valgrind", "-q", "--error-exitcode=9", str(program("acme_client"))]

        outcome = run_devshim(*words, devices=["/dev/acme0=acme"])

        assert outcome.returncode == 0
        assert "==" not in outcome.stderr

    @pytest.mark.client("valgrind", "i2cget")
    def test_valgrind_finds_nothing_to_say_of_i2cget(self) -> None:
        outcome = run_devshim(
            "valgrind", "-q", "--error-exitcode=9", "i2cget", "-y", "1", "0x48", "0", "w", devices=["/dev/i2c-1=tmp102"]
        )

        assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("0x8015\n", "", 0)

    @pytest.mark.client("strace")
    def test_strace_inside_a_run_shows_the_programs_calls(
        self, box: Callable[..., Outcome], program: Callable[..., Path], tmp_path: Path
    ) -> None:
        outcome = box("strace", "-f", "-o", tmp_path / "calls", program("heap"), NODE)

        assert outcome.stdout == HEAP
        assert "libdevshim.so" in (tmp_path / "calls").read_text()

    @pytest.mark.client("strace")
    def test_strace_around_a_run_follows_all_of_it(self, program: Callable[..., Path], tmp_path: Path) -> None:
        (tmp_path / "models.py").write_text(MODELS)
        words = [
            "strace",
            "-f",
            "-o",
            str(tmp_path / "calls"),
            *devshim_command(),
            "run",
            "-d",
            f"{NODE}=models.py:Box",
        ]

        outcome = run(
            [*words, "--", str(program("heap")), NODE], env=devshim_environment({"LC_ALL": "C"}), cwd=tmp_path
        )

        assert outcome.stdout == HEAP
        assert outcome.returncode == 0


class TestSanitizers:
    """Programs built with a sanitizer, whose library wants to be first."""

    @pytest.mark.parametrize(
        "flags", [("-fsanitize=address",), ("-fsanitize=address", "-static-libasan"), ("-fsanitize=undefined",)]
    )
    def test_start_and_find_nothing_to_say(
        self, box: Callable[..., Outcome], program: Callable[..., Path], flags: Sequence[str]
    ) -> None:
        outcome = box(program("heap", *flags), NODE, env={"ASAN_OPTIONS": "detect_leaks=0"})

        assert (outcome.stdout, outcome.returncode) == (HEAP, 0)
        assert "Sanitizer" not in outcome.stderr


NOTER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

int open(const char *path, int flags, ...)
{
    int (*next)(const char *, int, int) = (int (*)(const char *, int, int))dlsym(RTLD_NEXT, "open");
    if (getenv("DEVSHIM_RUN"))
        fprintf(stderr, "opens %s\n", path);
    return next(path, flags, 0);
}
"""
"""A library that tells of each open() in a run's programs."""


class TestOtherPreload:
    """A library that the user preloads himself."""

    def test_stands_behind_ours_and_sees_what_is_not_plugged(self, box: Callable[..., Outcome], tmp_path: Path) -> None:
        (tmp_path / "noter.c").write_text(NOTER)
        compiler = shlex.split(os.environ.get("CC", "cc"))
        subprocess.run([*compiler, "-shared", "-fPIC", "-o", "noter.so", "noter.c", "-ldl"], cwd=tmp_path, check=True)
        (tmp_path / "text").write_text("text")

        outcome = box("head", "-qc", "4", "text", NODE, env={"LD_PRELOAD": str(tmp_path / "noter.so")})

        assert outcome.stdout == "texthell"
        assert outcome.stderr == "opens text\n"

    def test_that_is_missing_is_the_loaders_to_tell(self, box: Callable[..., Outcome], tmp_path: Path) -> None:
        outcome = box("head", "-c", "4", NODE, env={"LD_PRELOAD": "/missing.so"})

        assert outcome.stdout == "hell"
        assert "/missing.so" in outcome.stderr


class TestWrappers:
    """Programs that start the program."""

    @pytest.mark.parametrize(
        "words",
        [
            "timeout 20", "nohup", "setsid -w", "nice", "stdbuf -oL", "env -i LC_ALL=C", "env -u LD_PRELOAD",
            "env LD_PRELOAD=", "sh -c 'exec \"$0\" \"$@\"'", "xargs -a /dev/null", "chrt -o 0",
            "prlimit --nofile=20",
        ],
    )  # fmt: skip
    def test_hand_the_devices_on(self, box: Callable[..., Outcome], program: Callable[..., Path], words: str) -> None:
        outcome = box(*shlex.split(words), program("heap"), NODE)

        assert (outcome.stdout, outcome.returncode) == (HEAP, 0)

    @pytest.mark.client("setpriv")
    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
    def test_that_drop_the_user_hand_the_devices_on(self, box: Callable[..., Outcome]) -> None:
        outcome = box("setpriv", "--reuid", "65534", "--clear-groups", "head", "-c", "5", NODE)

        assert (outcome.stdout, outcome.stderr) == ("hello", "")

    def test_that_are_devshim_itself_are_refused_in_one_line(self, box: Callable[..., Outcome]) -> None:
        outcome = box(*devshim_command(), "run", "-d", "/dev/other=gps", "--", "true", env=devshim_environment())

        assert outcome.stderr == (
            "devshim: this is a program of another devshim run already; add its -d options to that one\n"
        )
        assert outcome.returncode == 125

    def test_of_the_other_verbs_work_inside_a_run(self, box: Callable[..., Outcome]) -> None:
        outcome = box(*devshim_command(), "devices", "tmp102", env=devshim_environment())

        assert "SBOS397" in outcome.stdout
        assert outcome.returncode == 0


class TestStreams:
    """What the user's shell does to the command's streams."""

    def shell(self, script: str, folder: Path) -> Outcome:
        """Run a script of bash in which $devshim is `devshim run` with a Box and Ticks."""
        (folder / "models.py").write_text(MODELS)
        words = [*devshim_command(), "run", "-d", f"{NODE}=models.py:Box", "-d", f"{NODE}-ticks=models.py:Ticks", "--"]
        prelude = f"devshim=({shlex.join(words)}); NODE={NODE}; "
        return run(["bash", "-c", prelude + script], env=devshim_environment({"LC_ALL": "C"}), cwd=folder)

    def test_a_reader_that_goes_away_ends_the_program_with_sigpipe(self, tmp_path: Path) -> None:
        outcome = self.shell('"${devshim[@]}" cat $NODE-ticks | head -n 1; echo ${PIPESTATUS[@]}', tmp_path)

        assert re.fullmatch(r"tick \d+\n141 0\n", outcome.stdout)
        assert outcome.stderr == ""

    @pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-", "<&- >&- 2>&-"])
    def test_closed_ones_stay_the_programs_affair(self, tmp_path: Path, closed: str) -> None:
        script = f'"${{devshim[@]}}" sh -c "head -c 5 $NODE >got" {closed}; echo $?; cat got'

        outcome = self.shell(script, tmp_path)

        assert (outcome.stdout, outcome.stderr) == ("0\nhello", "")

    def test_a_full_disk_is_the_programs_to_tell(self, tmp_path: Path) -> None:
        outcome = self.shell('"${devshim[@]}" head -c 5 $NODE >/dev/full; echo $?', tmp_path)

        assert outcome.stdout == "1\n"
        assert "No space left on device" in outcome.stderr
        assert "devshim:" not in outcome.stderr

    def test_a_stderr_that_nobody_reads_costs_nothing(self, tmp_path: Path) -> None:
        script = '"${devshim[@]:0:${#devshim[@]}-1}" -v -- head -c 5 $NODE 2>/dev/full; echo " $?"'

        assert self.shell(script, tmp_path).stdout == "hello 0\n"


class TestLimits:
    """What the user's shell allows."""

    @pytest.mark.parametrize("limit", ["-n 20", "-s 256", "-l 0", "-v 4000000", "-v 400000", "-c 0"])
    def test_that_are_small_are_enough(self, tmp_path: Path, program: Callable[..., Path], limit: str) -> None:
        outcome = TestStreams().shell(f'ulimit {limit} && "${{devshim[@]}}" {program("heap")} $NODE', tmp_path)

        assert (outcome.stdout, outcome.returncode) == (HEAP, 0)

    def test_of_memory_may_be_the_programs_own(self, box: Callable[..., Outcome], program: Callable[..., Path]) -> None:
        outcome = box("sh", "-c", f"ulimit -v 40000 && {program('heap')} {NODE}")

        assert (outcome.stdout, outcome.returncode) == (HEAP, 0)

    def test_of_descriptors_are_the_programs_own(self, tmp_path: Path) -> None:
        outcome = TestStreams().shell('ulimit -n 20; "${devshim[@]}" sh -c "ulimit -n"', tmp_path)

        assert outcome.stdout == "20\n"


def test_no_home_and_no_path_are_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(MODELS)
    words = [*devshim_command(), "run", "-d", f"{NODE}=models.py:Box", "--", "/usr/bin/head", "-c", "5", NODE]
    bare = {"PYTHONPATH": devshim_environment()["PYTHONPATH"]}

    outcome = run(words, env=bare, cwd=tmp_path)

    assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("hello", "", 0)
