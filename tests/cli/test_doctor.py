"""devshim doctor: what it says about this installation and about programs."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import run_devshim_verb

Compile = Callable[..., str]


@pytest.fixture
def compiled(tmp_path: Path) -> Compile:
    """Return build(*flags): the path of a program, compiled with these flags, that opens and reads."""

    def build(*flags: str, compiler: str = "cc") -> str:
        source = tmp_path / "reader.c"
        source.write_text(
            "#include <fcntl.h>\n#include <unistd.h>\n"
            'int main(void) { char byte; return read(open("/dev/zero", O_RDONLY), &byte, 1) != 1; }\n'
        )
        subprocess.run([compiler, source, *flags, "-o", tmp_path / "reader"], check=True)
        return str(tmp_path / "reader")

    return build


def problems(program: str) -> tuple[int, list[str]]:
    """The exit code, and the problems in the report on a program."""
    result = run_devshim_verb("doctor", program)
    assert result.stderr == ""
    return result.returncode, re.findall(r"^problem (.*)", result.stdout, re.MULTILINE)


def engine_of(program: str) -> str:
    """What the report says of a program that no shim can be loaded into, where the other engine works."""
    report = run_devshim_verb("doctor", program).stdout
    found = re.search(
        r"^(?:ok     |problem) (.*)(?:; its system calls are caught|, and the engine seccomp)", report, re.MULTILINE
    )
    assert found, report
    return found[1].strip()


class TestInstallation:
    """devshim doctor, without a program."""

    def test_finds_nothing_to_do_here(self) -> None:
        result = run_devshim_verb("doctor")

        assert "problem" not in result.stdout
        assert result.returncode == 0

    def test_looks_at_the_shim_the_host_and_the_kernel(self) -> None:
        report = run_devshim_verb("doctor").stdout

        for part in ("the shim loads", "the host loads", "memfd_create", "pidfd_open", "futex", "openpty"):
            assert f"{part}" in report

    def test_a_place_that_cannot_be_written_is_a_problem(self, tmp_path: Path) -> None:
        result = run_devshim_verb("doctor", env={"TMPDIR": "/no/such"})

        assert result.returncode == 1
        assert "problem cannot make the run's directory in /no/such" in result.stdout

    def test_every_line_says_ok_or_problem_or_what_to_do(self) -> None:
        lines = run_devshim_verb("doctor").stdout.splitlines()

        assert all(line.startswith(("ok      ", "problem ", "     -> ")) for line in lines)


class TestProgram:
    """devshim doctor PROGRAM."""

    def test_a_dynamic_program_is_caught_and_its_functions_named(self, compiled: Compile) -> None:
        result = run_devshim_verb("doctor", compiled())

        assert result.returncode == 0
        assert "dynamically linked with glibc" in result.stdout
        assert re.search(r"2 of its functions are caught: open read", result.stdout)

    @pytest.mark.parametrize("flag", ["-static", "-static-pie"])
    def test_of_a_static_program_the_system_calls_are_caught(self, compiled: Compile, flag: str) -> None:
        assert engine_of(compiled(flag)).startswith("statically linked")

    @pytest.mark.client("musl-gcc")
    def test_of_a_musl_program_the_system_calls_are_caught(self, compiled: Compile) -> None:
        assert "musl" in engine_of(compiled(compiler="musl-gcc"))

    @pytest.mark.client("gcc-32")
    def test_a_program_for_another_machine_is_not_caught(self, compiled: Compile) -> None:
        code, found = problems(compiled("-m32"))

        assert code == 1
        assert found == ["built for i386, 32-bit; the shim is for x86-64, 64-bit: nothing is caught"]

    @pytest.mark.client("go")
    def test_of_a_go_program_the_system_calls_are_caught(self, tmp_path: Path) -> None:
        (tmp_path / "main.go").write_text("package main\nfunc main() {}\n")
        environment = {**os.environ, "GOCACHE": str(tmp_path / "cache"), "GO111MODULE": "off"}
        subprocess.run(["go", "build", "-o", "program", "main.go"], cwd=tmp_path, env=environment, check=True)

        assert engine_of(str(tmp_path / "program")).startswith("Go, ")

    def test_an_address_sanitizer_is_no_problem(self, compiled: Compile) -> None:
        result = run_devshim_verb("doctor", compiled("-fsanitize=address"))

        assert result.returncode == 0
        assert "built with AddressSanitizer: works" in result.stdout

    def test_a_program_with_functions_of_the_same_name_is_caught_in_part(self, tmp_path: Path) -> None:
        source = tmp_path / "own.c"
        source.write_text(
            "long read(int fd, void *to, unsigned long size) { return 0; }\nint main(void) { return 0; }\n"
        )
        subprocess.run(["cc", "-rdynamic", "-fno-builtin", source, "-o", tmp_path / "own"], check=True)

        assert problems(str(tmp_path / "own")) == (1, ["it brings its own read: calls of these are not caught"])

    def test_a_sanitizer_in_the_program_itself_is_no_problem(self, compiled: Compile) -> None:
        assert problems(compiled("-fsanitize=address", "-static-libasan")) == (0, [])

    def test_a_script_is_followed_to_its_interpreter(self, tmp_path: Path) -> None:
        script = tmp_path / "script"
        script.write_text("#!/usr/bin/env -S sh -e\nexit 3\n")
        script.chmod(0o755)

        result = run_devshim_verb("doctor", str(script))

        assert result.returncode == 0
        assert f"a script, run by {shutil.which('sh')} (#!/usr/bin/env -S sh -e)" in result.stdout

    def test_a_script_without_an_interpreter_is_a_problem(self, tmp_path: Path) -> None:
        script = tmp_path / "script"
        script.write_text("#!\nexit 3\n")
        script.chmod(0o755)

        assert problems(str(script)) == (1, [f"{script}: a script whose first line names no program: #!"])

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
    def test_a_setuid_program_is_a_problem(self, compiled: Compile) -> None:
        program = compiled()
        os.chown(program, 65534, 65534)
        os.chmod(program, 0o4755)

        code, found = problems(program)

        assert code == 1
        assert found == [f"{program} is setuid: the loader drops the shim"]

    @pytest.mark.parametrize("words", [["no-such-program"], ["--", "no-such-program"]])
    def test_a_missing_program_is_one_line(self, words: list[str]) -> None:
        result = run_devshim_verb("doctor", *words)

        assert (result.returncode, result.stdout) == (127, "")
        assert result.stderr == "devshim: no-such-program: no such program on $PATH\n"

    def test_two_programs_are_a_usage_error(self) -> None:
        assert run_devshim_verb("doctor", "true", "false").returncode == 2
