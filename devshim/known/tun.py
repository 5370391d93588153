"""Virtual network interfaces: linux/if_tun.h; struct ifreq of linux/if.h"""

from __future__ import annotations

from devshim.known.record import known, pointer, record, union, value

sockaddr = record("sockaddr", sa_family="u16", sa_data="char*14")
ifreq = record(
    "ifreq",
    ifr_name="char*16",
    ifr_ifru=union(ifru_hwaddr=sockaddr, ifru_flags="i16", ifru_mtu="i32", ifru_newname="char*16", raw="u8*24"),
)
sock_filter = record("sock_filter", code="u16", jt="u8", jf="u8", k="u32")
sock_fprog = record("sock_fprog", len="u16", filter=pointer(sock_filter, length="len", access="w"))

DESCRIPTIONS = [
    value("TUNSETNOCSUM", 0x400454C8),
    value("TUNSETDEBUG", 0x400454C9),
    known("TUNSETIFF", 0x400454CA, ifreq, "rw"),
    value("TUNSETPERSIST", 0x400454CB),
    value("TUNSETOWNER", 0x400454CC),
    value("TUNSETLINK", 0x400454CD),
    value("TUNSETGROUP", 0x400454CE),
    known("TUNGETFEATURES", 0x800454CF, "u32"),
    value("TUNSETOFFLOAD", 0x400454D0),
    known("TUNSETTXFILTER", 0x400454D1, "u32"),
    known("TUNGETIFF", 0x800454D2, ifreq, "r"),
    known("TUNGETSNDBUF", 0x800454D3, "i32"),
    known("TUNSETSNDBUF", 0x400454D4, "i32"),
    known("TUNATTACHFILTER", 0x401054D5, sock_fprog),
    known("TUNDETACHFILTER", 0x401054D6, sock_fprog),
    known("TUNGETVNETHDRSZ", 0x800454D7, "i32"),
    known("TUNSETVNETHDRSZ", 0x400454D8, "i32"),
    known("TUNSETQUEUE", 0x400454D9, ifreq, "w"),
    known("TUNSETIFINDEX", 0x400454DA, "u32"),
    known("TUNGETFILTER", 0x801054DB),
    known("TUNSETVNETLE", 0x400454DC, "i32"),
    known("TUNGETVNETLE", 0x800454DD, "i32"),
    known("TUNSETVNETBE", 0x400454DE, "i32"),
    known("TUNGETVNETBE", 0x800454DF, "i32"),
    known("TUNSETSTEERINGEBPF", 0x800454E0, "i32", "w"),
    known("TUNSETFILTEREBPF", 0x800454E1, "i32", "w"),
    known("TUNSETCARRIER", 0x400454E2, "i32"),
    known("TUNGETDEVNETNS", 0x54E3, new_file=True),
    known("SIOCGIFHWADDR", 0x8927, ifreq, "rw"),
    known("SIOCSIFHWADDR", 0x8924, ifreq, "w"),
]
