"""Baseboard management controllers: linux/ipmi.h"""

from __future__ import annotations

from devshim.known.record import BYTES, known, pointer, record

sent = record(
    "ipmi_msg",
    netfn="u8",
    cmd="u8",
    data_len="u16",
    data=pointer(BYTES, length="data_len", access="w", optional=True),
)
received = record(
    "ipmi_msg",
    netfn="u8",
    cmd="u8",
    data_len="u16",
    data=pointer(BYTES, length="data_len", access="r", optional=True),
)
ipmi_req = record(
    "ipmi_req",
    addr=pointer(BYTES, length="addr_len", access="w", optional=True),
    addr_len="u32",
    msgid="i64",
    msg=sent,
)
ipmi_recv = record(
    "ipmi_recv",
    recv_type="i32",
    addr=pointer(BYTES, length="addr_len", access="r", optional=True),
    addr_len="u32",
    msgid="i64",
    msg=received,
)
ipmi_cmdspec = record("ipmi_cmdspec", netfn="u8", cmd="u8")
ipmi_req_settime = record("ipmi_req_settime", req=ipmi_req, retries="i32", retry_time_ms="u32")
ipmi_timing_parms = record("ipmi_timing_parms", retries="i32", retry_time_ms="u32")
ipmi_channel_lun_address_set = record("ipmi_channel_lun_address_set", channel="u16", value="u8")
ipmi_cmdspec_chans = record("ipmi_cmdspec_chans", netfn="u32", cmd="u32", chans="u32")

DESCRIPTIONS = [
    known("IPMICTL_RECEIVE_MSG_TRUNC", 0xC030690B, ipmi_recv),
    known("IPMICTL_RECEIVE_MSG", 0xC030690C, ipmi_recv),
    known("IPMICTL_SEND_COMMAND", 0x8028690D, ipmi_req, "w"),
    known("IPMICTL_REGISTER_FOR_CMD", 0x8002690E, ipmi_cmdspec, "w"),
    known("IPMICTL_UNREGISTER_FOR_CMD", 0x8002690F, ipmi_cmdspec, "w"),
    known("IPMICTL_SET_GETS_EVENTS_CMD", 0x80046910, "i32", "w"),
    known("IPMICTL_SET_MY_ADDRESS_CMD", 0x80046911, "u32", "w"),
    known("IPMICTL_GET_MY_ADDRESS_CMD", 0x80046912, "u32"),
    known("IPMICTL_SET_MY_LUN_CMD", 0x80046913, "u32", "w"),
    known("IPMICTL_GET_MY_LUN_CMD", 0x80046914, "u32"),
    known("IPMICTL_SEND_COMMAND_SETTIME", 0x80306915, ipmi_req_settime, "w"),
    known("IPMICTL_SET_TIMING_PARMS_CMD", 0x80086916, ipmi_timing_parms, "w"),
    known("IPMICTL_GET_TIMING_PARMS_CMD", 0x80086917, ipmi_timing_parms),
    known("IPMICTL_SET_MY_CHANNEL_ADDRESS_CMD", 0x80046918, ipmi_channel_lun_address_set, "w"),
    known("IPMICTL_GET_MY_CHANNEL_ADDRESS_CMD", 0x80046919, ipmi_channel_lun_address_set, "rw"),
    known("IPMICTL_SET_MY_CHANNEL_LUN_CMD", 0x8004691A, ipmi_channel_lun_address_set, "w"),
    known("IPMICTL_GET_MY_CHANNEL_LUN_CMD", 0x8004691B, ipmi_channel_lun_address_set, "rw"),
    known("IPMICTL_REGISTER_FOR_CMD_CHANS", 0x800C691C, ipmi_cmdspec_chans, "w"),
    known("IPMICTL_UNREGISTER_FOR_CMD_CHANS", 0x800C691D, ipmi_cmdspec_chans, "w"),
    known("IPMICTL_GET_MAINTENANCE_MODE_CMD", 0x8004691E, "i32"),
    known("IPMICTL_SET_MAINTENANCE_MODE_CMD", 0x4004691F, "i32"),
]
