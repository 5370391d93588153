"""A program of a run whose children end between asking for a new file and fetching it.

Prints what the host holds before and after, two lines of JSON, and between them how many were promised a file.
"""

import json
import os
import struct

from devshim.host import wire
from tests.soak.hostile import REQUEST, SLOT, Peer

NEW_FILE = 0x5305
"""An ioctl of cells (devices.py) that opens another one."""
FILES = 8
CHILDREN = 20
LOOKS = 200
ANSWER = 128
"""Where an answer lies in a slot: result, error, flags."""


def health() -> str:
    """What the host says that it holds."""
    with open("/dev/health0", "r+b", buffering=0) as file:
        file.write(b"\n")
        return file.read(4096).decode().strip()


def health_like(before: str) -> str:
    """The same once it is as it was, or after many looks: calls that the dead left behind may be answered late."""
    for _ in range(LOOKS):
        now = health()
        if {**json.loads(now), "rss": 0} == {**json.loads(before), "rss": 0}:
            break
    return now


def be_promised(peer: Peer) -> int:
    """Ask all files for another one; how many promised it."""
    promised = 0
    for number in range(1, FILES):
        assert not peer.ask(1, [wire.OP_IOCTL, number, NEW_FILE, 0, -1, 0, 0, 0], b"")
        flags = struct.unpack_from("<I", peer.channel, peer.at(1) + ANSWER + 12)[0]
        promised += bool(flags & wire.ANSWER_FILE)
    return promised


def ask_in_dying(peer: Peer) -> None:
    """Ask, and be gone before or after the answer."""
    for number in range(1, FILES):
        fields = (0, 0, 1, 1, 0, wire.OP_IOCTL, 0, number, 0, NEW_FILE, 0, -1, 0, 0, 0, 0, 0, 0)
        at = peer.at(number)
        peer.channel[at : at + SLOT.size] = SLOT.pack(*fields)
        struct.pack_into("<I", peer.channel, at, REQUEST)
        peer.ring(number)


def main() -> None:
    """One child after the other."""
    cell = os.open("/dev/cell0", os.O_RDWR)
    before = health()
    print(before, flush=True)
    for count in range(CHILDREN):
        child = os.fork()
        if child == 0:
            peer = Peer()
            if count == 0:
                print(be_promised(peer), flush=True)
            else:
                ask_in_dying(peer)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    print(health_like(before), flush=True)
    os.close(cell)


if __name__ == "__main__":
    main()
