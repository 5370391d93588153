"""Devices in an unmodified Java program: programs/Tour.java."""

import pytest
from targets.tours import PROGRAMS


@pytest.mark.client("javac")
def test_java_uses_devices_in_all_its_ways(compiled, tour):
    folder = compiled("java", ["javac", "-d", "{}", PROGRAMS / "Tour.java"])

    tour("java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", folder, "Tour")
