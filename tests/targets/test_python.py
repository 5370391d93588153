"""Devices in unmodified Python programs, of each version that is here; the program is programs/tour.py."""

import pytest
from targets.tours import METER, PROGRAMS, READINGS

VERSIONS = ("python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "debian-python3")
ONE_LINERS = {
    "print(open('/dev/meter0').read(), end='')": READINGS,
    "import sys; print(len(list(open('/dev/meter0'))), file=sys.stdout)": "4\n",
    "import os; os.execlp('head', 'head', '-n1', '/dev/meter0')": "delta 4\n",
    "import fileinput; print(next(fileinput.input('/dev/meter0')), end='')": "delta 4\n",
    "import csv; print(next(csv.reader(open('/dev/meter0'), delimiter=' ')))": "['delta', '4']\n",
    "from urllib.request import urlopen; print(urlopen('file:///dev/meter0').read(7))": "b'delta 4'\n",
}


@pytest.mark.parametrize("version", VERSIONS)
def test_python_uses_devices_in_all_its_ways(version, client, tour):
    tour(client(version), PROGRAMS / "tour.py")


@pytest.mark.parametrize("version", VERSIONS)
def test_ends_with_what_the_program_says(version, client, devshim_run):
    outcome = devshim_run(client(version), "-c", "raise SystemExit(open('/dev/null').fileno() + 40)")

    assert outcome.returncode == 43


@pytest.mark.client("debian-python3")
@pytest.mark.parametrize("source", ONE_LINERS)
def test_one_line_of_python_uses_a_device(source, client, devshim_run):
    outcome = devshim_run(client("debian-python3"), "-c", source, devices=[METER])

    assert (outcome.stdout, outcome.stderr, outcome.returncode) == (ONE_LINERS[source], "", 0)
