"""MouseFile: one open of /dev/input/mouseN or mice: packets of a PS/2 mouse, and its commands (mousedev.c).

The protocols are those of PS/2 mice: three bytes a packet; four with a wheel (ImPS/2) or a wheel and two buttons more
(ExplorerPS/2), once a program has knocked by setting the sample rate to 200, 100, 80 or 200, 200, 80.
"""

from __future__ import annotations

from collections import deque

from devshim.model.device import POLLIN, POLLOUT, WAIT, File

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.model.mouse import MouseNode

SCREEN = 1024, 768  # CONFIG_INPUT_MOUSEDEV_SCREEN_X, _Y
QUEUE = 16  # PACKET_QUEUE_LEN, of which one stays empty

PS2, IMPS2, EXPS2 = 0, 3, 4
"""The protocols, by what "get ID" says."""
KNOCKS = {IMPS2: bytes((0xF3, 200, 0xF3, 100, 0xF3, 80)), EXPS2: bytes((0xF3, 200, 0xF3, 200, 0xF3, 80))}

ACKNOWLEDGED, POLL, GET_ID, GET_INFO, RESET = 0xFA, 0xEB, 0xF2, 0xE9, 0xFF
INFO = bytes((0x60, 3, 200))
RESET_DONE = bytes((0xAA, 0))

LEFT, RIGHT, MIDDLE, SIDE, EXTRA = (1 << bit for bit in range(5))


class Motion:
    """What is told at once: movement (y upwards, as PS/2 has it), the wheel, a place on the screen, and buttons."""

    def __init__(self, buttons: int = 0) -> None:
        self.dx = self.dy = self.dz = 0
        self.place: tuple[int, int] | None = None
        self.buttons = buttons


def limited(value: int, most: int) -> int:
    """As much of a movement as fits (mousedev_limit_delta)."""
    return max(-most, min(most, value))


class MouseFile(File):
    """Reads give the bytes of a packet or of an answer; writes are commands to the mouse."""

    device: MouseNode

    def __init__(self, device: MouseNode) -> None:
        self.device = device
        self.protocol = PS2
        self.known = dict.fromkeys(KNOCKS, 0)  # how much of each knock has been heard
        self.queue = deque((Motion(),))
        self.ready = False
        self.last_buttons = 0
        self.at = SCREEN[0] // 2, SCREEN[1] // 2
        self.unread = b""

    # ---- From the mouse

    def take(self, motion: Motion, buttons: int) -> None:
        """Add what happened to what is not read yet; buttons that change begin a packet (mousedev_notify_readers)."""
        packet = self.queue[-1]
        if self.ready and packet.buttons != buttons and len(self.queue) < QUEUE:
            packet = Motion()
            self.queue.append(packet)
        if motion.place is not None:
            packet.dx += motion.place[0] - self.at[0]
            packet.dy += motion.place[1] - self.at[1]
            self.at = motion.place
        x, y = self.at[0] + motion.dx, self.at[1] + motion.dy
        self.at = max(0, min(SCREEN[0], x)), max(0, min(SCREEN[1], y))
        packet.dx += motion.dx
        packet.dy += motion.dy
        packet.dz += motion.dz
        packet.buttons = buttons
        if packet.dx or packet.dy or packet.dz or buttons != self.last_buttons:
            self.ready = True

    def _packet(self) -> bytes:
        """As much of the first packet as PS/2 can say at once (mousedev_packet)."""
        packet = self.queue[0]
        dx, dy = limited(packet.dx, 127), limited(packet.dy, 127)
        first = 0x08 | (packet.dx < 0) << 4 | (packet.dy < 0) << 5 | packet.buttons & (LEFT | RIGHT | MIDDLE)
        packet.dx -= dx
        packet.dy -= dy
        if self.protocol == EXPS2:
            dz = limited(packet.dz, 7)
            last = bytes((dz & 0x0F | (packet.buttons & (SIDE | EXTRA)) << 1,))
        else:
            first |= (packet.buttons & EXTRA) >> 3 | (packet.buttons & SIDE) >> 1
            dz = limited(packet.dz, 127) if self.protocol == IMPS2 else packet.dz
            last = bytes((dz & 0xFF,)) if self.protocol == IMPS2 else b""
        packet.dz -= dz
        if not (packet.dx or packet.dy or packet.dz):
            self._told(packet)
        return bytes((first, dx & 0xFF, dy & 0xFF)) + last

    def _told(self, packet: Motion) -> None:
        if len(self.queue) > 1:
            self.queue.popleft()
        else:
            self.ready = False
            self.last_buttons = packet.buttons

    # ---- From the program

    def read(self, size: int) -> Any:
        """The rest of a packet or an answer, never more than one."""
        if not self.unread:
            if not self.ready:
                return WAIT
            self.unread = self._packet()
        data, self.unread = self.unread[:size], self.unread[size:]
        return data

    def write(self, data: bytes) -> int:
        """Commands, each of which is acknowledged; the last one's answer is what can be read."""
        for byte in data:
            self._hear(byte)
        self.device.wake()
        return len(data)

    def _hear(self, byte: int) -> None:
        for protocol, knock in KNOCKS.items():
            self.known[protocol] = self.known[protocol] + 1 if byte == knock[self.known[protocol]] else 0
            if self.known[protocol] == len(knock):
                self.known[protocol] = 0
                self.protocol = protocol
        answer = b""
        if byte == POLL:
            answer = self._packet()
        elif byte == GET_ID:
            answer = bytes((self.protocol,))
        elif byte == GET_INFO:
            answer = INFO
        elif byte == RESET:
            self.known = dict.fromkeys(KNOCKS, 0)
            self.protocol = PS2
            answer = RESET_DONE
        self.unread = bytes((ACKNOWLEDGED,)) + answer

    def poll(self) -> int:
        """Always writable."""
        return POLLOUT | (POLLIN if self.ready or self.unread else 0)

    def close(self) -> None:
        """It hears no more."""
        self.device.file_closed(self)
