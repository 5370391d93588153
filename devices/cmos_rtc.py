"""The real-time clock of a PC, as rtc-cmos shows it.  Source: linux/rtc.h; drivers/rtc/{dev,interface}.c of Linux."""

import time
from calendar import timegm
from ctypes import c_ulong
from datetime import UTC, datetime
from errno import EBUSY, EINVAL, ETIME

from devshim import POLLIN, WAIT, ClassDevice, attribute, ioctl, structures

rtc = structures("""
    struct rtc_time   { int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst; };
    struct rtc_wkalrm { unsigned char enabled, pending; struct rtc_time time; };
    struct rtc_param  { __u64 param; __u64 value; __u32 index; __u32 __pad; };

    #define RTC_AIE_ON     _IO('p', 0x01)
    #define RTC_AIE_OFF    _IO('p', 0x02)
    #define RTC_UIE_ON     _IO('p', 0x03)
    #define RTC_UIE_OFF    _IO('p', 0x04)
    #define RTC_PIE_ON     _IO('p', 0x05)
    #define RTC_PIE_OFF    _IO('p', 0x06)
    #define RTC_ALM_SET    _IOW('p', 0x07, struct rtc_time)
    #define RTC_ALM_READ   _IOR('p', 0x08, struct rtc_time)
    #define RTC_RD_TIME    _IOR('p', 0x09, struct rtc_time)
    #define RTC_SET_TIME   _IOW('p', 0x0a, struct rtc_time)
    #define RTC_IRQP_READ  _IOR('p', 0x0b, unsigned long)
    #define RTC_IRQP_SET   _IOW('p', 0x0c, unsigned long)
    #define RTC_WKALM_SET  _IOW('p', 0x0f, struct rtc_wkalrm)
    #define RTC_WKALM_RD   _IOR('p', 0x10, struct rtc_wkalrm)
    #define RTC_PARAM_GET  _IOW('p', 0x13, struct rtc_param)
""", name="rtc.h")

PERIODIC, ALARM, UPDATE = 0x40, 0x20, 0x10
FEATURES = 0x11                     # RTC_PARAM_FEATURES: alarms, update interrupts
HALF = 0.5                          # seconds from setting the time to its next tick


class CmosRtc(ClassDevice):
    """A clock that goes on from `utc`, with an alarm and interrupts: `-d /dev/rtc0=cmos_rtc`."""

    usual_node = "/dev/rtc0"

    utc: str = ""                   # what it shows at first, as 2024-05-01T12:00:00; empty: the computer's clock

    subsystem = "rtc"
    parent = "/sys/devices/pnp0/00:01"

    taken = False                   # a program has it open
    ahead = 0.0                     # of the computer's clock, in seconds
    alarm = 0                       # seconds since 1970
    alarm_enabled = False
    frequency = 1024                # of periodic interrupts, in Hz
    interrupts = 0                  # what a read returns: count << 8 | IRQF and kinds

    def setup(self):
        self.timers_on = {}
        if self.utc:
            self.ahead = datetime.fromisoformat(self.utc).replace(tzinfo=UTC).timestamp() - time.time()

    def now(self):
        return time.time() + self.ahead

    # ---- The node

    def open(self, flags):
        if self.taken:
            raise OSError(EBUSY, "one program at a time")
        self.taken, self.interrupts = True, 0
        return self

    def close(self):
        self.taken = False
        self.stop(UPDATE)
        self.stop(PERIODIC)

    def read(self, size):
        if size != 4 and size < 8:
            raise OSError(EINVAL, "an unsigned long is read")
        if not self.interrupts:
            return WAIT
        told, self.interrupts = self.interrupts, 0
        return told.to_bytes(4 if size == 4 else 8, "little")

    def poll(self):
        return POLLIN if self.interrupts else 0

    # ---- Interrupts

    def interrupt(self, kind):
        self.interrupts = (self.interrupts + 0x100) | 0x80 | kind
        self.wake()

    def start(self, kind):
        wait = {PERIODIC: 1 / self.frequency, UPDATE: 1 - self.now() % 1, ALARM: self.alarm - self.now()}[kind]
        self.stop(kind)
        self.timers_on[kind] = self.after(max(wait, 0), self.fire, kind)

    def stop(self, kind):
        if kind in self.timers_on:
            self.timers_on.pop(kind).cancel()

    def fire(self, kind):
        if kind == ALARM:
            self.alarm_enabled = False
        else:
            self.start(kind)
        self.interrupt(kind)

    @ioctl(rtc.RTC_UIE_ON)
    def update_on(self):
        self.start(UPDATE)

    @ioctl(rtc.RTC_UIE_OFF)
    def update_off(self):
        self.stop(UPDATE)

    @ioctl(rtc.RTC_PIE_ON)
    def periodic_on(self):
        self.start(PERIODIC)

    @ioctl(rtc.RTC_PIE_OFF)
    def periodic_off(self):
        self.stop(PERIODIC)

    @ioctl(rtc.RTC_IRQP_READ)
    def rate(self):
        return c_ulong(self.frequency)

    @ioctl(rtc.RTC_IRQP_SET, value=c_ulong)
    def set_rate(self, frequency):
        if frequency not in (1 << power for power in range(1, 14)):
            raise OSError(EINVAL, "2 to 8192 Hz, a power of two")
        self.frequency = frequency

    # ---- Time

    @ioctl(rtc.RTC_RD_TIME)
    def read_time(self):
        return broken_down(self.now())

    @ioctl(rtc.RTC_SET_TIME)
    def set_time(self, wanted):
        self.ahead = seconds_of(wanted) + HALF - time.time()
        for kind in list(self.timers_on):
            self.start(kind)

    # ---- Alarm

    def set_alarm(self, seconds, enabled):
        self.alarm, self.alarm_enabled = seconds, enabled
        (self.start if enabled else self.stop)(ALARM)

    @ioctl(rtc.RTC_ALM_SET)
    def set_alarm_today(self, wanted):
        today = broken_down(self.now())
        today.tm_sec, today.tm_min, today.tm_hour = wanted.tm_sec, wanted.tm_min, wanted.tm_hour
        seconds = seconds_of(today)
        self.set_alarm(seconds if seconds > self.now() else seconds + 86400, False)

    @ioctl(rtc.RTC_ALM_READ)
    def read_alarm(self):
        return broken_down(self.alarm)

    @ioctl(rtc.RTC_AIE_ON)
    def alarm_on(self):
        self.set_alarm(self.alarm, True)

    @ioctl(rtc.RTC_AIE_OFF)
    def alarm_off(self):
        self.set_alarm(self.alarm, False)

    @ioctl(rtc.RTC_WKALM_SET)
    def set_wake_alarm(self, wanted):
        seconds = seconds_of(wanted.time)
        if wanted.enabled and seconds <= self.now():
            raise OSError(ETIME, "the time has passed")
        self.set_alarm(seconds, bool(wanted.enabled))

    @ioctl(rtc.RTC_WKALM_RD)
    def read_wake_alarm(self):
        return rtc.rtc_wkalrm(self.alarm_enabled, 0, broken_down(self.alarm))

    @ioctl(rtc.RTC_PARAM_GET, access="rw")
    def parameter(self, wanted):
        if wanted.param or wanted.index:
            raise OSError(EINVAL, "of the parameters there are the features")
        wanted.value = FEATURES

    def links(self, name):
        return ("rtc",) if name == "rtc0" else ()   # SYMLINK+="rtc" of 50-udev-default.rules

    # ---- Files of /sys/class/rtc/rtcN

    def surroundings(self, node, major, minor):
        return {**super().surroundings(node, major, minor), f"{self.parent}/power/wakeup": b"enabled\n"}

    @attribute
    def name(self):
        return "rtc_cmos 00:01"

    @attribute
    def date(self):
        return time.strftime("%Y-%m-%d", time.gmtime(self.now()))

    @attribute("time")
    def time_of_day(self):
        return time.strftime("%H:%M:%S", time.gmtime(self.now()))

    @attribute
    def since_epoch(self):
        return int(self.now())

    @attribute
    def hctosys(self):
        return 1

    @attribute
    def wakealarm(self):
        return self.alarm if self.alarm_enabled else b""

    @wakealarm.written
    def set_wakealarm(self, text):
        seconds = int(self.now()) + int(text[1:]) if text.startswith("+") else int(text)
        if seconds > self.now() and self.alarm_enabled:
            raise OSError(EBUSY, "an alarm is set; write 0 first")
        self.set_alarm(seconds, seconds > self.now())


def broken_down(seconds):
    """A time since 1970 in the members of struct rtc_time."""
    at = time.gmtime(seconds)
    day = at.tm_mday, at.tm_mon - 1, at.tm_year - 1900, (at.tm_wday + 1) % 7, at.tm_yday - 1
    return rtc.rtc_time(at.tm_sec, at.tm_min, at.tm_hour, *day)


def seconds_of(wanted):
    """The time since 1970 that a program means.  EINVAL where there is no such (rtc_valid_tm)."""
    try:
        at = datetime(
            wanted.tm_year + 1900, wanted.tm_mon + 1, wanted.tm_mday, wanted.tm_hour, wanted.tm_min, wanted.tm_sec
        )
    except ValueError as problem:
        raise OSError(EINVAL, str(problem)) from None
    return timegm(at.timetuple())
