"""Tapes: linux/mtio.h."""

from __future__ import annotations

from devshim.known.record import known, record

mtop = record("mtop", mt_op="i16", mt_count="i32")
mtget = record(
    "mtget", mt_type="i64", mt_resid="i64", mt_dsreg="i64", mt_gstat="i64", mt_erreg="i64", mt_fileno="i32",
    mt_blkno="i32",
)  # fmt: skip
mtpos = record("mtpos", mt_blkno="i64")

DESCRIPTIONS = [
    known("MTIOCTOP", 0x40086D01, mtop),
    known("MTIOCGET", 0x80306D02, mtget),
    known("MTIOCPOS", 0x80086D03, mtpos),
]
