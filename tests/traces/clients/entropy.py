"""Asks the kernel how much entropy it has, and for eight random bytes (random(4))."""

import fcntl
import os

RNDGETENTCNT = 0x80045200

random = os.open("/dev/urandom", os.O_RDONLY)
print(int.from_bytes(fcntl.ioctl(random, RNDGETENTCNT, bytes(4)), "little"), os.read(random, 8).hex())
