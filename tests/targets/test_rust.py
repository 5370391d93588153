"""Devices in an unmodified Rust program that uses the standard library alone: programs/tour.rs."""

import pytest
from targets.tours import PROGRAMS

from devshim.cli.seccomp import problem


@pytest.mark.client("rustc")
def test_rust_uses_devices_in_all_its_ways(compiled, tour):
    folder = compiled("rust", ["rustc", "--edition", "2021", "-o", "{}/tour", PROGRAMS / "tour.rs"])

    tour(folder / "tour")


@pytest.mark.client("rustc")
@pytest.mark.skipif(problem() is not None, reason=f"the engine seccomp does not work here: {problem()}")
def test_static_rust_uses_them_too_when_a_shell_starts_it(compiled, tour):
    words = ["rustc", "--edition", "2021", "-C", "target-feature=+crt-static", "-o", "{}/tour", PROGRAMS / "tour.rs"]
    folder = compiled("rust-static", words)

    tour("sh", "-c", f"{folder}/tour; exit $?")
