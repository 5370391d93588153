"""The watchdog of an Intel chip set, iTCO_wdt.  Source: linux/watchdog.h; drivers/watchdog/watchdog_dev.c."""

import time
from ctypes import c_int, c_uint32
from errno import EBUSY, EINVAL

from devshim import ClassDevice, attribute, ioctl, structures

wd = structures("""
    struct watchdog_info { __u32 options; __u32 firmware_version; __u8 identity[32]; };

    #define WDIOC_GETSUPPORT    _IOR('W', 0, struct watchdog_info)
    #define WDIOC_GETSTATUS     _IOR('W', 1, int)
    #define WDIOC_GETBOOTSTATUS _IOR('W', 2, int)
    #define WDIOC_SETOPTIONS    _IOR('W', 4, int)
    #define WDIOC_KEEPALIVE     _IOR('W', 5, int)
    #define WDIOC_SETTIMEOUT    _IOWR('W', 6, int)
    #define WDIOC_GETTIMEOUT    _IOR('W', 7, int)
    #define WDIOC_GETPRETIMEOUT _IOR('W', 9, int)
    #define WDIOC_GETTIMELEFT   _IOR('W', 10, int)
""", name="watchdog.h")

CARDRESET, SETTIMEOUT, MAGICCLOSE, KEEPALIVEPING = 0x20, 0x80, 0x100, 0x8000
DISABLE, ENABLE = 1, 2


class ItcoWdt(ClassDevice):
    """It begins to count when a program opens it, and would reset the machine: `-d /dev/watchdog0=itco_wdt`.

    `resets` counts how often it would have; override expired() to do something then, such as self.unplug().
    """

    usual_node = "/dev/watchdog0"

    timeout: int = 30               # seconds, 3 to 613
    nowayout: bool = False          # not even the magic character stops it
    after_reset: bool = False       # the machine has started because of it

    subsystem = "watchdog"

    taken = False                   # a program has it open
    magic = False                   # the last write had a V in it
    alive = False                   # the program has sent something since it last asked
    resets = 0
    deadline = 0.0
    counting = None                 # the timer that runs

    def expired(self):
        """The machine would be reset now."""

    def run_out(self):
        self.counting = None
        self.resets += 1
        self.expired()

    def ping(self):
        self.alive = True
        self.stop()
        self.deadline = time.monotonic() + self.timeout
        self.counting = self.after(self.timeout, self.run_out)

    def stop(self):
        if self.counting:
            self.counting.cancel()
            self.counting = None

    def open(self, flags):
        if self.taken:
            raise OSError(EBUSY, "one program at a time")
        self.taken, self.magic = True, False
        self.ping()
        return self

    def write(self, data):
        self.magic = not self.nowayout and b"V" in data
        if data:
            self.ping()

    def close(self):
        self.taken = False
        if self.magic:
            self.stop()
        elif self.counting:
            self.ping()             # "watchdog did not stop!"

    @ioctl(wd.WDIOC_GETSUPPORT)
    def support(self):
        return wd.watchdog_info(SETTIMEOUT | MAGICCLOSE | KEEPALIVEPING, 0, (*self.identity.encode(), *bytes(24)))

    @ioctl(wd.WDIOC_GETSTATUS)
    def get_status(self):
        told, self.alive = self.flags_now(), False
        return c_int(told)

    @ioctl(wd.WDIOC_GETBOOTSTATUS)
    def get_boot_status(self):
        return c_int(self.bootstatus)

    @ioctl(wd.WDIOC_SETOPTIONS, c_uint32, access="w")
    def set_options(self, options):
        if options.value & DISABLE and self.nowayout:
            raise OSError(EBUSY, "nowayout")
        if options.value & DISABLE:
            self.stop()
        if options.value & ENABLE:
            self.ping()

    @ioctl(wd.WDIOC_KEEPALIVE, value=c_int)
    def keep_alive(self, _):
        self.ping()

    @ioctl(wd.WDIOC_SETTIMEOUT)
    def set_timeout(self, seconds):
        if not 3 <= seconds.value <= 613:
            raise OSError(EINVAL, "3 to 613 seconds")
        self.timeout = seconds.value
        self.ping()

    @ioctl(wd.WDIOC_GETTIMEOUT)
    def get_timeout(self):
        return c_int(self.timeout)

    @ioctl(wd.WDIOC_GETPRETIMEOUT)
    def get_pretimeout(self):
        return c_int(0)

    @ioctl(wd.WDIOC_GETTIMELEFT)
    def get_time_left(self):
        return c_int(self.timeleft)

    def flags_now(self):
        return (MAGICCLOSE if self.magic else 0) | (KEEPALIVEPING if self.alive else 0)

    def links(self, name):
        return ("watchdog",) if name == "watchdog0" else ()     # in the kernel a second node, for old programs

    # ---- Files of /sys/class/watchdog/watchdogN

    @attribute
    def identity(self):
        return "iTCO_wdt"

    @attribute
    def state(self):
        return "active" if self.taken or self.counting else "inactive"

    @attribute
    def status(self):
        return f"{self.flags_now():#x}"

    @attribute
    def bootstatus(self):
        return CARDRESET if self.after_reset else 0

    @attribute
    def timeleft(self):
        return max(0, round(self.deadline - time.monotonic())) if self.counting else 0

    @attribute("timeout")
    def timeout_shown(self):
        return self.timeout

    @attribute("nowayout")
    def nowayout_shown(self):
        return int(self.nowayout)
