"""ACME DX-8 data acquisition card, which does not exist: every kind of ioctl that a vendor may invent.

From the "DX-8 Programmer's Manual", revision C, chapter 4; the header is its acme_dx8.h, with a note on each pointer:

4.1  GET_INFO fills in what card this is and how many conversions have ended.
4.2  SET_RATE sets the conversions a second, 1 to 1000; else ERANGE.
4.3  SELECT takes a channel, by value; EINVAL where there is none.
4.4  MOVE copies memory of the card from several buffers (to_card) or into them, and returns the
     bytes moved; EFAULT beyond the end of the 4096 that there are.
4.5  START begins one conversion; EBUSY while one is under way.
4.6  WAIT_IRQ waits for an end of a conversion that it has not yet told about: its number.
4.7  read() gives the last conversion as text, "channel microvolts\\n"; it waits while there is none.
"""

from ctypes import c_int, c_uint32
from errno import EBUSY, EFAULT, EINVAL, ERANGE

from devshim import POLLIN, WAIT, Device, ioctl, structures

dx8 = structures("""
    struct dx8_info    { char model[16]; __u32 firmware; __u16 channels; __u16 irq_count; };
    struct dx8_segment { __u32 length; __u32 reserved;
                         __u8 *data;                    /* devshim: length=length access=rw */ };
    struct dx8_move    { __u32 address; __u16 to_card; __u16 count;
                         struct dx8_segment *segments;  /* devshim: length=count access=w */ };

    #define DX8_GET_INFO  _IOR('x', 0x00, struct dx8_info)
    #define DX8_SET_RATE  _IOW('x', 0x01, __u32)
    #define DX8_SELECT    _IO('x', 0x02)
    #define DX8_MOVE      _IOWR('x', 0x03, struct dx8_move)
    #define DX8_START     _IO('x', 0x04)
    #define DX8_WAIT_IRQ  _IOR('x', 0x05, __u32)
""", name="acme_dx8.h")


class Acme(Device):
    """A voltmeter card with eight channels and a memory of its own."""

    model: str = "DX-8"
    volts: list[float] = [0.0] * 8  # what is on the inputs

    channel = 0
    rate = 100                      # conversions a second
    busy = False                    # a conversion is under way
    ended = told = 0                # conversions, and the last that WAIT_IRQ told about
    result = b""                    # the last one as text, as far as it was not read

    def setup(self):
        self.memory = bytearray(4096)

    @ioctl(dx8.DX8_GET_INFO)
    def get_info(self):
        return dx8.dx8_info(self.model.encode(), 0x0103, len(self.volts), self.ended & 0xFFFF)

    @ioctl(dx8.DX8_SET_RATE)
    def set_rate(self, rate):
        if not 1 <= rate.value <= 1000:
            raise OSError(ERANGE, "1 to 1000 conversions a second")
        self.rate = rate.value

    @ioctl(dx8.DX8_SELECT, value=c_int)
    def select(self, channel):
        if not 0 <= channel < len(self.volts):
            raise OSError(EINVAL, f"no channel {channel}")
        self.channel = channel

    @ioctl(dx8.DX8_MOVE)
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

    @ioctl(dx8.DX8_START)
    def start(self):
        if self.busy:
            raise OSError(EBUSY, "a conversion is under way")
        self.busy = True
        self.after(1 / self.rate, self.finish)

    def finish(self):
        self.busy = False
        self.ended += 1
        self.result = b"%d %d\n" % (self.channel, round(self.volts[self.channel] * 1e6))
        self.wake()

    @ioctl(dx8.DX8_WAIT_IRQ)
    def wait_irq(self):
        if self.told == self.ended:
            return WAIT
        self.told = self.ended
        return c_uint32(self.ended)

    def read(self, size):
        if not self.result:
            return WAIT
        taken, self.result = self.result[:size], self.result[size:]
        return taken

    def poll(self):
        return POLLIN if self.result else 0
