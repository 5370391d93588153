"""Programs that ask /proc who has a device open: they find the programs of the run, by the name of the node."""

import pytest
from targets.tours import METER

HOLDS = 'exec 7<> "$NODE"; '
SERIAL = "/dev/ttyUSB3=modem"
NODES = [(METER, "/dev/meter0"), (SERIAL, "/dev/ttyUSB3")]


@pytest.mark.client("fuser")
@pytest.mark.parametrize(("device", "node"), NODES)
def test_fuser_finds_who_has_a_device(devshim_run, device, node):
    script = HOLDS + 'set -- $(fuser "$NODE" 2>/dev/null); for one; do [ "$one" = $$ ] && echo found; done'

    outcome = devshim_run("bash", "-c", script, devices=[device], env={"NODE": node})

    assert outcome.stdout == "found\n", outcome.stderr


@pytest.mark.client("lsof")
@pytest.mark.parametrize(("device", "node"), NODES)
def test_lsof_names_the_device_behind_a_descriptor(devshim_run, device, node):
    outcome = devshim_run(
        "bash", "-c", HOLDS + 'lsof -w -a -p $$ -d 7 -F ftn; lsof -w -t "$NODE" | grep -cx $$',
        devices=[device], env={"NODE": node},
    )  # fmt: skip

    assert outcome.stdout.splitlines()[1:] == ["f7", "tCHR", f"n{node}", "1"], outcome.stderr


@pytest.mark.client("find")
@pytest.mark.parametrize(("device", "node"), NODES)
def test_links_of_another_process_lead_to_the_device(devshim_run, device, node):
    script = (
        HOLDS + 'cd /proc/$$/fd; readlink 7; realpath 7; find . -lname "$NODE"; find -L . -samefile "$NODE"; ls -lL 7'
    )

    outcome = devshim_run("bash", "-c", script, devices=[device], env={"NODE": node})

    *lines, listing = outcome.stdout.splitlines()
    assert lines == [node, node, "./7", "./7"] and listing.startswith("crw-"), outcome.stdout + outcome.stderr
