"""Libraries: others that stand in for functions of libc beside the shim, and functions that are looked up by name."""

from collections.abc import Callable
from pathlib import Path

from harness import run_devshim

HOT = f"/dev/hot0={Path(__file__).with_name('models.py')}:Hot"
Build = Callable[..., Path]


def test_another_library_may_stand_behind_the_shim(program: Build, tmp_path: Path) -> None:
    library = program("behind", "-shared", "-fPIC", "-ldl")
    (tmp_path / "file").write_text("ordinary")

    outcome = run_devshim(
        "head", "-qc", "8", "/dev/hot0", "file", devices=[HOT], env={"LD_PRELOAD": str(library)}, cwd=tmp_path
    )

    assert (outcome.returncode, outcome.stdout) == (0, "12345678ordinary"), outcome.stderr


def test_a_library_behind_the_shim_may_call_a_name_that_the_shim_has_as_well(program: Build, tmp_path: Path) -> None:
    library = program("old_stat", "-shared", "-fPIC", "-ldl")
    asked = (
        "import os, stat; file, node = os.open('file', os.O_RDONLY), os.open('/dev/hot0', os.O_RDWR);"
        "print(*(os.stat(one).st_uid - os.getuid() for one in ('file', file)));"
        "print(*(stat.S_ISCHR(os.stat(one).st_mode) for one in ('/dev/hot0', node)))"
    )
    (tmp_path / "file").touch()

    outcome = run_devshim("python3", "-c", asked, devices=[HOT], env={"LD_PRELOAD": str(library)}, cwd=tmp_path)

    assert (outcome.returncode, outcome.stdout) == (0, "1000 1000\nTrue True\n"), outcome.stderr


def test_functions_that_are_looked_up_in_libc_by_name_know_the_device(program: Build) -> None:
    outcome = run_devshim(program("looked_up", "-ldl"), "/dev/hot0", devices=[HOT])

    assert (outcome.returncode, outcome.stderr) == (0, "")


def test_ctypes_opens_a_device_with_the_libc_that_it_was_told_to_load() -> None:
    asked = "import ctypes; print(ctypes.CDLL('libc.so.6').open(b'/dev/hot0', 2) >= 0)"

    outcome = run_devshim("python3", "-c", asked, devices=[HOT])

    assert outcome.stdout == "True\n", outcome.stderr


def test_a_library_that_is_bound_to_its_own_libc_first_reads_the_device(program: Build) -> None:
    asked = (
        "import ctypes, os, sys; library = ctypes.CDLL(sys.argv[1], os.RTLD_NOW | os.RTLD_DEEPBIND);"
        "print(library.bytes_of(b'/dev/hot0'), library.bytes_of(b'/dev/null'))"
    )

    outcome = run_devshim("python3", "-c", asked, program("deep", "-shared", "-fPIC"), devices=[HOT])

    assert outcome.stdout == "8 0\n", outcome.stderr


def test_ftok_makes_a_key_of_a_plugged_node() -> None:
    asked = (
        "import ctypes, os; ftok = ctypes.CDLL(None).ftok; found = os.stat('/dev/hot0');"
        "key = found.st_ino & 0xffff | (found.st_dev & 0xff) << 16 | 7 << 24;"
        "print(ftok(b'/dev/hot0', 7) == key, ftok(b'/dev/no0', 7))"
    )

    outcome = run_devshim("python3", "-c", asked, devices=[HOT])

    assert outcome.stdout == "True -1\n", outcome.stderr
