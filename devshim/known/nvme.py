"""NVMe commands passed through: linux/nvme_ioctl.h"""

from __future__ import annotations

from devshim.known.record import BYTES, known, pointer, record, union
from devshim.model.argument import Ctype

metadata = pointer(BYTES, length="metadata_len", optional=True, width=8)
iovec = record("iovec", iov_base=pointer(BYTES, length="iov_len", optional=True), iov_len="u64")
nvme_passthru_cmd = record(
    "nvme_passthru_cmd",
    opcode="u8",
    flags="u8",
    rsvd1="u16",
    nsid="u32",
    cdw2="u32",
    cdw3="u32",
    metadata=metadata,
    addr=pointer(BYTES, length="data_len", optional=True, width=8),
    metadata_len="u32",
    data_len="u32",
    cdw10="u32",
    cdw11="u32",
    cdw12="u32",
    cdw13="u32",
    cdw14="u32",
    cdw15="u32",
    timeout_ms="u32",
    result="u32",
)
# How much lies at addr depends on the namespace's block size, which the call does not say.
nvme_user_io = record(
    "nvme_user_io",
    opcode="u8",
    flags="u8",
    control="u16",
    nblocks="u16",
    rsvd="u16",
    metadata="u64",
    addr="u64",
    slba="u64",
    dsmgmt="u32",
    reftag="u32",
    apptag="u16",
    appmask="u16",
)


def passthru_cmd64(addr: Ctype) -> Ctype:
    """struct nvme_passthru_cmd64, whose data lie where `addr` says."""
    return record(
        "nvme_passthru_cmd64",
        opcode="u8",
        flags="u8",
        rsvd1="u16",
        nsid="u32",
        cdw2="u32",
        cdw3="u32",
        metadata=metadata,
        addr=addr,
        metadata_len="u32",
        _0=union(data_len="u32", vec_cnt="u32"),
        cdw10="u32",
        cdw11="u32",
        cdw12="u32",
        cdw13="u32",
        cdw14="u32",
        cdw15="u32",
        timeout_ms="u32",
        rsvd2="u32",
        result="u64",
    )


nvme_passthru_cmd64 = passthru_cmd64(pointer(BYTES, length="data_len", optional=True, width=8))
vectors = passthru_cmd64(pointer(iovec, length="vec_cnt", optional=True, width=8))

DESCRIPTIONS = [
    known("NVME_IOCTL_ID", 0x4E40),
    known("NVME_IOCTL_ADMIN_CMD", 0xC0484E41, nvme_passthru_cmd),
    known("NVME_IOCTL_SUBMIT_IO", 0x40304E42, nvme_user_io, "w"),
    known("NVME_IOCTL_IO_CMD", 0xC0484E43, nvme_passthru_cmd),
    known("NVME_IOCTL_RESET", 0x4E44),
    known("NVME_IOCTL_SUBSYS_RESET", 0x4E45),
    known("NVME_IOCTL_RESCAN", 0x4E46),
    known("NVME_IOCTL_ADMIN64_CMD", 0xC0504E47, nvme_passthru_cmd64),
    known("NVME_IOCTL_IO64_CMD", 0xC0504E48, nvme_passthru_cmd64),
    known("NVME_IOCTL_IO64_CMD_VEC", 0xC0504E49, vectors),
]
