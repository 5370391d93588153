"""An infrared receiver and sender on USB, as mceusb shows it.  Source: linux/lirc.h; drivers/media/rc/lirc_dev.c."""

import struct
import time
from collections import deque
from ctypes import c_uint32
from errno import EINVAL

from devshim import POLLIN, POLLOUT, WAIT, ClassDevice, File, ioctl, structures

lirc = structures("""
    #define LIRC_GET_FEATURES         _IOR('i', 0x00, __u32)
    #define LIRC_GET_SEND_MODE        _IOR('i', 0x01, __u32)
    #define LIRC_GET_REC_MODE         _IOR('i', 0x02, __u32)
    #define LIRC_GET_REC_RESOLUTION   _IOR('i', 0x07, __u32)
    #define LIRC_GET_MIN_TIMEOUT      _IOR('i', 0x08, __u32)
    #define LIRC_GET_MAX_TIMEOUT      _IOR('i', 0x09, __u32)
    #define LIRC_SET_SEND_MODE        _IOW('i', 0x11, __u32)
    #define LIRC_SET_REC_MODE         _IOW('i', 0x12, __u32)
    #define LIRC_SET_SEND_CARRIER     _IOW('i', 0x13, __u32)
    #define LIRC_SET_TRANSMITTER_MASK _IOW('i', 0x17, __u32)
    #define LIRC_SET_REC_TIMEOUT      _IOW('i', 0x18, __u32)
    #define LIRC_SET_REC_TIMEOUT_REPORTS  _IOW('i', 0x19, __u32)
    #define LIRC_GET_REC_TIMEOUT      _IOR('i', 0x24, __u32)
""", name="lirc.h")

PULSE, MODE2, SCANCODE = 2, 4, 8    # LIRC_MODE_*
# LIRC_CAN_: SEND_PULSE, SET_SEND_CARRIER, SET_TRANSMITTER_MASK, REC_MODE2, SET_REC_TIMEOUT, GET_REC_RESOLUTION
FEATURES = 0x2 | 0x100 | 0x400 | 0x40000 | 0x10000000 | 0x20000000
PULSES, TIMEOUT = 0x01000000, 0x03000000  # LIRC_MODE2_*
LONGEST = 0xFFFFFF
NEC = 9                             # RC_PROTO_NEC
UNIT = 563                          # microseconds; after a header of 16 and 8, a bit is a pulse and a space of 1 or 3
CARRIERS = range(25000, 60001)


class Mceusb(ClassDevice):
    """press(scancode) is a key of a NEC remote control; `sent` is what programs send: `-d /dev/lirc0=mceusb`."""

    usual_node = "/dev/lirc0"

    timeout: int = 100000           # microseconds of silence that end a signal
    period: float = 0.0             # seconds from one press of a key to the next, while a program has it open; 0: never
    scancode: int = 0x1234          # of that key

    subsystem = "lirc"
    transmitters = 2

    def setup(self):
        self.files_open = []
        self.sent = []              # of each send its pulses and spaces, in microseconds
        self.carrier_hertz = 38000

    def open(self, flags):
        file = Receiver()
        self.files_open.append(file)
        if self.period and len(self.files_open) == 1:
            self.after(self.period, self.press_again)
        return file

    def press_again(self):
        if self.files_open:
            self.press(self.scancode)
            self.after(self.period, self.press_again)

    def press(self, scancode):
        """A key: address in the high byte, command in the low one."""
        self.receive(nec(scancode), scancode)

    def receive(self, pulses, scancode=None):
        """Pulses and spaces in microseconds, a pulse first; and what a decoder makes of them."""
        for file in self.files_open:
            file.receive(pulses, scancode, self.timeout)
        self.wake()


class Receiver(File):
    """An open of it, with modes and a queue of its own."""

    receives, sends = MODE2, PULSE
    silent_since = None             # when a signal had ended

    def __init__(self):
        self.queue = deque(maxlen=1024)

    def receive(self, pulses, scancode, timeout):
        if self.receives == MODE2:
            if self.silent_since is not None:
                self.queue.append(word(min(round((time.monotonic() - self.silent_since) * 1e6), LONGEST)))
            self.silent_since = time.monotonic()
            self.queue.extend(word(length | (0 if i % 2 else PULSES)) for i, length in enumerate(pulses))
            self.queue.append(word(timeout | TIMEOUT))
        elif scancode is not None:
            self.queue.append(struct.pack("<QHHIQ", 0, 0, NEC, 0, scancode))

    def read(self, size):
        record = 4 if self.receives == MODE2 else 24
        if size < record or size % record:
            raise OSError(EINVAL, f"{record} bytes a time")
        if not self.queue:
            return WAIT
        return b"".join(self.queue.popleft() for _ in range(min(size // record, len(self.queue))))

    def write(self, data):
        if self.sends == SCANCODE:
            if len(data) != 24:
                raise OSError(EINVAL, "one scancode")
            _, flags, protocol, keycode, scancode = struct.unpack("<QHHIQ", data)
            if flags or keycode or protocol != NEC:
                raise OSError(EINVAL, "this encoder knows NEC")
            self.device.sent.append(nec(scancode))
        else:
            if len(data) % 8 != 4:  # pulses are between spaces
                raise OSError(EINVAL, "it begins and ends with a pulse")
            self.device.sent.append([length for (length,) in struct.iter_unpack("<I", data)])

    def poll(self):
        return (POLLIN if self.queue else 0) | POLLOUT

    def close(self):
        self.device.files_open.remove(self)

    @ioctl(lirc.LIRC_GET_FEATURES)
    def features(self):
        return c_uint32(FEATURES)

    @ioctl(lirc.LIRC_GET_REC_MODE)
    def receive_mode(self):
        return c_uint32(self.receives)

    @ioctl(lirc.LIRC_SET_REC_MODE)
    def set_receive_mode(self, mode):
        if mode.value not in (MODE2, SCANCODE):
            raise OSError(EINVAL, "pulses or scancodes")
        self.receives = mode.value
        self.queue.clear()

    @ioctl(lirc.LIRC_GET_SEND_MODE)
    def send_mode(self):
        return c_uint32(self.sends)

    @ioctl(lirc.LIRC_SET_SEND_MODE)
    def set_send_mode(self, mode):
        if mode.value not in (PULSE, SCANCODE):
            raise OSError(EINVAL, "pulses or scancodes")
        self.sends = mode.value

    @ioctl(lirc.LIRC_GET_REC_RESOLUTION)
    def resolution(self):
        return c_uint32(50)

    @ioctl(lirc.LIRC_GET_REC_TIMEOUT)
    def receive_timeout(self):
        return c_uint32(self.device.timeout)

    @ioctl(lirc.LIRC_GET_MIN_TIMEOUT)
    def shortest_timeout(self):
        return c_uint32(50)

    @ioctl(lirc.LIRC_GET_MAX_TIMEOUT)
    def longest_timeout(self):
        return c_uint32(1000000)

    @ioctl(lirc.LIRC_SET_REC_TIMEOUT)
    def set_receive_timeout(self, microseconds):
        if not 50 <= microseconds.value <= 1000000:
            raise OSError(EINVAL, "50 µs to 1 s")
        self.device.timeout = microseconds.value

    @ioctl(lirc.LIRC_SET_REC_TIMEOUT_REPORTS)
    def report_timeouts(self, on):
        """They are always reported."""

    @ioctl(lirc.LIRC_SET_SEND_CARRIER)
    def set_carrier(self, hertz):
        if hertz.value not in CARRIERS:
            raise OSError(EINVAL, "25 to 60 kHz")
        self.device.carrier_hertz = hertz.value

    @ioctl(lirc.LIRC_SET_TRANSMITTER_MASK)
    def set_transmitters(self, mask):
        if mask.value >= 1 << self.device.transmitters:
            return self.device.transmitters     # how many there are
        return 0


def word(number):
    return struct.pack("<I", number)


def nec(scancode):
    """The pulses and spaces of a code: address and command, each followed by its complement; the lowest bit first."""
    address, command = scancode >> 8 & 0xFF, scancode & 0xFF
    bits = address | (address ^ 0xFF) << 8 | command << 16 | (command ^ 0xFF) << 24
    coded = (length for bit in range(32) for length in (UNIT, UNIT * 3 if bits >> bit & 1 else UNIT))
    return [UNIT * 16, UNIT * 8, *coded, UNIT]
