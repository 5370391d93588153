"""Serial ports under programs and languages that do things their own way: modes, events, buffers, whole files."""

import os

import pytest
from harness import run_devshim

NODE = "/dev/ttyUSB0"
MODEM = [f"{NODE}=modem"]

TCL = """
set port [open /dev/ttyUSB0 r+]
fconfigure $port -mode 19200,e,7,1 -blocking 0 -buffering none -translation binary
puts [fconfigure $port -mode]
puts [fconfigure $port -ttystatus]
fconfigure $port -mode 115200,n,8,1
set heard ""
proc hear {port} {
    append ::heard [read $port]
    if {[string match *OK* $::heard]} {set ::done 1}
}
fileevent $port readable [list hear $port]
puts -nonewline $port "ATE0\\r"
vwait ::done
puts [string trim [string map {\\r " " \\n ""} $heard]]
"""

LUA = """
local port = assert(io.open("/dev/ttyUSB0", "r+"))
port:setvbuf("no")
port:write("ATI\\r")
local heard = ""
repeat heard = heard .. port:read(1) until heard:find("OK\\r\\n")
print(heard:match("IMEI: (%d+)"))
"""

CONSOLE = """
import errno, fcntl, os
port = os.open("/dev/ttyUSB0", os.O_RDWR | os.O_NOCTTY)
for request in (0x4B31, 0x4B33, 0x4B3B, 0x4B44, 0x5600, 0x5601, 0x5603):  # KDGETLED to VT_GETSTATE
    try:
        fcntl.ioctl(port, request, bytes(64))
    except OSError as error:
        print(errno.errorcode[error.errno])
"""

VISITOR = """
from devshim import Serial

class Visitor(Serial):
    said = b""

    def received(self, data):
        self.said += data
        if self.said.endswith(b"login: "):
            self.send("ada\\r")
"""

CABLE = """
from devshim import Serial

class Cable(Serial):
    ends = []

    def plugged(self):
        Cable.ends.append(self)

    def received(self, data):
        for end in Cable.ends:
            if end is not self:
                end.send(bytes(data))
"""


@pytest.mark.client("tclsh")
def test_tcl_sets_modes_reads_modem_lines_and_waits_in_its_event_loop(tmp_path):
    (tmp_path / "talk.tcl").write_text(TCL)
    outcome = run_devshim("tclsh", tmp_path / "talk.tcl", devices=MODEM)

    assert outcome.stdout.splitlines() == ["19200,e,7,1", "CTS 1 DSR 1 RING 0 DCD 0", "ATE0  OK"]
    assert outcome.stderr == ""


@pytest.mark.client("lua5.4")
def test_lua_reads_and_writes_one_stream(tmp_path):
    (tmp_path / "talk.lua").write_text(LUA)
    script = f"stty -F {NODE} raw -echo && lua5.4 talk.lua"

    assert run_devshim("sh", "-c", script, devices=MODEM, cwd=tmp_path).stdout == "490154203237518\n"


@pytest.mark.client("gammu")
def test_gammu_finds_out_in_which_network_its_phone_is(tmp_path):
    settings = tmp_path / "gammurc"
    settings.write_text(f"[gammu]\ndevice = {NODE}\nconnection = at115200\n")
    outcome = run_devshim("gammu", "-c", settings, "networkinfo", devices=MODEM, env={"LC_ALL": "C"})

    assert "Network state        : home network\n" in outcome.stdout
    assert "LAC 00C3, CID 0000A1B2\n" in outcome.stdout


@pytest.mark.client("sz", "rz")
def test_zmodem_brings_a_file_from_one_port_to_another(tmp_path):
    (tmp_path / "cable.py").write_text(CABLE)
    (tmp_path / "sent").write_bytes(os.urandom(100_000))
    (tmp_path / "far").mkdir()
    script = """
        for end in 0 1; do stty -F /dev/ttyUSB$end raw -echo; done
        (cd far && exec rz -q </dev/ttyUSB1 >/dev/ttyUSB1) &
        sz -q sent </dev/ttyUSB0 >/dev/ttyUSB0; wait; cmp sent far/sent"""
    devices = [f"/dev/ttyUSB{end}={tmp_path}/cable.py" for end in (0, 1)]

    outcome = run_devshim("sh", "-c", script, devices=devices, cwd=tmp_path)

    assert (outcome.stdout, outcome.returncode) == ("", 0), outcome.stderr


def test_a_port_is_no_console_and_nobody_is_told_that_it_was_asked():
    outcome = run_devshim("python3", "-c", CONSOLE, devices=MODEM)

    assert (outcome.stdout, outcome.stderr) == ("ENOTTY\n" * 7, "")


@pytest.mark.skipif(os.geteuid() != 0, reason="a getty takes the line for root")
@pytest.mark.client("agetty")
def test_a_getty_lets_a_visitor_log_in_over_the_line(tmp_path):
    (tmp_path / "visitor.py").write_text(VISITOR)
    (tmp_path / "login").write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/log\n')
    (tmp_path / "login").chmod(0o755)
    getty = f"setsid -w agetty -L -l {tmp_path}/login -o '-- \\u' 115200 ttyUSB0"

    outcome = run_devshim("sh", "-c", getty, devices=[f"{NODE}={tmp_path}/visitor.py"])

    assert (outcome.stderr, (tmp_path / "log").read_text()) == ("", "-- ada\n")
