"""Infrared remotes and HDMI-CEC: linux/lirc.h, linux/cec.h"""

from __future__ import annotations

from devshim.known.record import known, record, union

cec_caps = record(
    "cec_caps", driver="char*32", name="char*32", available_log_addrs="u32", capabilities="u32", version="u32"
)
cec_log_addrs = record(
    "cec_log_addrs",
    log_addr="u8*4",
    log_addr_mask="u16",
    cec_version="u8",
    num_log_addrs="u8",
    vendor_id="u32",
    flags="u32",
    osd_name="char*15",
    primary_device_type="u8*4",
    log_addr_type="u8*4",
    all_device_types="u8*4",
    features="u8*12*4",
)
cec_msg = record(
    "cec_msg",
    tx_ts="u64",
    rx_ts="u64",
    len="u32",
    timeout="u32",
    sequence="u32",
    flags="u32",
    msg="u8*16",
    reply="u8",
    rx_status="u8",
    tx_status="u8",
    tx_arb_lost_cnt="u8",
    tx_nack_cnt="u8",
    tx_low_drive_cnt="u8",
    tx_error_cnt="u8",
)
cec_event_state_change = record("cec_event_state_change", phys_addr="u16", log_addr_mask="u16", have_conn_info="u16")
cec_event_lost_msgs = record("cec_event_lost_msgs", lost_msgs="u32")
cec_event = record(
    "cec_event",
    ts="u64",
    event="u32",
    flags="u32",
    _0=union(state_change=cec_event_state_change, lost_msgs=cec_event_lost_msgs, raw="u32*16"),
)
cec_drm_connector_info = record("cec_drm_connector_info", card_no="u32", connector_id="u32")
cec_connector_info = record("cec_connector_info", type="u32", _0=union(drm=cec_drm_connector_info, raw="u32*16"))

DESCRIPTIONS = [
    known("LIRC_GET_FEATURES", 0x80046900, "u32"),
    known("LIRC_GET_SEND_MODE", 0x80046901, "u32"),
    known("LIRC_GET_REC_MODE", 0x80046902, "u32"),
    known("LIRC_GET_REC_RESOLUTION", 0x80046907, "u32"),
    known("LIRC_GET_MIN_TIMEOUT", 0x80046908, "u32"),
    known("LIRC_GET_MAX_TIMEOUT", 0x80046909, "u32"),
    known("LIRC_GET_LENGTH", 0x8004690F, "u32"),
    known("LIRC_SET_SEND_MODE", 0x40046911, "u32"),
    known("LIRC_SET_REC_MODE", 0x40046912, "u32"),
    known("LIRC_SET_SEND_CARRIER", 0x40046913, "u32"),
    known("LIRC_SET_REC_CARRIER", 0x40046914, "u32"),
    known("LIRC_SET_SEND_DUTY_CYCLE", 0x40046915, "u32"),
    known("LIRC_SET_TRANSMITTER_MASK", 0x40046917, "u32"),
    known("LIRC_SET_REC_TIMEOUT", 0x40046918, "u32"),
    known("LIRC_SET_REC_TIMEOUT_REPORTS", 0x40046919, "u32"),
    known("LIRC_SET_MEASURE_CARRIER_MODE", 0x4004691D, "u32"),
    known("LIRC_SET_REC_CARRIER_RANGE", 0x4004691F, "u32"),
    known("LIRC_SET_WIDEBAND_RECEIVER", 0x40046923, "u32"),
    known("LIRC_GET_REC_TIMEOUT", 0x80046924, "u32"),
    known("CEC_ADAP_G_CAPS", 0xC04C6100, cec_caps),
    known("CEC_ADAP_G_PHYS_ADDR", 0x80026101, "u16"),
    known("CEC_ADAP_S_PHYS_ADDR", 0x40026102, "u16"),
    known("CEC_ADAP_G_LOG_ADDRS", 0x805C6103, cec_log_addrs),
    known("CEC_ADAP_S_LOG_ADDRS", 0xC05C6104, cec_log_addrs),
    known("CEC_TRANSMIT", 0xC0386105, cec_msg),
    known("CEC_RECEIVE", 0xC0386106, cec_msg),
    known("CEC_DQEVENT", 0xC0506107, cec_event),
    known("CEC_G_MODE", 0x80046108, "u32"),
    known("CEC_S_MODE", 0x40046109, "u32"),
    known("CEC_ADAP_G_CONNECTOR_INFO", 0x8044610A, cec_connector_info),
]
