"""A network of one other machine, which answers a ping: reads packets from /dev/net/tun, writes one (tuntap.rst)."""

import fcntl
import os
import struct

TUNSETIFF, TUNGETIFF, TUNGETFEATURES = 0x400454CA, 0x800454D2, 0x800454CF
IFF_TUN, IFF_NO_PI = 1, 0x1000
ICMP, ECHO = 1, 8

tun = os.open("/dev/net/tun", os.O_RDWR)
features = bytearray(4)
fcntl.ioctl(tun, TUNGETFEATURES, features)
print("tun" if features[0] & IFF_TUN else "no tun")
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"dsping0", IFF_TUN | IFF_NO_PI))
name = bytearray(40)
fcntl.ioctl(tun, TUNGETIFF, name)
print(name.rstrip(b"\0").split(b"\0")[0].decode(), flush=True)
while True:
    packet = os.read(tun, 2048)
    if packet[0] >> 4 == 4 and packet[9] == ICMP and packet[20] == ECHO:
        break
source, target = packet[12:16], packet[16:20]
print("ping from", *source, "to", *target, "with", len(packet), "bytes")
checksum = struct.unpack("!H", packet[22:24])[0] + (ECHO << 8)  # RFC 1624: the type becomes 0
checksum = (checksum & 0xFFFF) + (checksum >> 16)
answer = packet[:12] + target + source + bytes(2) + struct.pack("!H", checksum) + packet[24:]
print("answered", os.write(tun, answer))
