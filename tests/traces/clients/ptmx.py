"""A terminal's two ends in one program: window size, echo and line ends, hang-up (ioctl_tty(2))."""

import fcntl
import os

TIOCSPTLCK, TIOCGPTPEER, TIOCSWINSZ, TIOCGWINSZ = 0x40045431, 0x5441, 0x5414, 0x5413

master = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
fcntl.ioctl(master, TIOCSPTLCK, bytes(4))
peer = fcntl.ioctl(master, TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY)
fcntl.ioctl(master, TIOCSWINSZ, bytes([24, 0, 80, 0, 0, 0, 0, 0]))
print(fcntl.ioctl(peer, TIOCGWINSZ, bytes(8)).hex())
os.write(peer, b"hello\n")
print(os.read(master, 100))
os.write(master, b"world\n")
print(os.read(master, 100), os.read(peer, 100))
os.close(peer)
try:
    os.read(master, 100)
except OSError as error:
    print(error.strerror)
