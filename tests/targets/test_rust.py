"""Devices in an unmodified Rust program that uses the standard library alone: programs/tour.rs."""

import pytest
from targets.tours import PROGRAMS


@pytest.mark.client("rustc")
def test_rust_uses_devices_in_all_its_ways(compiled, tour):
    folder = compiled("rust", ["rustc", "--edition", "2021", "-o", "{}/tour", PROGRAMS / "tour.rs"])

    tour(folder / "tour")
