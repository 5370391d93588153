"""The flags of a terminal's settings in words, as C writes them: `B115200|CS8|CREAD|CLOCAL`.

Source: asm-generic/termbits.h.
"""

from __future__ import annotations

from functools import lru_cache

from devshim.model.termios import BAUD_RATES, BOTHER, CBAUD, CSIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INPUT = {
    "IGNBRK": 0o1, "BRKINT": 0o2, "IGNPAR": 0o4, "PARMRK": 0o10, "INPCK": 0o20, "ISTRIP": 0o40, "INLCR": 0o100,
    "IGNCR": 0o200, "ICRNL": 0o400, "IUCLC": 0o1000, "IXON": 0o2000, "IXANY": 0o4000, "IXOFF": 0o10000,
    "IMAXBEL": 0o20000, "IUTF8": 0o40000,
}  # fmt: skip
OUTPUT = {
    "OPOST": 0o1, "OLCUC": 0o2, "ONLCR": 0o4, "OCRNL": 0o10, "ONOCR": 0o20, "ONLRET": 0o40, "OFILL": 0o100,
    "OFDEL": 0o200,
}  # fmt: skip
CONTROL = {
    "CSTOPB": 0o100, "CREAD": 0o200, "PARENB": 0o400, "PARODD": 0o1000, "HUPCL": 0o2000, "CLOCAL": 0o4000,
    "CMSPAR": 0o10000000000, "CRTSCTS": 0o20000000000,
}  # fmt: skip
LOCAL = {
    "ISIG": 0o1, "ICANON": 0o2, "XCASE": 0o4, "ECHO": 0o10, "ECHOE": 0o20, "ECHOK": 0o40, "ECHONL": 0o100,
    "NOFLSH": 0o200, "TOSTOP": 0o400, "ECHOCTL": 0o1000, "ECHOPRT": 0o2000, "ECHOKE": 0o4000, "FLUSHO": 0o10000,
    "PENDIN": 0o40000, "IEXTEN": 0o100000, "EXTPROC": 0o200000,
}  # fmt: skip


def named(value: int, names: Mapping[str, int]) -> list[str]:
    """The names of the bits that are set, then those without a name as one number."""
    found = [name for name, bit in names.items() if value & bit]
    rest = value & ~sum(names.values())
    return [*found, f"{rest:#x}"] if rest else found


@lru_cache(maxsize=256)
def control(value: int) -> str:
    """c_cflag: the baud rate and the size of a character before the bits."""
    code = value & CBAUD
    speed = "BOTHER" if code == BOTHER else f"B{BAUD_RATES[code]}" if code in BAUD_RATES else f"{code:#x}"
    size = f"CS{5 + ((value & CSIZE) >> 4)}"
    return "|".join([speed, size, *named(value & ~(CBAUD | CSIZE), CONTROL)])


def words(names: Mapping[str, int]) -> Callable[[int], str]:
    """What tells a member whose bits have these names."""
    return lru_cache(maxsize=256)(lambda value: "|".join(named(value, names)) or "0")


#: What tells a member of struct termios, termios2 and termio, by its name.
WORDS: dict[str, Callable[[int], str]] = {
    "c_iflag": words(INPUT),
    "c_oflag": words(OUTPUT),
    "c_cflag": control,
    "c_lflag": words(LOCAL),
}


def member_words(name: object, value: object) -> str | None:
    """A member in words where it has some, else None."""
    tell = WORDS.get(name) if isinstance(name, str) else None
    return tell(value) if tell is not None and isinstance(value, int) else None
