"""--hide-real: of the machine's own devices nothing is seen, whichever way a program looks; the rest is as ever."""

import sys
from textwrap import dedent

import pytest
from harness import run_devshim


def hidden(*program, devices=("/dev/ttyUSB0=gps",), options=("--hide-real",)):
    return run_devshim(*program, devices=devices, options=options)


def python(text):
    outcome = hidden(sys.executable, "-c", "import glob, os\n" + dedent(text))
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout.splitlines()


def test_all_ways_to_look_agree():
    lines = python(
        """
        for directory in ("/dev", "/sys/class/tty", "/sys/bus/usb/devices", "/sys/dev/char", "/sys/devices"):
            names = sorted(os.listdir(directory))
            assert names == sorted(entry.name for entry in os.scandir(directory))
            assert names == sorted(map(os.path.basename, glob.glob(f"{directory}/*")))
            assert names == sorted(os.popen(f"ls {directory}").read().split())
            assert all(os.path.lexists(os.path.join(directory, name)) for name in names)
            print([name for name in names if directory != "/dev" or name.startswith("tty")])
        """
    )

    assert lines == [
        "['tty', 'ttyUSB0']", "['ttyUSB0']", "['91-0:1.0', '91-1', '91-1:1.0', 'usb91']",
        "['188:0', '189:11520', '189:11521']", "['platform', 'system']",
    ]  # fmt: skip


def test_what_is_hidden_cannot_be_reached_by_name_or_link(tmp_path):
    (tmp_path / "memory").symlink_to("/dev/kmsg")

    outcome = hidden(
        "sh", "-c",
        f"cat /dev/kmsg; cat {tmp_path}/memory; stat /dev/kmsg; cd /dev && cat kmsg; cat /dev/../dev/kmsg;"
        "ls /sys/class/tty/tty0; ls /sys/class/tty/tty0/",
    )  # fmt: skip

    assert outcome.stdout == ""
    assert [line.rpartition(": ")[2] for line in outcome.stderr.splitlines()] == ["No such file or directory"] * 7


def test_what_every_program_needs_is_there():
    lines = python(
        """
        with open("/dev/null", "w") as null, open("/dev/urandom", "rb") as random:
            null.write("x")
            print(len(random.read(4)))
        print(os.path.exists("/dev/fd/0"), os.path.isdir("/dev/shm"), os.path.isdir("/dev/pts"))
        master, slave = os.openpty()
        print(os.ttyname(slave).startswith("/dev/pts/"), os.path.exists(os.ttyname(slave)))
        print(os.path.isdir("/sys/devices/system/cpu"), os.cpu_count() > 0)
        """
    )

    assert lines == ["4", "True True True", "True True", "True True"]


def test_without_it_the_real_ones_stay():
    outcome = run_devshim("ls", "/dev", "/sys/class/tty", devices=["/dev/ttyUSB0=gps"])

    assert {"ttyUSB0", "null", "tty0"} <= set(outcome.stdout.split())
    assert len(outcome.stdout.split()) > len(hidden("ls", "/dev", "/sys/class/tty").stdout.split())


@pytest.mark.client("udevadm")
def test_libudev_finds_what_is_plugged_and_processors():
    outcome = hidden("udevadm", "info", "-e")

    paths = [line.removeprefix("P: ") for line in outcome.stdout.splitlines() if line.startswith("P: ")]
    assert [path.rpartition("/")[2] for path in paths if not path.startswith("/devices/system/")] == [
        "usb91", "91-0:1.0", "91-1", "91-1:1.0", "ttyUSB0", "ttyUSB0",
    ]  # fmt: skip


def test_a_node_may_be_plugged_where_a_real_one_or_a_real_directory_is_hidden():
    outcome = hidden(
        "sh", "-c", "ls /dev/input /dev/mem; head -c 6 /dev/kmsg",
        devices=["/dev/input/event0=k120", "/dev/kmsg=gps", "/dev/mem=gps"],
    )  # fmt: skip

    assert outcome.stdout.split() == ["/dev/mem", "/dev/input:", "by-id", "by-path", "event0", "$GPRMC"]


def test_a_configuration_may_ask_for_it(tmp_path):
    config = tmp_path / "devshim.yml"
    config.write_text("version: 1\nhide_real: true\n")

    outcome = run_devshim("ls", "/sys/class/tty", options=["-c", config])

    assert (outcome.stdout, outcome.returncode) == ("", 0)
