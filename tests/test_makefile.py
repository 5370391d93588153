"""What a fresh machine lacks is said in one line each; `make help` lists what can be done."""

import re
from pathlib import Path

import pytest
from harness import ROOT, run

MAKEFILE = (ROOT / "Makefile").read_text()


def test_nothing_is_said_where_nothing_is_missing() -> None:
    outcome = run(["sh", "tests/tools.sh"], cwd=ROOT)

    assert (outcome.returncode, outcome.stdout + outcome.stderr) == (0, "")


def test_a_missing_compiler_is_named_with_its_package() -> None:
    outcome = run(["env", "CC=no-such-compiler", "sh", "tests/tools.sh"], cwd=ROOT)

    assert outcome.returncode == 1
    assert outcome.stderr == "devshim: no C compiler (no-such-compiler); on Debian or Ubuntu: apt-get install gcc\n"


def test_a_missing_python_is_named_with_its_package() -> None:
    outcome = run(["env", "PYTHON=no-such-python", "sh", "tests/tools.sh"], cwd=ROOT)

    assert outcome.returncode == 1
    assert outcome.stderr == "devshim: no no-such-python; on Debian or Ubuntu: apt-get install python3\n"


@pytest.mark.parametrize(("module", "package"), [("ensurepip", "python3-venv"), ("sysconfig", "python3-dev")])
def test_a_python_without_what_is_needed_is_named_with_its_package(module: str, package: str, tmp_path: Path) -> None:
    python = tmp_path / "python3"
    python.write_text(f'#!/bin/sh\ncase "$2" in *"{module}"*) exit 1;; esac\n')
    python.chmod(0o755)

    outcome = run(["env", f"PYTHON={python}", "sh", "tests/tools.sh"], cwd=ROOT)

    assert outcome.returncode == 1
    assert outcome.stderr.endswith(f"apt-get install {package}\n")
    assert outcome.stderr.count("\n") == 1


def test_make_help_lists_every_target_that_is_meant_to_be_typed() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony is not None

    outcome = run(["make", "help"], cwd=ROOT)

    assert re.findall(r"^  make (\w+)", outcome.stdout, re.MULTILINE) == sorted_as_in_file(phony[1].split())


def sorted_as_in_file(names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: MAKEFILE.index(f"\n{name}:"))
