"""Devices in a C program, by whatever names a compiler's flags and libc's age give to the calls: programs/tour.c."""

import subprocess

import pytest
from targets.tours import PROGRAMS

WAYS = [
    "-O0",
    "-O2 -U_FORTIFY_SOURCE",
    "-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2",
    "-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3",
    "-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -D_FILE_OFFSET_BITS=64",
    "-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fPIE -pie -Wl,-z,now",
]
CHECKED = {"__read_chk", "__open_2", "__open64_2", "__fgets_chk", "__dprintf_chk", "__getcwd_chk", "__poll_chk"}


@pytest.mark.parametrize("flags", WAYS)
def test_c_uses_devices_under_each_name_of_a_call(flags, compiled, tour):
    name = "c" + "".join(filter(str.isalnum, flags))
    folder = compiled(name, ["cc", "-w", *flags.split(), "-o", "{}/tour", PROGRAMS / "tour.c", "-pthread"])

    tour(folder / "tour")

    called = {line.split()[-1].partition("@")[0] for line in undefined(folder / "tour")}
    assert bool(called & CHECKED) == ("_FORTIFY_SOURCE=" in flags), sorted(called)
    assert "__xstat" in called


def undefined(binary):
    """Return nm's lines of the names that a program needs."""
    return subprocess.run(["nm", "-D", "-u", binary], capture_output=True, text=True, check=True).stdout.splitlines()
