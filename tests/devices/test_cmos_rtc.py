"""The PC's clock: what hwclock and rtcwake do with it, and its interrupts."""

import fcntl
import os
import struct
from errno import EBUSY, EINVAL, ETIME

import pytest
from harness import run_devshim
from tabletop import Tabletop

from devshim import WAIT
from devshim.devices import CmosRtc

NODE = "/dev/rtc0"
BEGIN = "2024-05-06T07:00:00"
RTC_SET_TIME, RTC_WKALM_SET = 0x4024700A, 0x4028700F


@pytest.mark.client("hwclock")
def test_hwclock_waits_for_a_tick_and_reads_the_time():
    outcome = run_devshim("hwclock", "-r", "-v", "--utc", "--noadjfile", devices=[f"{NODE}=cmos_rtc,utc={BEGIN}"])

    assert "...got clock tick" in outcome.stdout
    assert "Time read from Hardware Clock: 2024/05/06 07:0" in outcome.stdout
    assert outcome.stderr == ""


@pytest.mark.client("hwclock")
def test_hwclock_sets_it_and_sys_shows_that():
    script = """
        hwclock --set --date "2031-12-30 23:00:00" --utc --noadjfile
        cd /sys/class/rtc/rtc0; cat name date; cut -d: -f1 time; hwclock --param-get features"""
    outcome = run_devshim("sh", "-c", script, devices=[f"{NODE}=cmos_rtc,utc={BEGIN}"], env={"TZ": "UTC"})

    assert outcome.stdout.splitlines()[:3] == ["rtc_cmos 00:01", "2031-12-30", "23"]
    assert "0x11" in outcome.stdout.splitlines()[3]  # as of a PC, tests/trace/truth: hwclock-params


@pytest.mark.client("rtcwake")
def test_rtcwake_waits_for_its_alarm():
    outcome = run_devshim("rtcwake", "-v", "-u", "-m", "on", "-s", "1", devices=[f"{NODE}=cmos_rtc,utc={BEGIN}"])

    assert "... /dev/rtc0: 1a0" in outcome.stdout
    assert outcome.returncode == 0


@pytest.fixture
def clock():
    clock = CmosRtc(utc=BEGIN)
    clock.table = Tabletop.plug(clock, NODE)
    return clock


def test_a_read_tells_how_many_interrupts_there_were_and_of_which_kind(clock):
    clock.update_on()
    clock.set_rate(64)
    clock.periodic_on()
    assert clock.read(8) is WAIT and clock.poll() == 0

    clock.table.advance(1.001)
    told = int.from_bytes(clock.read(8), "little")
    assert told & 0xFF == 0xD0
    assert told >> 8 >= 64
    assert clock.read(4) is WAIT


def test_who_closes_it_gets_no_more_interrupts(clock):
    clock.open(os.O_RDONLY)
    clock.update_on()
    clock.close()
    clock.table.advance(2)
    assert clock.read(8) is WAIT


def test_an_alarm_comes_once(clock):
    seconds = int(clock.now()) + 60
    clock.set_wakealarm("+60")
    assert clock.wakealarm in (seconds, seconds + 1)
    clock.table.advance(61)
    assert int.from_bytes(clock.read(8), "little") == 0x1A0
    assert clock.wakealarm == b""
    clock.table.advance(86400)
    assert clock.read(8) is WAIT


def errno_of(call, *arguments):
    try:
        return call(*arguments)
    except OSError as failure:
        return failure.errno


def test_what_the_kernel_refuses_is_refused(devshim):
    devshim.plug(NODE, CmosRtc(utc=BEGIN))
    fd = os.open(NODE, os.O_RDONLY | os.O_NONBLOCK)
    no_day = struct.pack("9i", 0, 0, 0, 31, 1, 124, 0, 0, 0)
    past = struct.pack("BBxx9i", 1, 0, 0, 0, 0, 1, 0, 124, 0, 0, 0)

    assert errno_of(os.open, NODE, os.O_RDONLY) == EBUSY
    assert errno_of(os.read, fd, 3) == EINVAL
    assert errno_of(fcntl.ioctl, fd, RTC_SET_TIME, no_day) == EINVAL
    assert errno_of(fcntl.ioctl, fd, RTC_WKALM_SET, past) == ETIME
    os.close(fd)
