"""Devices in unmodified Perl programs: programs/tour.pl."""

import pytest
from targets.tours import PROGRAMS


@pytest.mark.client("perl")
def test_perl_uses_devices_in_all_its_ways(tour):
    tour("perl", PROGRAMS / "tour.pl")
