"""The texts of uevents, by what libudev makes of them."""

import struct

from devshim.host.uevent_text import (
    bloom_bits,
    kernel_message,
    pairs,
    record_name,
    record_properties,
    string_hash,
    udev_message,
)

PROPERTIES = {"ACTION": "add", "DEVPATH": "/devices/x/ttyUSB0", "SUBSYSTEM": "tty", "DEVNAME": "ttyUSB0", "SEQNUM": "7"}


def test_the_kernel_begins_with_action_and_path():
    message = kernel_message(PROPERTIES)

    assert message.split(b"\0")[0] == b"add@/devices/x/ttyUSB0"
    assert message.split(b"\0")[1:] == [f"{key}={value}".encode() for key, value in PROPERTIES.items()] + [b""]


def test_udevs_header_says_where_the_properties_lie():
    message = udev_message({**PROPERTIES, "DEVTYPE": "port", "TAGS": ":seat:systemd:"})

    magic, size, offset, length, subsystem, devtype, high, low = struct.unpack_from(">I3I4I", message, 8)
    size, offset, length = struct.unpack_from("=3I", message, 12)
    assert (message[:8], magic, size, offset) == (b"libudev\0", 0xFEEDCAFE, 40, 40)
    assert len(message) == offset + length
    assert (subsystem, devtype) == (string_hash("tty"), string_hash("port"))
    assert high << 32 | low == bloom_bits("seat") | bloom_bits("systemd")
    assert b"DEVNAME=/dev/ttyUSB0\0" in message[offset:]


def test_the_hash_is_murmurs_second():
    """Values of the reference MurmurHash2 with seed 0."""
    assert [string_hash(text) for text in ("", "a", "usb", "input", "systemd")] == [
        0, 0x92685F5E, 0x0577C5E5, 0xC1A28470, 0xA75F972A,
    ]  # fmt: skip


def test_a_tag_sets_up_to_four_bits():
    for tag in ("seat", "uaccess", "systemd", ""):
        assert 1 <= bloom_bits(tag).bit_count() <= 4


def test_a_record_is_found_by_number_name_or_interface():
    numbered = {"MAJOR": "188", "MINOR": "0"}

    assert record_name("tty", "/sys/x/ttyUSB0", numbered) == "c188:0"
    assert record_name("block", "/sys/x/sda", {"MAJOR": "8", "MINOR": "0"}) == "b8:0"
    assert record_name("net", "/sys/x/eth0", {"IFINDEX": "2"}) == "n2"
    assert record_name("input", "/sys/x/input3", {}) == "+input:input3"


def test_a_record_adds_links_tags_and_properties():
    record = b"S:serial/by-id/x\nS:gps\nI:12\nE:ID_BUS=usb\nE:A=b=c\nG:seat\nQ:seat\nV:1\n"

    assert record_properties(record) == {
        "USEC_INITIALIZED": "12", "ID_BUS": "usb", "A": "b=c", "DEVLINKS": "/dev/serial/by-id/x /dev/gps",
        "TAGS": ":seat:", "CURRENT_TAGS": ":seat:",
    }  # fmt: skip


def test_lines_without_a_value_are_passed_over():
    assert pairs(b"A=1\nnothing\n\nB=\n") == {"A": "1", "B": ""}
