"""Lines by /sys/class/gpio, as scripts and old programs use them (Documentation/admin-guide/gpio/sysfs.rst)."""

import sys

import pytest

from devshim import GpioChip, Line, Session

WAITS_FOR_EDGE = """
import os, select
fd = os.open("/sys/class/gpio/gpio515/value", os.O_RDONLY)
os.read(fd, 9)
with select.epoll() as waiting:
    waiting.register(fd, select.EPOLLPRI)
    print("waiting", flush=True)
    assert waiting.poll()
os.lseek(fd, 0, 0)
print(os.read(fd, 9))
"""


class Panel(GpioChip):
    button, lamp = Line(3, "BUTTON"), Line(17, "LAMP")


class Expander(GpioChip):
    number_of_lines: int = 8
    interrupts = False


@pytest.fixture
def session():
    with Session() as session:
        yield session


@pytest.fixture
def panel(session):
    return session.plug("/dev/gpiochip0", Panel())


def shell(session, script, check=True):
    """What a script in /sys/class/gpio prints, errors among it."""
    result = session.run("bash", "-c", f"exec 2>&1; cd /sys/class/gpio; {script}", check=check)
    return result.stdout.splitlines()


def test_a_chip_tells_its_first_number_and_how_many_lines_it_has(session, panel):
    assert shell(session, "ls; cd gpiochip512; cat base ngpio label; pwd -P; readlink -f device") == [
        "export", "gpiochip512", "unexport", "512", "18", "panel",
        "/sys/devices/platform/panel.0/gpio/gpiochip512", "/sys/devices/platform/panel.0",
    ]  # fmt: skip


def test_an_exported_line_is_driven_and_read(session, panel):
    lines = shell(
        session,
        "echo 529 > export; cd gpio529; cat direction value; echo out > direction; echo 1 > value; cat value;"
        "echo low > direction; cat value; echo high > direction; cat direction value",
    )

    assert lines == ["in", "0", "1", "0", "out", "1"]
    assert panel.lamp == 1


def test_active_low_turns_values_round_and_not_levels(session, panel):
    script = "echo 529 > export; cd gpio529; echo 1 > active_low; echo high > direction; cat value active_low"

    assert shell(session, f"{script}; echo 1 > value") == ["0", "1"]
    assert panel.lines[17].level == 0


def test_what_cannot_be_is_refused_as_the_kernel_does(session, panel):
    lines = shell(
        session,
        "echo 515 > export; echo 515 > export; echo 9999 > export; echo x > export; echo 516 > unexport;"
        "cd gpio515; echo 1 > value; echo both > direction; echo sometimes > edge",
        check=False,
    )

    reasons = [line.rpartition(": ")[2] for line in lines]
    invalid = "Invalid argument"
    assert reasons == ["Device or resource busy", *[invalid] * 3, "Operation not permitted", invalid, invalid]


@pytest.mark.client("gpioget")
def test_an_exported_line_is_taken_until_it_is_unexported(session, panel):
    lines = shell(
        session,
        "gpioset gpiochip0 17=1; echo 529 > export; gpioget gpiochip0 17; gpioinfo | grep -o LAMP.*sysfs.*;"
        "echo 529 > unexport; ls -d gpio5* 2>&1; gpioget gpiochip0 17",
    )

    assert lines[0].endswith("Device or resource busy")
    assert 'LAMP"      "sysfs"' in lines[1]
    assert lines[2].startswith("ls: ")
    assert lines[3] in ("0", "1")


def test_an_edge_wakes_who_polls_the_value(session, panel):
    shell(session, "echo 515 > export; echo rising > gpio515/edge")
    with session.start(sys.executable, "-c", WAITS_FOR_EDGE) as program:
        session.until(lambda: program.stdout == b"waiting\n", timeout=60)
        panel.button = 1
        assert program.wait(60) == 0
        assert program.stdout == b"waiting\nb'1\\n'\n"


def test_a_line_without_interrupts_has_no_edge(session):
    session.plug("/dev/gpiochip3", Expander(base=40))

    assert shell(session, "echo 47 > export; ls gpio47; ls -d gpiochip*") == [
        "active_low", "device", "direction", "subsystem", "uevent", "value", "gpiochip40",
    ]  # fmt: skip


def test_two_chips_share_the_two_files_and_have_numbers_of_their_own(session, panel):
    session.plug("/dev/gpiochip1", Expander())

    assert shell(session, "echo 512 > export; echo 770 > export; ls -d gpio*; readlink -f gpio770") == [
        "gpio512", "gpio770", "gpiochip512", "gpiochip768", "/sys/devices/platform/expander.1/gpio/gpio770",
    ]  # fmt: skip
    session.unplug(panel)
    assert shell(session, "ls; echo 771 > export; ls -d gpio7*") == [
        "export", "gpio770", "gpiochip768", "unexport", "gpio770", "gpio771",
    ]  # fmt: skip


def test_a_chip_that_was_pulled_comes_back_with_no_line_exported(session, panel):
    shell(session, "echo 529 > export")
    session.unplug(panel)
    panel.plug()

    assert shell(session, "ls") == ["export", "gpiochip512", "unexport"]
