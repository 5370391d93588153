"""Devices in an unmodified C++ program: programs/tour.cc."""

import pytest
from targets.tours import PROGRAMS


@pytest.mark.client("g++")
@pytest.mark.parametrize("flags", ["-O0", "-O2 -D_FORTIFY_SOURCE=3 -D_GLIBCXX_ASSERTIONS"])
def test_cplusplus_uses_devices_in_all_its_ways(flags, compiled, tour):
    command = ["g++", "-std=c++17", *flags.split(), "-o", "{}/tour", PROGRAMS / "tour.cc", "-pthread"]

    tour(compiled(f"c++{flags[1:3]}", command) / "tour")
