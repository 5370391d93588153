"""Input devices under programs that are not ours: C, evdev's Python binding, libevdev, libinput, udev, Node."""

import re
import sys

import pytest
from harness import ROOT, run_devshim

MODELS = ROOT / "tests/shim/input_models.py"
NODE = "/dev/input/event5"


def model(name):
    return [f"{NODE}={MODELS}:{name}"]


def played(program, scene, name):
    outcome = run_devshim(program("input"), NODE, scene, devices=model(name))
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout.splitlines()


# ---- C


def test_reads_give_whole_events_and_never_wait_where_the_program_will_not(program):
    assert played(program, "reading", "Lamp") == [
        "empty: EAGAIN",
        "poll: 4",
        *["write: 24"] * 4,
        "poll: 5",
        "too short: EINVAL",
        "nothing: 0",
        "two and a bit: 48",
        "in parts: 48",
        "empty: EAGAIN",
        "seek: ESPIPE",
    ]


def test_pointers_into_nowhere_and_unknown_requests_fail_as_in_the_kernel(program):
    assert played(program, "wrong", "Lamp") == [
        "name into nowhere: EFAULT",
        "name over the edge: 5",
        "no id: EFAULT",
        "mask from beyond the edge: EFAULT",
        "mask to beyond the edge: EFAULT",
        "mask of nowhere: EFAULT",
        "effect of nowhere: EFAULT",
        "unknown: EINVAL",
        "terminal: 0",
        "write of a bit: EINVAL",
        "write from nowhere: EFAULT",
        "alive: 0",
    ]


def test_a_revoked_open_is_dead_and_others_live(program):
    assert played(program, "revoked", "Lamp") == [
        "grab: 0",
        "grab by another: EBUSY",
        "revoke: 0",
        "read: ENODEV",
        "write: ENODEV",
        "ioctl: ENODEV",
        "hang-up: 16",
        "grab by another: 0",
        *["write: 24"] * 2,
        "read of the other: 48",
    ]


def test_a_program_that_reads_too_slowly_hears_of_it_and_gets_the_latest(program):
    assert played(program, "slow", "Hasty")[-1] == "fewer than 200: 1, dropped: 1, last: 1000"


def test_unplugged_while_a_program_reads(program):
    lines = played(program, "unplugged", "Shy")

    assert lines[-3:] == ["read: ENODEV", "hang-up: 16", "ioctl: ENODEV"]


def test_a_program_is_told_by_sigio(program):
    assert played(program, "asynchronous", "Lamp")[-1] == "read: 48"


@pytest.mark.parametrize("batch", ["64", "1"])
def test_many_events_arrive_whole(program, batch):
    outcome = run_devshim(program("events"), NODE, "60000", batch, devices=model("Bulk"))

    assert re.fullmatch(r"events 60\d\d\d reports (\d+) dropped 0 rate \d+\n", outcome.stdout)


LIGHT = "struct.pack('qqHHi', 0, 0, 17, 1, 1)"


def test_a_burst_longer_than_a_socket_takes_arrives_whole():
    script = f"""
import struct
with open({NODE!r}, "r+b", buffering=0) as lamp:
    lamp.write({LIGHT})
    turns = []
    while turns[-1:] != [450]:
        data = lamp.read(24 * 32)
        turns += [value for _, _, kind, _, value in struct.iter_unpack("qqHHi", data) if kind == 2]
print(turns == list(range(1, 451)))
"""
    outcome = run_devshim(sys.executable, "-c", script, devices=model("Burst"))

    assert (outcome.stdout, outcome.stderr) == ("True\n", "")


def test_the_host_forgets_opens_of_a_device_that_was_unplugged_under_them():
    script = f"""
import errno, fcntl, os, struct
counts = []
def opened():
    while True:
        try:
            return os.open({NODE!r}, os.O_RDWR)
        except OSError as error:
            assert error.errno in (errno.ENOENT, errno.ENODEV), error
for _ in range(100):
    fd = opened()
    os.write(fd, {LIGHT})
    try:
        while os.read(fd, 24):
            pass
    except OSError as error:
        assert error.errno == errno.ENODEV, error
    other = opened()
    counts.append(int(fcntl.ioctl(other, 0x80204508, bytes(32)).rstrip(b"\\0")))  # EVIOCGUNIQ
    os.close(other)
    os.close(fd)
print(max(counts[50:]) - max(counts[:50]) < 3, counts[::20])
"""
    outcome = run_devshim(sys.executable, "-c", script, devices=model("Loose"))

    assert (outcome.stdout[:4], outcome.stderr) == ("True", ""), outcome.stdout


# ---- Others


def test_python_evdev_uploads_and_erases_effects():
    pytest.importorskip("evdev")
    script = f"""
from evdev import InputDevice, ecodes, ff
pad = InputDevice({NODE!r})
print(pad.name, pad.ff_effects_count, pad.version)
rumble = ff.Rumble(strong_magnitude=0xffff, weak_magnitude=0x7fff)
effect = ff.Effect(ecodes.FF_RUMBLE, -1, 0, ff.Trigger(0, 0), ff.Replay(50, 0), ff.EffectType(ff_rumble_effect=rumble))
number = pad.upload_effect(effect)
pad.write(ecodes.EV_FF, number, 1)
pad.write(ecodes.EV_SYN, 0, 0)
print(number, [(event.type, event.code, event.value) for event in pad.read()])
pad.erase_effect(number)
print(sorted(code for code in pad.capabilities(absinfo=False)))
"""
    outcome = run_devshim(sys.executable, "-c", script, devices=model("Lamp"))

    assert outcome.stderr == ""
    assert outcome.stdout == "Lamp 16 65537\n0 [(21, 0, 1), (0, 0, 0)]\n[0, 1, 2, 17, 21]\n"


@pytest.mark.client("evemu-describe")
def test_libevdev_describes_a_device():
    outcome = run_devshim("evemu-describe", NODE, devices=["/dev/input/event5=gt911"])

    assert "N: Goodix Capacitive TouchScreen\nI: 0018 0416 038f 1060\nP: 02 00 00 00 00 00 00 00\n" in outcome.stdout
    assert "# Supported events:\n#   Event type 0 (EV_SYN)" in outcome.stdout
    assert "A: 35 0 799 0 0 0" in outcome.stdout
    assert outcome.returncode == 0


@pytest.mark.client("libinput")
def test_libinput_finds_devices_by_udev_and_knows_what_they_are():
    devices = ["/dev/input/event0=k120", "/dev/input/event1=gt911"]

    outcome = run_devshim("libinput", "list-devices", devices=devices)

    found = re.findall(r"^(?:Device|Kernel|Capabilities): +(.*?) *$", outcome.stdout, re.MULTILINE)
    assert found == [
        "Logitech USB Keyboard", "/dev/input/event0", "keyboard",
        "Goodix Capacitive TouchScreen", "/dev/input/event1", "keyboard touch",
    ]  # fmt: skip


@pytest.mark.client("udevadm")
def test_udevadm_tells_the_kind():
    outcome = run_devshim("udevadm", "info", "-q", "property", NODE, devices=[f"{NODE}=xbox360"])

    lines = outcome.stdout.splitlines()
    assert {"DEVNAME=/dev/input/event5", "SUBSYSTEM=input", "MAJOR=13", "MINOR=69"} <= set(lines)
    assert {"ID_INPUT=1", "ID_INPUT_JOYSTICK=1"} <= set(lines)


@pytest.mark.client("node")
def test_node_reads_events():
    script = f"""
const fs = require("fs");
const fd = fs.openSync({NODE!r}, "r");
const room = Buffer.alloc(24 * 64);
let taps = 0, size = 0;
while (taps < 6) {{
  size = fs.readSync(fd, room, 0, room.length, null);
  for (let at = 0; at < size; at += 24) taps += room.readUInt16LE(at + 16) === 1;
}}
console.log(taps, size % 24);
"""
    outcome = run_devshim("node", "-e", script, devices=model("Counter"))

    assert (outcome.stdout, outcome.returncode) == ("6 0\n", 0)


def test_cat_and_head_read_the_records():
    outcome = run_devshim("sh", "-c", f"head -c 48 {NODE} | wc -c", devices=model("Counter"))

    assert outcome.stdout.strip() == "48"
