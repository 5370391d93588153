"""Terminals and serial ports: asm-generic/ioctls.h, asm-generic/termbits.h, linux/serial.h, linux/sockios.h."""

from __future__ import annotations

from devshim.known.record import family, known, record, value
from devshim.model.termios import SerialCounters, SerialStruct, Termio, Termios, Termios2

winsize = record("winsize", ws_row="u16", ws_col="u16", ws_xpixel="u16", ws_ypixel="u16")
serial_rs485 = record(
    "serial_rs485", flags="u32", delay_rts_before_send="u32", delay_rts_after_send="u32", padding="u32*5"
)
serial_iso7816 = record("serial_iso7816", flags="u32", tg="u32", sc_fi="u32", sc_di="u32", clk="u32", reserved="u32*5")

DESCRIPTIONS = [
    known("TCGETS", 0x5401, Termios, "r"),
    *family("w", Termios, TCSETS=0x5402, TCSETSW=0x5403, TCSETSF=0x5404, TIOCSLCKTRMIOS=0x5457),
    known("TCGETA", 0x5405, Termio, "r"),
    *family("w", Termio, TCSETA=0x5406, TCSETAW=0x5407, TCSETAF=0x5408),
    known("TCGETS2", 0x802C542A, Termios2),
    *family("w", Termios2, TCSETS2=0x402C542B, TCSETSW2=0x402C542C, TCSETSF2=0x402C542D),
    known("TIOCGLCKTRMIOS", 0x5456, Termios, "r"),
    value("TCSBRK", 0x5409),
    value("TCXONC", 0x540A),
    value("TCFLSH", 0x540B),
    known("TIOCEXCL", 0x540C),
    known("TIOCNXCL", 0x540D),
    value("TIOCSCTTY", 0x540E),
    *family("r", "i32", TIOCGPGRP=0x540F, TIOCOUTQ=0x5411, TIOCMGET=0x5415, TIOCGSOFTCAR=0x5419, FIONREAD=0x541B),
    *family("w", "i32", TIOCSPGRP=0x5410, TIOCMBIS=0x5416, TIOCMBIC=0x5417, TIOCMSET=0x5418, TIOCSSOFTCAR=0x541A),
    known("TIOCSTI", 0x5412, "u8", "w"),
    known("TIOCGWINSZ", 0x5413, winsize, "r"),
    known("TIOCSWINSZ", 0x5414, winsize, "w"),
    known("TIOCCONS", 0x541D),
    known("TIOCGSERIAL", 0x541E, SerialStruct, "r"),
    known("TIOCSSERIAL", 0x541F, SerialStruct, "w"),
    known("TIOCPKT", 0x5420, "i32", "w"),
    known("FIONBIO", 0x5421, "i32", "w"),
    known("TIOCNOTTY", 0x5422),
    known("TIOCSETD", 0x5423, "i32", "w"),
    known("TIOCGETD", 0x5424, "i32", "r"),
    value("TCSBRKP", 0x5425),
    known("TIOCSBRK", 0x5427),
    known("TIOCCBRK", 0x5428),
    known("TIOCGSID", 0x5429, "i32", "r"),
    known("TIOCGRS485", 0x542E, serial_rs485, "r"),
    known("TIOCSRS485", 0x542F, serial_rs485, "rw"),
    known("TIOCGPTN", 0x80045430, "u32"),
    known("TIOCSPTLCK", 0x40045431, "i32"),
    known("TIOCGDEV", 0x80045432, "u32"),
    value("TIOCSIG", 0x40045436),
    known("TIOCVHANGUP", 0x5437),
    known("TIOCGPKT", 0x80045438, "i32"),
    known("TIOCGPTLCK", 0x80045439, "i32"),
    known("TIOCGEXCL", 0x80045440, "i32"),
    value("TIOCGPTPEER", 0x5441, new_file=True),
    known("TIOCGISO7816", 0x80285442, serial_iso7816),
    known("TIOCSISO7816", 0xC0285443, serial_iso7816),
    known("FIONCLEX", 0x5450),
    known("FIOCLEX", 0x5451),
    known("FIOASYNC", 0x5452, "i32", "w"),
    known("TIOCSERGETLSR", 0x5459, "u32", "r"),
    value("TIOCMIWAIT", 0x545C),
    known("TIOCGICOUNT", 0x545D, SerialCounters, "r"),
]
