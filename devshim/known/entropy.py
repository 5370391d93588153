"""Random numbers and radio switches: linux/random.h, linux/rfkill.h"""

from __future__ import annotations

from devshim.known.record import BYTES, known, record, trailing

rand_pool_info = record(
    "rand_pool_info", entropy_count="i32", buf_size="i32", buf=trailing(BYTES, length="buf_size", access="w")
)


DESCRIPTIONS = [
    known("RNDGETENTCNT", 0x80045200, "i32"),
    known("RNDADDTOENTCNT", 0x40045201, "i32"),
    known("RNDGETPOOL", 0x80085202),
    known("RNDADDENTROPY", 0x40085203, rand_pool_info, "w"),
    known("RNDZAPENTCNT", 0x5204),
    known("RNDCLEARPOOL", 0x5206),
    known("RNDRESEEDCRNG", 0x5207),
    known("RFKILL_IOCTL_NOINPUT", 0x5201),
    known("RFKILL_IOCTL_MAX_SIZE", 0x40045202, "u32"),
]
