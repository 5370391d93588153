"""PPP: linux/ppp-ioctl.h, linux/ppp_defs.h."""

from __future__ import annotations

from devshim.known.record import BYTES, family, known, pointer, record
from devshim.known.tun import sock_fprog

npioctl = record("npioctl", protocol="i32", mode="u32")
ppp_option_data = record(
    "ppp_option_data", ptr=pointer(BYTES, length="length", access="w"), length="u32", transmit="i32"
)
ppp_idle = record("ppp_idle", xmit_idle="i64", recv_idle="i64")
pppol2tp_ioc_stats = record(
    "pppol2tp_ioc_stats", tunnel_id="u16", session_id="u16", raw="u32", tx_packets="u64", tx_bytes="u64",
    tx_errors="u64", rx_packets="u64", rx_bytes="u64", rx_seq_discards="u64", rx_oos_packets="u64", rx_errors="u64",
)  # fmt: skip

DESCRIPTIONS = [
    *family(
        "r", "i32", PPPIOCGFLAGS=0x8004745A, PPPIOCGASYNCMAP=0x80047458, PPPIOCGUNIT=0x80047456,
        PPPIOCGRASYNCMAP=0x80047455, PPPIOCGMRU=0x80047453, PPPIOCGDEBUG=0x80047441, PPPIOCGCHAN=0x80047437,
    ),
    *family(
        "w", "i32", PPPIOCSFLAGS=0x40047459, PPPIOCSASYNCMAP=0x40047457, PPPIOCSRASYNCMAP=0x40047454,
        PPPIOCSMRU=0x40047452, PPPIOCSMAXCID=0x40047451, PPPIOCSDEBUG=0x40047440, PPPIOCATTACH=0x4004743D,
        PPPIOCDETACH=0x4004743C, PPPIOCSMRRU=0x4004743B, PPPIOCCONNECT=0x4004743A, PPPIOCATTCHAN=0x40047438,
    ),
    known("PPPIOCNEWUNIT", 0xC004743E, "i32"),
    known("PPPIOCGXASYNCMAP", 0x80207450, "u32*8"),
    known("PPPIOCSXASYNCMAP", 0x4020744F, "u32*8"),
    known("PPPIOCXFERUNIT", 0x744E),
    known("PPPIOCSCOMPRESS", 0x4010744D, ppp_option_data),
    known("PPPIOCGNPMODE", 0xC008744C, npioctl),
    known("PPPIOCSNPMODE", 0x4008744B, npioctl),
    known("PPPIOCSPASS", 0x40107447, sock_fprog),
    known("PPPIOCSACTIVE", 0x40107446, sock_fprog),
    known("PPPIOCGIDLE", 0x8010743F, ppp_idle),
    known("PPPIOCDISCONN", 0x7439),
    known("PPPIOCGL2TPSTATS", 0x80487436, pppol2tp_ioc_stats),
]  # fmt: skip
