"""The kernel's terminal structures and numbers, as a serial port's ioctls carry them.

Sources: asm-generic/termbits.h, asm-generic/ioctls.h, asm-generic/termios.h, linux/serial.h.  These are the
values of x86, Arm, RISC-V and s390; Alpha, MIPS, PowerPC and SPARC number them differently.
"""

from __future__ import annotations

from ctypes import Structure, c_char, c_int, c_size_t, c_uint8, c_uint16, c_uint32

NCCS = 19

# c_iflag
IGNBRK, BRKINT, PARMRK, ICRNL, IXON, IXOFF = 0o1, 0o2, 0o10, 0o400, 0o2000, 0o10000
# c_oflag
OPOST, ONLCR = 0o1, 0o4
# c_cflag
CBAUD, BOTHER = 0o10017, 0o10000
CSIZE, CS5, CS6, CS7, CS8 = 0o60, 0o0, 0o20, 0o40, 0o60
CSTOPB, CREAD, PARENB, PARODD, HUPCL, CLOCAL = 0o100, 0o200, 0o400, 0o1000, 0o2000, 0o4000
CMSPAR, CRTSCTS = 0o10000000000, 0o20000000000
IBSHIFT = 16
B9600, B38400 = 0o15, 0o17
# c_lflag
ISIG, ICANON, ECHO, ECHOE, ECHOK, ECHOCTL, ECHOKE, IEXTEN = 0o1, 0o2, 0o10, 0o20, 0o40, 0o1000, 0o4000, 0o100000

#: Baud rates by their code in c_cflag & CBAUD.
BAUD_RATES = dict(enumerate((0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400)))
BAUD_RATES |= dict(
    enumerate(
        (
            *(57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000),
            *(2000000, 2500000, 3000000, 3500000, 4000000),
        ),
        start=0o10001,
    )
)
BAUD_CODES = {rate: code for code, rate in BAUD_RATES.items()}

# Bits of the modem lines, as TIOCMGET gives them.
TIOCM_DTR, TIOCM_RTS, TIOCM_CTS, TIOCM_CAR, TIOCM_RNG, TIOCM_DSR = 0x002, 0x004, 0x020, 0x040, 0x080, 0x100
TIOCM_OUT1, TIOCM_OUT2, TIOCM_LOOP = 0x2000, 0x4000, 0x8000

# Queues of TCFLSH.
TCIFLUSH, TCOFLUSH, TCIOFLUSH = 0, 1, 2

#: Special characters of a fresh port: ^C ^\ ^? ^U ^D, time 0, min 1, ^Q ^S ^Z ^R ^O ^W ^V (INIT_C_CC).
FIRST_CHARACTERS = bytes.fromhex("031c7f150400010011131a00120f1716000000")

# serial_struct.type and .flags
PORT_16550A = 4
ASYNC_SPD_CUST, ASYNC_LOW_LATENCY = 0x0030, 0x2000


class Termio(Structure):
    """struct termio, of System V: the low 16 bits of the flags, and eight characters."""

    _fields_ = [
        ("c_iflag", c_uint16),
        ("c_oflag", c_uint16),
        ("c_cflag", c_uint16),
        ("c_lflag", c_uint16),
        ("c_line", c_uint8),
        ("c_cc", c_uint8 * 8),
    ]


class Termios(Structure):
    """struct termios of the kernel; libc's own is longer."""

    _fields_ = [
        ("c_iflag", c_uint32),
        ("c_oflag", c_uint32),
        ("c_cflag", c_uint32),
        ("c_lflag", c_uint32),
        ("c_line", c_uint8),
        ("c_cc", c_uint8 * NCCS),
    ]


class Termios2(Structure):
    """struct termios2: with the baud rates as numbers, which count where c_cflag says BOTHER."""

    _fields_ = [
        ("c_iflag", c_uint32),
        ("c_oflag", c_uint32),
        ("c_cflag", c_uint32),
        ("c_lflag", c_uint32),
        ("c_line", c_uint8),
        ("c_cc", c_uint8 * NCCS),
        ("c_ispeed", c_uint32),
        ("c_ospeed", c_uint32),
    ]


class SerialStruct(Structure):
    """struct serial_struct, of TIOCGSERIAL and TIOCSSERIAL (linux/serial.h)."""

    _fields_ = [
        ("type", c_int),
        ("line", c_int),
        ("port", c_uint32),
        ("irq", c_int),
        ("flags", c_int),
        ("xmit_fifo_size", c_int),
        ("custom_divisor", c_int),
        ("baud_base", c_int),
        ("close_delay", c_uint16),
        ("io_type", c_char),
        ("reserved_char", c_char),
        ("hub6", c_int),
        ("closing_wait", c_uint16),
        ("closing_wait2", c_uint16),
        # An address of device memory: told, never followed.
        ("iomem_base", c_size_t),
        ("iomem_reg_shift", c_uint16),
        ("port_high", c_uint32),
        ("iomap_base", c_size_t),
    ]


class SerialCounters(Structure):
    """struct serial_icounter_struct, of TIOCGICOUNT (linux/serial.h)."""

    _fields_ = [
        *((name, c_int) for name in ("cts", "dsr", "rng", "dcd", "rx", "tx")),
        *((name, c_int) for name in ("frame", "overrun", "parity", "brk", "buf_overrun")),
        ("reserved", c_int * 9),
    ]


def first_termios() -> Termios2:
    """The settings of a port that nobody has configured yet: 9600 8N1, cooked (tty_std_termios, serial core)."""
    termios = Termios2()
    termios.c_iflag = ICRNL | IXON
    termios.c_oflag = OPOST | ONLCR
    termios.c_cflag = B9600 | CS8 | CREAD | HUPCL | CLOCAL
    termios.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN
    termios.c_cc[:] = FIRST_CHARACTERS
    termios.c_ispeed = termios.c_ospeed = 9600
    return termios


def output_speed(termios: Termios2) -> int:
    """The baud rate that c_cflag and c_ospeed mean (tty_termios_baud_rate)."""
    code = termios.c_cflag & CBAUD
    return termios.c_ospeed if code == BOTHER else BAUD_RATES.get(code, 0)


def input_speed(termios: Termios2) -> int:
    """The baud rate of the other direction: the same, unless c_cflag has a code of its own for it."""
    code = (termios.c_cflag >> IBSHIFT) & CBAUD
    if code == 0:
        return output_speed(termios)
    return termios.c_ispeed if code == BOTHER else BAUD_RATES.get(code, 0)


def changed_by(old: Termios2, new: Termios | Termios2 | Termio) -> Termios2:
    """The settings that TCSETS, TCSETS2 or TCSETA makes of the old ones (set_termios in tty_ioctl.c)."""
    termios = Termios2.from_buffer_copy(old)
    if isinstance(new, Termio):
        for name in ("c_iflag", "c_oflag", "c_cflag", "c_lflag"):
            setattr(termios, name, getattr(old, name) & 0xFFFF0000 | getattr(new, name))
    else:
        for name in ("c_iflag", "c_oflag", "c_cflag", "c_lflag"):
            setattr(termios, name, getattr(new, name))
    termios.c_line = new.c_line
    termios.c_cc[: len(new.c_cc)] = new.c_cc[:]
    if isinstance(new, Termios2):
        termios.c_ispeed, termios.c_ospeed = new.c_ispeed, new.c_ospeed
    termios.c_ispeed, termios.c_ospeed = input_speed(termios), output_speed(termios)
    return termios


def as_termios(termios: Termios2) -> Termios:
    """What TCGETS answers."""
    return Termios.from_buffer_copy(termios)


def as_termio(termios: Termios2) -> Termio:
    """What TCGETA answers."""
    short = Termio(
        *(getattr(termios, name) & 0xFFFF for name in ("c_iflag", "c_oflag", "c_cflag", "c_lflag")), termios.c_line
    )
    short.c_cc[:] = termios.c_cc[:8]
    return short
