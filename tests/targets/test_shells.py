"""Devices in scripts for bash, dash and busybox's shell: programs/tour.sh."""

import pytest
from targets.tours import METER, PROGRAMS


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_a_shell_uses_devices_in_all_its_ways(shell, client, tour):
    outcome = tour(client(shell), PROGRAMS / "tour.sh")

    assert ("ok bash-test" in outcome.stdout) == (shell == "bash")


@pytest.mark.client("busybox")
def test_busybox_uses_devices_in_all_its_ways(client, tour):
    tour(client("busybox"), "sh", PROGRAMS / "tour.sh")


@pytest.mark.client("bash")
def test_bash_does_not_take_a_device_for_a_connection(devshim_run, tmp_path):
    (tmp_path / ".bashrc").write_text("echo this is read where rshd starts bash\n")
    script = "unset SHLVL; exec bash -c 'head -n 1' < /dev/meter0"

    outcome = devshim_run("sh", "-c", script, devices=[METER], env={"HOME": str(tmp_path)})

    assert outcome.stdout == "delta 4\n"
