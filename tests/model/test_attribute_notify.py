"""Attributes that programs poll: POLLPRI from notify() to the next look (Documentation/filesystems/sysfs.rst)."""

import os
import select
import sys

import pytest

from devshim import Hwmon, Session, attribute

CLIENT = """
import os, select, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
waiting = select.poll()
waiting.register(fd, select.POLLPRI | select.POLLERR)
print(len(waiting.poll(0)), os.read(fd, 9), len(waiting.poll(0)), flush=True)
assert waiting.poll()[0][1] & select.POLLPRI
os.lseek(fd, 0, 0)
print(os.read(fd, 9), waiting.poll(0))
"""


class Sensor(Hwmon):
    alarm = 0

    @attribute
    def temp1_alarm(self):
        return self.alarm


PATH = "/sys/class/hwmon/hwmon7/temp1_alarm"


@pytest.fixture
def session():
    with Session() as session:
        yield session


@pytest.fixture
def sensor(session):
    return session.plug("/sys/class/hwmon/hwmon7", Sensor())


def urgent(fd):
    """Whether poll says POLLPRI now."""
    waiting = select.poll()
    waiting.register(fd, select.POLLPRI)
    return bool(waiting.poll(0))


def test_a_program_that_polls_wakes_when_the_model_notifies(session, sensor):
    with session.start(sys.executable, "-c", CLIENT, PATH) as program:
        session.until(lambda: program.stdout == b"1 b'0\\n' 0\n", timeout=60)
        sensor.alarm = 1
        sensor.notify("temp1_alarm")
        assert program.wait(60) == 0
        assert program.stdout.splitlines()[1] == b"b'1\\n' []"


def test_an_attribute_is_urgent_until_it_has_been_read_from_the_start(sensor):
    fd = os.open(PATH, os.O_RDONLY)
    try:
        assert urgent(fd)
        os.read(fd, 1)
        assert not urgent(fd)
        sensor.notify("temp1_alarm")
        sensor.notify("temp1_alarm")
        os.read(fd, 9)  # the rest of what it showed before
        assert urgent(fd)
        assert os.pread(fd, 9, 0) == b"0\n"
        assert not urgent(fd)
    finally:
        os.close(fd)


def test_select_tells_it_as_an_exceptional_condition_and_epoll_as_urgent(sensor):
    fd = os.open(PATH, os.O_RDONLY)
    with select.epoll() as waiting:
        waiting.register(fd, select.EPOLLPRI)
        os.read(fd, 9)
        assert (select.select([], [], [fd], 0)[2], waiting.poll(0)) == ([], [])
        sensor.notify("temp1_alarm")
        assert (select.select([], [], [fd], 0)[2], waiting.poll(0)) == ([fd], [(fd, select.EPOLLPRI)])
        os.close(fd)


def test_each_open_file_is_told_by_itself(sensor):
    first, second = (os.open(PATH, os.O_RDONLY) for _ in range(2))
    try:
        os.read(first, 9)
        os.read(second, 9)
        sensor.notify("temp1_alarm")
        os.pread(first, 9, 0)
        assert (urgent(first), urgent(second)) == (False, True)
    finally:
        os.close(first)
        os.close(second)


def test_a_file_that_was_closed_is_told_nothing(sensor):
    os.close(os.open(PATH, os.O_RDONLY))

    sensor.notify("temp1_alarm")


def test_a_file_that_the_device_does_not_have_cannot_be_notified(sensor):
    with pytest.raises(KeyError, match=r"Sensor has no file 'temp9_alarm'; it has .*temp1_alarm"):
        sensor.notify("temp9_alarm")
