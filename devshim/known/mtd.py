"""Raw flash: mtd/mtd-abi.h"""

from __future__ import annotations

from devshim.known.record import BYTES, known, pointer, record, value

mtd_info_user = record(
    "mtd_info_user", type="u8", flags="u32", size="u32", erasesize="u32", writesize="u32", oobsize="u32", padding="u64"
)
erase_info_user = record("erase_info_user", start="u32", length="u32")
oob_to_write, oob_to_read = (
    record("mtd_oob_buf", start="u32", length="u32", ptr=pointer(BYTES, length="length", access=access))
    for access in ("w", "r")
)
region_info_user = record("region_info_user", offset="u32", erasesize="u32", numblocks="u32", regionindex="u32")
nand_oobinfo = record("nand_oobinfo", useecc="u32", eccbytes="u32", oobfree="u32*2*8", eccpos="u32*32")
otp_info = record("otp_info", start="u32", length="u32", locked="u32")
nand_oobfree = record("nand_oobfree", offset="u32", length="u32")
nand_ecclayout_user = record(
    "nand_ecclayout_user", eccbytes="u32", eccpos="u32*64", oobavail="u32", oobfree=nand_oobfree * 8
)
mtd_ecc_stats = record("mtd_ecc_stats", corrected="u32", failed="u32", badblocks="u32", bbtblocks="u32")
erase_info_user64 = record("erase_info_user64", start="u64", length="u64")
oob64_to_write, oob64_to_read = (
    record(
        "mtd_oob_buf64",
        start="u64",
        pad="u32",
        length="u32",
        usr_ptr=pointer(BYTES, length="length", access=access, width=8),
    )
    for access in ("w", "r")
)
mtd_write_req = record(
    "mtd_write_req",
    start="u64",
    len="u64",
    ooblen="u64",
    usr_data=pointer(BYTES, length="len", access="w", optional=True, width=8),
    usr_oob=pointer(BYTES, length="ooblen", access="w", optional=True, width=8),
    mode="u8",
    padding="u8*7",
)
mtd_read_req_ecc_stats = record(
    "mtd_read_req_ecc_stats", uncorrectable_errors="u32", corrected_bitflips="u32", max_bitflips="u32"
)
mtd_read_req = record(
    "mtd_read_req",
    start="u64",
    len="u64",
    ooblen="u64",
    usr_data=pointer(BYTES, length="len", access="r", optional=True, width=8),
    usr_oob=pointer(BYTES, length="ooblen", access="r", optional=True, width=8),
    mode="u8",
    padding="u8*7",
    ecc_stats=mtd_read_req_ecc_stats,
)

DESCRIPTIONS = [
    known("MEMGETINFO", 0x80204D01, mtd_info_user),
    known("MEMERASE", 0x40084D02, erase_info_user, "w"),
    known("MEMWRITEOOB", 0xC0104D03, oob_to_write),
    known("MEMREADOOB", 0xC0104D04, oob_to_read),
    known("MEMLOCK", 0x40084D05, erase_info_user),
    known("MEMUNLOCK", 0x40084D06, erase_info_user),
    known("MEMGETREGIONCOUNT", 0x80044D07, "i32"),
    known("MEMGETREGIONINFO", 0xC0104D08, region_info_user),
    known("MEMGETOOBSEL", 0x80C84D0A, nand_oobinfo),
    known("MEMGETBADBLOCK", 0x40084D0B, "i64"),
    known("MEMSETBADBLOCK", 0x40084D0C, "i64"),
    known("OTPSELECT", 0x80044D0D, "i32", "w"),
    known("OTPGETREGIONCOUNT", 0x40044D0E, "i32", "r"),
    # As many as OTPGETREGIONCOUNT has said, which this call does not know: one.
    known("OTPGETREGIONINFO", 0x400C4D0F, otp_info, "r"),
    known("OTPLOCK", 0x800C4D10, otp_info, "w"),
    known("ECCGETLAYOUT", 0x81484D11, nand_ecclayout_user),
    known("ECCGETSTATS", 0x80104D12, mtd_ecc_stats),
    value("MTDFILEMODE", 0x4D13),
    known("MEMERASE64", 0x40104D14, erase_info_user64),
    known("MEMWRITEOOB64", 0xC0184D15, oob64_to_write),
    known("MEMREADOOB64", 0xC0184D16, oob64_to_read),
    known("MEMISLOCKED", 0x80084D17, erase_info_user, "w"),
    known("MEMWRITE", 0xC0304D18, mtd_write_req),
    known("OTPERASE", 0x400C4D19, otp_info),
    known("MEMREAD", 0xC0404D1A, mtd_read_req),
]
