"""Keymaps: which key a scancode is, and how a program changes that (EVIOCGKEYCODE, EVIOCSKEYCODE)."""

from __future__ import annotations

import errno
import os

from devshim.model.input_abi import INPUT_KEYMAP_BY_INDEX, InputKeymapEntry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SCANCODE_SIZES = (1, 2, 4)  # input_scancode_to_scalar()


class Keymap:
    """Keycodes by scancode; the order of the entries is their index."""

    def __init__(self, entries: Mapping[int, int]) -> None:
        self.entries = dict(entries)

    def locate(self, entry: InputKeymapEntry) -> int:
        """The scancode that a program's entry means.  Raises OSError(EINVAL) where there is none."""
        if entry.flags & INPUT_KEYMAP_BY_INDEX:
            scancodes = list(self.entries)
            if entry.index < len(scancodes):
                return scancodes[int(entry.index)]
        elif entry.len in SCANCODE_SIZES:
            scancode = int.from_bytes(bytes(entry.scancode[: entry.len]), "little")
            if scancode in self.entries:
                return scancode
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    def describe(self, entry: InputKeymapEntry) -> None:
        """Fill a program's entry with keycode, index and scancode.  Raises OSError(EINVAL)."""
        scancode = self.locate(entry)
        entry.keycode = self.entries[scancode]
        entry.index = list(self.entries).index(scancode)
        entry.len = 4
        entry.scancode[:4] = list(scancode.to_bytes(4, "little"))

    def change(self, entry: InputKeymapEntry) -> tuple[int, int]:
        """Give a scancode another key; return the old and the new one.  Raises OSError(EINVAL)."""
        scancode = self.locate(entry)
        old = self.entries[scancode]
        self.entries[scancode] = entry.keycode
        return old, entry.keycode


def legacy_entry(scancode: int, keycode: int = 0) -> InputKeymapEntry:
    """The entry that the requests with two unsigned ints stand for."""
    entry = InputKeymapEntry(len=4, keycode=keycode)
    entry.scancode[:4] = list(scancode.to_bytes(4, "little"))
    return entry
