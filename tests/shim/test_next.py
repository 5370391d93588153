"""libc's own functions, and those of libraries behind the shim, as they are found when a program starts."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import run_devshim

HOT = f"/dev/hot0={Path(__file__).with_name('models.py')}:Hot"
SHIM = Path(__file__).parents[2] / "devshim" / "shim" / "libdevshim.so"
Build = Callable[..., Path]


def skip_three_bytes(library: Path, folder: Path) -> tuple[int, str]:
    """Run dd, which calls lseek(), with a library behind the shim: its exit code, and what it read."""
    (folder / "file").write_text("abcdef")
    words = "dd", "if=file", "bs=1", "skip=3", "count=2", "status=none"
    outcome = run_devshim(*words, devices=[HOT], env={"LD_PRELOAD": str(library)}, cwd=folder)
    return outcome.returncode, outcome.stdout


@pytest.mark.parametrize("style", ["gnu", "sysv", "both"])
def test_a_library_behind_the_shim_is_called_however_it_lists_its_names(
    program: Build, tmp_path: Path, style: str
) -> None:
    library = program("own_lseek", "-shared", "-fPIC", f"-Wl,--hash-style={style}")

    assert skip_three_bytes(library, tmp_path) == (77, "")


def test_a_function_of_an_old_version_is_passed_by(program: Build, tmp_path: Path) -> None:
    versions = tmp_path / "versions"
    versions.write_text("OLD { };\n")
    library = program("own_lseek", "-shared", "-fPIC", "-DOLD", f"-Wl,--version-script={versions}")

    assert skip_three_bytes(library, tmp_path) == (0, "de")


def test_a_program_that_is_bound_at_once_has_devices() -> None:
    outcome = run_devshim("head", "-c", "8", "/dev/hot0", devices=[HOT], env={"LD_BIND_NOW": "1"})

    assert (outcome.returncode, outcome.stdout) == (0, "12345678"), outcome.stderr


def test_a_start_binds_hardly_more_names_than_the_program_has() -> None:
    def bound(**more: str) -> int:
        """How many names the dynamic linker looks up from a program's start to its end; see ld.so(8)."""
        environment = {"PATH": "/usr/bin:/bin", "LD_DEBUG": "statistics", **more}
        said = subprocess.run(["true"], env=environment, capture_output=True, text=True, timeout=60, check=True).stderr
        found = re.search(r"final number of relocations:\s+(\d+)", said)
        assert found, said
        return int(found[1])

    assert bound(LD_PRELOAD=str(SHIM)) - bound() < 40
