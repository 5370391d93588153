"""Runs inside a target: asks a node whatever its family's descriptions allow, with arguments that nobody should pass.

fuzz_ioctls.py NODE MODULE:CLASS...   the classes of files whose ioctls are asked for.  Ends with 0 where all calls
came back; what they answered is not looked at, but for errnos that no driver gives.
"""

import ctypes
import errno
import importlib
import mmap
import os
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

#: These wait for something that never comes (TIOCMIWAIT), or for output (TCSBRK, TCSBRKP).
WAITING = {0x545C, 0x5409, 0x5425}
PAGE = 4096

libc = ctypes.CDLL(None, use_errno=True)
libc.ioctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p)
answers: dict[str, int] = {}


def requests(names):
    """The numbers that the classes' handlers answer."""
    found = set()
    for name in names:
        module, _, cls = name.partition(":")
        for handler in getattr(importlib.import_module(module), cls).ioctls.values():
            found |= {number for number, _ in handler.matches}
    return sorted(found - WAITING)


class Memory:
    """Two pages of which the second cannot be read or written: what lies before it is all that there is."""

    def __init__(self):
        self.map = mmap.mmap(-1, 2 * PAGE)
        self.start = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        if libc.mprotect(ctypes.c_void_p(self.start + PAGE), PAGE, 0):
            raise OSError(ctypes.get_errno(), "mprotect")

    def put(self, content):
        """Where content lies that ends with the page."""
        content = content[:PAGE]
        at = self.start + PAGE - len(content)
        ctypes.memmove(at, content, len(content))
        return at


def arguments(memory):
    """Addresses: of bytes, of pointers to such bytes, and of nothing."""
    nowhere = st.sampled_from([0, 1, 7, PAGE, 1 << 47, (1 << 64) - 8, (1 << 64) - 1, memory.start + PAGE - 1])
    plain = st.binary(max_size=600)
    numbers = st.lists(st.sampled_from([0, 1, 2, 3, 8, 64, 255, 4096, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]), max_size=80)
    words = numbers.map(lambda values: b"".join(value.to_bytes(4, "little") for value in values))
    pointing = st.lists(nowhere | st.just(memory.start), max_size=24).map(
        lambda places: b"".join(place.to_bytes(8, "little") for place in places)
    )
    return nowhere | st.one_of(plain, words, pointing).map(memory.put) | st.integers(0, 300)


def main(node, *classes):
    numbers, memory = requests(classes), Memory()
    fd = os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
    odd = st.builds(lambda number, flipped: number ^ 1 << flipped, st.sampled_from(numbers), st.integers(0, 31))

    @settings(max_examples=400, derandomize=True, database=None, deadline=None)
    @given(st.sampled_from(numbers) | odd.filter(lambda number: number & 0xFF00 != 0x5400), arguments(memory))
    def ask(number, argument):
        result = libc.ioctl(fd, number, argument)
        name = errno.errorcode.get(ctypes.get_errno(), "?") if result < 0 else "fine"
        answers[name] = answers.get(name, 0) + 1
        if result > 2:  # a descriptor that was made
            os.close(result) if result < 1024 and os.path.exists(f"/proc/self/fd/{result}") and result != fd else None

    ask()
    print(" ".join(sorted(answers)))


main(*sys.argv[1:])
