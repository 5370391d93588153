"""Micron MT29F1G08ABAEA, 128 MiB of NAND flash, as mtdchar shows it.  Source: mtd/mtd-abi.h; drivers/mtd/mtdchar.c."""

import errno
import os
import re
from ctypes import c_int32, c_int64

from devshim import ClassDevice, File, attribute, ioctl, structures

mtd = structures("""
    struct mtd_info_user     { __u8 type; __u32 flags, size, erasesize, writesize, oobsize; __u64 padding; };
    struct erase_info_user   { __u32 start, length; };
    struct erase_info_user64 { __u64 start, length; };
    struct mtd_ecc_stats     { __u32 corrected, failed, badblocks, bbtblocks; };
    struct mtd_oob_in        { __u64 start; __u32 pad, length;
                               __u64 usr_ptr;   /* devshim: length=length access=w */ };
    struct mtd_oob_out       { __u64 start; __u32 pad, length;
                               __u64 usr_ptr;   /* devshim: length=length access=r */ };
    struct mtd_write_req     { __u64 start, len, ooblen;
                               __u64 usr_data;  /* devshim: length=len access=w optional */
                               __u64 usr_oob;   /* devshim: length=ooblen access=w optional */
                               __u8 mode; __u8 padding[7]; };

    #define MEMGETINFO        _IOR('M', 1, struct mtd_info_user)
    #define MEMERASE          _IOW('M', 2, struct erase_info_user)
    #define MEMGETREGIONCOUNT _IOR('M', 7, int)
    #define MEMGETBADBLOCK    _IOW('M', 11, __s64)
    #define MEMSETBADBLOCK    _IOW('M', 12, __s64)
    #define ECCGETSTATS       _IOR('M', 18, struct mtd_ecc_stats)
    #define MTDFILEMODE       _IO('M', 19)
    #define MEMERASE64        _IOW('M', 20, struct erase_info_user64)
    #define MEMWRITEOOB64     _IOWR('M', 21, struct mtd_oob_in)
    #define MEMREADOOB64      _IOWR('M', 22, struct mtd_oob_out)
    #define MEMWRITE          _IOWR('M', 24, struct mtd_write_req)
""", name="mtd-abi.h")

NAND, WRITEABLE = 4, 0x400
BLOCK, PAGE, SUBPAGE, OOB = 128 * 1024, 2048, 512, 64
ERASED_PAGE, ERASED_OOB = b"\xff" * PAGE, b"\xff" * OOB
MODES = range(4)                    # MTD_FILE_MODE_*


class Mt29f1g08(ClassDevice):
    """A NAND chip: pages are written once, blocks erased, some are bad from the start: `-d /dev/mtd0=mt29f1g08`."""

    usual_node = "/dev/mtd0"

    name: str = "nand0"
    blocks: int = 1024
    bad: list[int] = []             # blocks that the factory has marked

    subsystem = "mtd"
    major = 90
    seekable = True                 # Opened.seek() is asked

    def setup(self):
        self.pages = {}             # by number, those that are not erased: data and what is out of band
        for block in self.bad:
            self.mark_bad(block)

    def numbers(self, node):
        found = re.search(r"/mtd(\d+)$", node)
        return self.major, 2 * int(found[1]) if found else None   # odd ones are the kernel's mtdNro

    @property
    def bytes(self):
        return self.blocks * BLOCK

    def page(self, number):
        return self.pages.get(number, (ERASED_PAGE, ERASED_OOB))

    def program(self, number, data=ERASED_PAGE, oob=ERASED_OOB):
        """Bits go from 1 to 0, and back only by erasing."""
        before = self.page(number)
        self.pages[number] = both(before[0], data), both(before[1], oob.ljust(OOB, b"\xff"))

    def mark_bad(self, block):
        self.program(block * BLOCK // PAGE, oob=b"\0\0")

    def is_bad(self, block):
        return self.page(block * BLOCK // PAGE)[1][0] != 0xFF

    def erase(self, start, length):
        if start % BLOCK or length % BLOCK or start + length > self.bytes:
            raise OSError(errno.EINVAL, "whole blocks are erased")
        for block in range(start // BLOCK, (start + length) // BLOCK):
            if self.is_bad(block):
                raise OSError(errno.EIO, f"block {block} is bad")
            for number in range(block * BLOCK // PAGE, (block + 1) * BLOCK // PAGE):
                self.pages.pop(number, None)

    def data(self, start, size):
        first, last = start // PAGE, -(-(start + size) // PAGE)
        return b"".join(self.page(number)[0] for number in range(first, last))[start % PAGE :][:size]

    def open(self, flags):
        return Opened()

    def surroundings(self, node, major, minor):
        found = super().surroundings(node, major, minor)
        numbers = {
            "flags": f"{WRITEABLE:#x}", "size": self.bytes, "erasesize": BLOCK, "writesize": PAGE,
            "subpagesize": SUBPAGE, "oobsize": OOB, "oobavail": 24, "numeraseregions": 0,
            "ecc_strength": 4, "ecc_step_size": 512,
        }
        here = os.path.join("/sys/devices/virtual/mtd", os.path.basename(node))
        return {**found, **{f"{here}/{name}": f"{value}\n".encode() for name, value in numbers.items()}}

    @attribute("name")
    def name_shown(self):
        return self.name

    @attribute("type")
    def kind(self):
        return "nand"

    @attribute
    def bad_blocks(self):
        return self.count_bad()

    def count_bad(self):
        return sum(self.is_bad(block) for block in range(self.blocks))


class Opened(File):
    """An open of it, with its position."""

    position = 0

    def read(self, size):
        data = self.pread(size, self.position)
        self.position += len(data)
        return data

    def pread(self, size, offset):
        return self.device.data(offset, max(0, min(size, self.device.bytes - offset)))

    def write(self, data):
        taken = self.pwrite(data, self.position)
        self.position += taken
        return taken

    def pwrite(self, data, offset):
        if offset >= self.device.bytes:
            raise OSError(errno.ENOSPC, "the chip ends")
        if offset % SUBPAGE or len(data) % SUBPAGE:
            raise OSError(errno.EINVAL, "whole subpages are written")
        data = data[: self.device.bytes - offset]
        self.write_pages(offset, data)
        return len(data)

    def write_pages(self, start, data, oob=b""):
        """What is not written of a page keeps its bits."""
        data = b"\xff" * (start % PAGE) + data
        for at in range(max(-(-len(data) // PAGE), -(-len(oob) // OOB))):
            page = data[at * PAGE : (at + 1) * PAGE].ljust(PAGE, b"\xff")
            self.device.program(start // PAGE + at, page, oob[at * OOB : (at + 1) * OOB])

    def seek(self, offset, whence):
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self.device.bytes}.get(whence, -1 << 63)
        if not 0 <= base + offset <= self.device.bytes:
            raise OSError(errno.EINVAL, "beyond the chip")
        self.position = base + offset
        return self.position

    def writes(self):
        if self.flags & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EPERM, "opened for reading")

    @ioctl(mtd.MEMGETINFO)
    def info(self):
        return mtd.mtd_info_user(NAND, WRITEABLE, self.device.bytes, BLOCK, PAGE, OOB, 0xFFFFFFFF)

    @ioctl(mtd.MEMERASE)
    def erase(self, what):
        self.writes()
        self.device.erase(what.start, what.length)

    @ioctl(mtd.MEMERASE64)
    def erase64(self, what):
        self.erase(what)

    @ioctl(mtd.MEMGETREGIONCOUNT)
    def regions(self):
        return c_int32(0)

    @ioctl(mtd.MEMGETBADBLOCK)
    def get_bad(self, offset):
        return int(self.device.is_bad(self.block(offset)))

    @ioctl(mtd.MEMSETBADBLOCK)
    def set_bad(self, offset):
        self.writes()
        self.device.mark_bad(self.block(offset))

    def block(self, offset):
        if not 0 <= offset.value < self.device.bytes:
            raise OSError(errno.EINVAL, "no such block")
        return offset.value // BLOCK

    @ioctl(mtd.ECCGETSTATS)
    def statistics(self):
        return mtd.mtd_ecc_stats(badblocks=self.device.count_bad())

    @ioctl(mtd.MTDFILEMODE, value=c_int64)
    def set_mode(self, mode):
        if mode not in MODES:
            raise OSError(errno.EINVAL, "no such mode")
        self.position = 0

    @ioctl(mtd.MEMREADOOB64)
    def read_oob(self, what):
        first, pages = what.start // PAGE, -(-what.length // OOB)
        oob = b"".join(self.device.page(number)[1] for number in range(first, first + pages))
        what.usr_ptr[:] = oob[: what.length]

    @ioctl(mtd.MEMWRITEOOB64)
    def write_oob(self, what):
        self.writes()
        self.device.program(what.start // PAGE, oob=bytes(what.usr_ptr))

    @ioctl(mtd.MEMWRITE)
    def write_both(self, what):
        self.writes()
        if what.start % SUBPAGE or what.len % SUBPAGE or what.start + what.len > self.device.bytes:
            raise OSError(errno.EINVAL, "whole subpages are written")
        self.write_pages(what.start, bytes(what.usr_data or b""), bytes(what.usr_oob or b""))


def both(one, other):
    """Bits that are set in both."""
    size = len(one)
    return (int.from_bytes(one, "big") & int.from_bytes(other, "big")).to_bytes(size, "big")
