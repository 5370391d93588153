"""ACME DX-8 data acquisition card, a product that does not exist: every kind of ioctl a vendor may invent.

From "DX-8 Programmer's Manual", revision C, chapter 4, acme_dx8.h:

    struct dx8_info    { char model[16]; __u32 firmware; __u16 channels; __u16 irq_count; };
    struct dx8_segment { __u32 length; __u32 reserved; __u8 *data; };
    struct dx8_move    { __u32 address; __u16 to_card; __u16 count; struct dx8_segment *segments; };

    #define DX8_GET_INFO  _IOR('x', 0x00, struct dx8_info)
    #define DX8_SET_RATE  _IOW('x', 0x01, __u32)
    #define DX8_SELECT    _IO('x', 0x02)
    #define DX8_MOVE      _IOWR('x', 0x03, struct dx8_move)
    #define DX8_START     _IO('x', 0x04)
    #define DX8_WAIT_IRQ  _IOR('x', 0x05, __u32)

4.1  GET_INFO fills in what card this is and how many conversions have ended.
4.2  SET_RATE sets the conversions a second, 1 to 1000; else ERANGE.
4.3  SELECT takes a channel, by value; EINVAL where there is none.
4.4  MOVE copies memory of the card from several buffers (to_card) or into them, and returns the
     bytes moved; EFAULT beyond the end of the 4096 that there are.
4.5  START begins one conversion; EBUSY while one is under way.
4.6  WAIT_IRQ waits for an end of a conversion that it has not yet told about: its number.
4.7  read() gives the last conversion as text, "channel microvolts\\n"; it waits while there is none.
"""

from ctypes import Structure, c_char, c_int, c_uint8, c_uint16, c_uint32
from errno import EBUSY, EFAULT, EINVAL, ERANGE

from devshim import IO, IOR, IOW, IOWR, WAIT, Device, ioctl, pointer


class Dx8Info(Structure):
    _fields_ = [("model", c_char * 16), ("firmware", c_uint32), ("channels", c_uint16), ("irq_count", c_uint16)]


class Dx8Segment(Structure):
    _fields_ = [("length", c_uint32), ("reserved", c_uint32), ("data", pointer(c_uint8, length="length"))]


class Dx8Move(Structure):
    _fields_ = [("address", c_uint32), ("to_card", c_uint16), ("count", c_uint16),
                ("segments", pointer(Dx8Segment, length="count", access="w"))]


class Acme(Device):
    """An eight-channel voltmeter card with memory of its own, whose driver has only ioctls that nobody else has."""

    model: str = "DX-8"
    volts: list[float] = [0.0] * 8  # what is on the channels' inputs

    channel = 0
    rate = 100                      # conversions a second
    irqs = 0                        # conversions ended so far
    seen = 0                        # the last of them that DX8_WAIT_IRQ told about
    last = None                     # the last conversion as text, until it is read
    busy = False

    def setup(self):
        self.memory = bytearray(4096)

    @ioctl(IOR("x", 0x00, Dx8Info))
    def get_info(self):
        return Dx8Info(self.model.encode(), 0x0103, len(self.volts), self.irqs & 0xFFFF)

    @ioctl(IOW("x", 0x01, c_uint32))
    def set_rate(self, rate):
        if not 1 <= rate.value <= 1000:
            raise OSError(ERANGE, "1 to 1000 conversions a second")
        self.rate = rate.value

    @ioctl(IO("x", 0x02), value=c_int)
    def select(self, channel):
        if not 0 <= channel < len(self.volts):
            raise OSError(EINVAL, f"no channel {channel}")
        self.channel = channel

    @ioctl(IOWR("x", 0x03, Dx8Move))
    def move(self, move):
        at = move.address
        if at + sum(segment.length for segment in move.segments) > len(self.memory):
            raise OSError(EFAULT, "beyond the end of the card's memory")
        for segment in move.segments:
            part = slice(at, at + segment.length)
            if move.to_card:
                self.memory[part] = segment.data
            else:
                segment.data[:] = self.memory[part]
            at += segment.length
        return at - move.address

    @ioctl(IO("x", 0x04))
    def start(self):
        if self.busy:
            raise OSError(EBUSY, "a conversion is under way")
        self.busy = True
        self.after(1 / self.rate, self.finish)

    def finish(self):
        self.busy, self.irqs = False, self.irqs + 1
        self.last = b"%d %d\n" % (self.channel, round(self.volts[self.channel] * 1e6))
        self.wake()

    @ioctl(IOR("x", 0x05, c_uint32))
    def wait_irq(self):
        if self.seen == self.irqs:
            return WAIT
        self.seen = self.irqs
        return c_uint32(self.irqs)

    def read(self, size):
        if self.last is None:
            return WAIT
        taken, self.last = self.last[:size], self.last[size:] or None
        return taken

    def poll(self):
        return 0 if self.last is None else 1  # POLLIN
