"""Which engine a program needs, by a look at its file, and what is started for it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from devshim import engine

Compile = Callable[..., str]


@pytest.fixture
def compiled(tmp_path: Path) -> Compile:
    """Return build(*flags): the path of a program that does nothing, compiled with these flags."""

    def build(*flags: str, compiler: str = "cc") -> str:
        (tmp_path / "nothing.c").write_text("int main(void) { return 0; }\n")
        subprocess.run([compiler, tmp_path / "nothing.c", *flags, "-o", tmp_path / "nothing"], check=True)
        return str(tmp_path / "nothing")

    return build


@pytest.mark.parametrize("flag", ["-pie", "-no-pie"])
def test_a_program_that_takes_the_shim_in_gets_it(compiled: Compile, flag: str) -> None:
    assert engine.suited(compiled(flag)) == "preload"


@pytest.mark.parametrize("flag", ["-static", "-static-pie"])
def test_a_static_program_is_supervised(compiled: Compile, flag: str) -> None:
    assert engine.suited(compiled(flag)) == "seccomp"


def test_a_script_needs_what_runs_it_needs(compiled: Compile, tmp_path: Path) -> None:
    script = tmp_path / "script"

    script.write_text(f"#! {compiled('-static')} -x\n")
    assert engine.suited(str(script)) == "seccomp"
    script.write_text("#!/bin/sh\n")
    assert engine.suited(str(script)) == "preload"


@pytest.mark.client("musl-gcc")
def test_a_program_with_musl_is_supervised_and_started_without_the_shim(compiled: Compile) -> None:
    path = compiled(compiler="musl-gcc")

    assert engine.suited(path) == "seccomp"
    assert not engine.takes_shim(path)


def test_an_interpreter_that_is_missing_is_the_kernel_s_to_tell(tmp_path: Path) -> None:
    assert engine.suited(str(tmp_path / "nowhere")) == "preload"


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF\x02\x01" + b"\xff" * 100, b"\0" * 5000])
def test_what_is_no_program_of_ours_is_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)

    assert engine.suited(str(tmp_path / "file")) in engine.ENGINES


def test_with_the_shim_a_program_is_started_as_it_is() -> None:
    start = engine.start_with("preload", "/bin/true", ["true", "x"], {"A": "1"})

    assert (start.path, start.program, start.environment) == ("/bin/true", ["true", "x"], {"A": "1"})


def test_without_it_something_else_is_started_that_becomes_the_program() -> None:
    start = engine.start_with("seccomp", "/bin/true", ["true", "x"], {"A": "1"}, later=True)

    assert (start.path, start.program[0], start.program[-2:]) == (sys.executable, sys.executable, ["true", "x"])
    assert start.environment == {"A": "1", "DEVSHIM_LAUNCH": "wd:/bin/true"}
