"""Attributes that programs poll: POLLPRI from notify() to the next look (Documentation/filesystems/sysfs.rst)."""

import os
import select
import socket
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
        assert (select.select([], [], [fd], 0)[2], waiting.poll(0)) == ([fd], [(fd, select.EPOLLPRI | select.EPOLLERR)])
        os.close(fd)


def test_poll_says_that_it_is_an_error_too_and_of_nothing_else(sensor):
    fd = os.open(PATH, os.O_RDONLY)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.send(b"!", socket.MSG_OOB)
        waiting = select.poll()
        waiting.register(fd, select.POLLPRI | select.POLLERR)
        waiting.register(ours, select.POLLPRI)
        expected = {fd: select.POLLPRI | select.POLLERR, ours.fileno(): select.POLLPRI}
        assert dict(waiting.poll(0)) == expected
        os.read(fd, 9)
        del expected[fd]
        assert dict(waiting.poll(0)) == expected
    os.close(fd)


def test_a_program_that_asks_for_nothing_is_told_of_the_error_alone(sensor):
    fd = os.open(PATH, os.O_RDONLY)
    try:
        waiting = select.poll()
        waiting.register(fd, select.POLLERR)
        assert waiting.poll(0) == [(fd, select.POLLERR)]
        os.read(fd, 9)
        assert waiting.poll(0) == []
        waiting.register(fd, select.POLLIN)
        assert waiting.poll(0) == [(fd, select.POLLIN)]
    finally:
        os.close(fd)


def test_an_epoll_knows_an_attribute_by_its_data_and_forgets_it_when_it_is_closed(sensor):
    fd = os.open(PATH, os.O_RDONLY)
    ours, theirs = socket.socketpair()
    with ours, theirs, select.epoll() as waiting:
        waiting.register(fd, select.EPOLLPRI)
        waiting.register(ours, select.EPOLLPRI)
        theirs.send(b"!", socket.MSG_OOB)
        assert dict(waiting.poll(0)) == {fd: select.EPOLLPRI | select.EPOLLERR, ours.fileno(): select.EPOLLPRI}
        os.close(fd)
        os.dup2(ours.fileno(), fd)
        waiting.register(fd, select.EPOLLPRI)
        assert dict(waiting.poll(0)) == {fd: select.EPOLLPRI, ours.fileno(): select.EPOLLPRI}
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
