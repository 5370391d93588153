"""Traces become files for Wireshark, Perfetto and a browser."""

import json
import re
import struct

import pytest
from harness import run, run_devshim_verb

from devshim.trace.event import Event, Header, Node
from devshim.trace.format.writer import Writer

KEY = struct.pack("<qqHHi", 1, 500, 1, 30, 1) + struct.pack("<qqHHi", 1, 500, 0, 0, 0)


@pytest.fixture
def trace(tmp_path):
    """A trace with an I2C bus, a keyboard and a serial port, with times."""
    path = tmp_path / "a.trace"
    header = Header(program="<daemon>", by="tests")
    for node in (Node("/dev/i2c-1", "char", (89, 1)), Node("/dev/input/event4", "char", (13, 68))):
        header.nodes[node.path] = node
    header.nodes["/dev/ttyUSB0"] = Node("/dev/ttyUSB0", "tty", (188, 0))
    writer = Writer(str(path), header)
    transfer = [bytes.fromhex("01000000000000000200000000000000")]
    transfer.append(bytes.fromhex("48000000010000000200000000000000" + "48000100020000000300000000000000"))
    for event in (
        Event("open", "/dev/i2c-1", 1, flags=2, time=0.0, took=0.001),
        Event("open", "/dev/input/event4", 2, time=0.002, took=0.001),
        Event("open", "/dev/ttyUSB0", 3, flags=2, time=0.003, took=0.001),
        Event("ioctl", file=1, request=0x703, argument=0x50, time=0.01, took=1e-5),
        Event("ioctl", file=1, request=0x720, time=0.02, took=1e-4,
              before=[bytes.fromhex("01200000020000000100000000000000"), b"\0"], after=[None, b"\xa5"]),
        Event("ioctl", file=1, request=0x707, time=0.03, took=1e-4, result=2,
              before=[*transfer, b"\0", b""], after=[None, None, None, b"\x19\x80"]),
        Event("read", file=2, size=1536, data=KEY, result=48, time=0.5, took=0.2),
        Event("read", file=3, size=64, error="EIO", result=-1, time=0.75, took=0.1, process=2),
    ):  # fmt: skip
        writer.event(event)
    writer.end()
    return path


def packets(data):
    """(link type, data) of the packets of a pcapng file; checks its blocks."""
    links, found, at = [], [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length % 4 == 0
        assert struct.unpack_from("<I", data, at + length - 4) == (length,)
        if kind == 1:
            links.append(struct.unpack_from("<H", data, at + 8)[0])
        elif kind == 6:
            interface, high, low, size, _ = struct.unpack_from("<5I", data, at + 8)
            found.append((links[interface], (high << 32 | low), data[at + 28 : at + 28 + size]))
        at += length
    return found


def test_wireshark_gets_messages_and_input_events(trace, tmp_path):
    outcome = run_devshim_verb("convert", trace, tmp_path / "a.pcapng")

    assert outcome.stderr == f"devshim: {tmp_path}/a.pcapng: 6 packets of I2C and input events; 5 calls have none\n"
    assert packets((tmp_path / "a.pcapng").read_bytes()) == [
        (209, 20000, bytes.fromhex("01 00000000 a0 20")),
        (209, 20000, bytes.fromhex("01 00000000 a1 a5")),
        (209, 30000, bytes.fromhex("01 00000000 90 00")),
        (209, 30000, bytes.fromhex("01 00000000 91 1980")),
        (216, 500000, struct.pack(">IIHHi", 1, 500, 1, 30, 1)),
        (216, 500000, struct.pack(">IIHHi", 1, 500, 0, 0, 0)),
    ]


@pytest.mark.client("tshark")
def test_wireshark_reads_them_back(trace, tmp_path):
    run_devshim_verb("convert", trace, tmp_path / "a.pcapng")

    words = ["-T", "fields", "-e", "i2c.bus", "-e", "i2c.addr", "-e", "frame.interface_name"]
    outcome = run(["tshark", "-r", str(tmp_path / "a.pcapng"), "-Y", "i2c", *words])

    rows = [line.split("\t") for line in outcome.stdout.splitlines()]
    assert [row[0::2] for row in rows] == [["0x01", "/dev/i2c-1"]] * 4 or len(rows) == 4


def test_perfetto_gets_a_slice_for_each_call(trace, tmp_path):
    outcome = run_devshim_verb("convert", trace, tmp_path / "a.json")

    found = json.loads((tmp_path / "a.json").read_text())["traceEvents"]
    slices = [one for one in found if one["ph"] == "X"]
    assert outcome.returncode == 0
    assert [one["name"] for one in slices][3:6] == ["I2C_SLAVE i2c-1", "I2C_SMBUS i2c-1", "I2C_RDWR i2c-1"]
    assert (slices[6]["ts"], slices[6]["dur"], slices[7]["pid"]) == (500000.0, 200000.0, 2)
    assert slices[7]["args"]["error"] == "EIO"
    assert {one["args"]["name"] for one in found if one["name"] == "process_name"} == {"<daemon>", "<daemon> 2"}


def test_the_page_is_whole_and_loads_nothing(trace, tmp_path):
    outcome = run_devshim_verb("convert", trace, tmp_path / "a.html")

    page = (tmp_path / "a.html").read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert outcome.stderr == f"devshim: {tmp_path}/a.html: 8 calls\n"
    assert "<title>&lt;daemon&gt; · devshim</title>" in page
    assert not re.search(r"""(?:src|href)=|@import|url\(|https?://""", page)
    assert "prefers-color-scheme: dark" in page
    assert data["lanes"] == ["/dev/i2c-1", "/dev/input/event4", "/dev/ttyUSB0"]
    assert sum(data["start"]) == 750000
    assert data["texts"][data["text"][4]].startswith("ioctl(/dev/i2c-1, I2C_SMBUS, {read_write=1, command=32")


def test_nothing_in_a_trace_can_end_the_pages_data(tmp_path):
    writer = Writer(str(tmp_path / "a.trace"), Header(program="</script><script>alert(1)"))
    writer.event(Event("open", "/dev/x</script>", 1))
    writer.end()

    run_devshim_verb("convert", tmp_path / "a.trace", tmp_path / "a.html")

    page = (tmp_path / "a.html").read_text()
    assert page.count("</script>") == 2
    assert "alert(1)" not in page.replace("\\u003cscript>alert(1)", "").replace("&lt;script&gt;alert(1)", "")


@pytest.mark.client("chromium")
def test_a_browser_shows_the_page_without_an_error(trace, tmp_path):
    run_devshim_verb("convert", trace, tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text()
    said = "window.onerror = text => { document.title = 'ERROR ' + text; };"
    page = page.replace('"use strict";', f'"use strict"; {said}', 1)
    page = page.replace("begin();\n</script>", "begin(); document.title = `${listed.length} listed`;\n</script>")
    (tmp_path / "a.html").write_text(page)

    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile"]
    outcome = run(["chromium", *flags, "--dump-dom", f"file://{tmp_path}/a.html"], timeout=120)

    assert "<title>8 listed</title>" in outcome.stdout


def test_a_trace_can_be_copied_and_packed(trace, tmp_path):
    outcome = run_devshim_verb("convert", trace, tmp_path / "b.trace")

    assert outcome.stderr == f"devshim: {tmp_path}/b.trace: 8 calls on 3 nodes\n"
    assert (tmp_path / "b.trace").read_text().splitlines()[1:-1] == trace.read_text().splitlines()[1:-1]
