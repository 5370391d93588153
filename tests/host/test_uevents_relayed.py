"""A monitor gets what the real kernel says beside what is said of modelled devices.

To make a real kernel say something one writes to a real device's uevent file, which only root may: without that, these
tests cannot be done, and are skipped.
"""

import os
import socket
import sys
import threading
import uuid

import pytest
from harness import run_devshim

from devshim import Serial, Session

REAL = "/sys/devices/virtual/mem/null/uevent"
KERNEL, NETLINK_KOBJECT_UEVENT = 1, 15

# Each line has a uevent file, what to write, and what the message that is waited for says; others pass by unseen.
MONITOR = f"""
import select, socket, sys
monitor = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, {NETLINK_KOBJECT_UEVENT})
monitor.bind((0, {KERNEL}))
for line in sys.stdin:
    path, written, expected = line.rstrip().split(";")
    with open(path, "w") as file:
        file.write(written)
    heard = b""
    while expected.encode() not in heard and select.select([monitor], [], [], float(sys.argv[1]))[0]:
        heard = monitor.recv(8192)
    print(heard.split(bytes(1))[0].decode() if expected.encode() in heard else "nothing", flush=True)
"""


def of_the_machine():
    """A line about a real device, known by a number of its own among those of tests that run beside this one."""
    number = uuid.uuid4()
    return f"{REAL};change {number};SYNTH_UUID={number}\n"


MODELLED = "/sys/class/tty/ttyUSB7/uevent;change;/ttyUSB7\n"


@pytest.fixture(autouse=True)
def kernel_tells():
    """Skip where a real uevent cannot be made, or does not arrive even without devshim."""
    if not os.access(REAL, os.W_OK):
        pytest.skip(f"{REAL} cannot be written: only root can make the kernel send a uevent")
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_KOBJECT_UEVENT) as monitor:
        monitor.settimeout(5)
        try:
            monitor.bind((0, KERNEL))
            with open(REAL, "w") as file:
                file.write("change")
            monitor.recv(8192)
        except OSError as problem:
            pytest.skip(f"no uevent of this machine's kernel arrives here: {problem}")


def test_a_real_uevent_arrives_between_those_of_modelled_devices():
    with Session() as session:
        session.plug("/dev/ttyUSB7", Serial())
        lines = of_the_machine() + MODELLED + of_the_machine()
        heard = session.run(sys.executable, "-c", MONITOR, "60", input=lines).stdout.splitlines()

    real = "change@/devices/virtual/mem/null"
    assert (heard[0], heard[1].rpartition("/")[2], heard[2]) == (real, "ttyUSB7", real)


HIDDEN = f"""
import select, socket, sys
monitor = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, {NETLINK_KOBJECT_UEVENT})
monitor.bind((0, {KERNEL}))
open(sys.argv[1], "w").close()  # now the machine may say something
open(sys.argv[2]).close()       # and has said it
with open("/sys/class/tty/ttyUSB7/uevent", "w") as file:
    file.write("change")
wait = 60
while select.select([monitor], [], [], wait)[0]:
    print(monitor.recv(8192).split(bytes(1))[0].decode())
    wait = 0.3
"""


def test_with_the_machine_hidden_its_uevents_are_too(tmp_path):
    ready, said = tmp_path / "ready", tmp_path / "said"
    os.mkfifo(ready)
    os.mkfifo(said)

    def machine():
        open(ready).close()
        with open(REAL, "w") as file:
            file.write("change")
        open(said, "w").close()

    thread = threading.Thread(target=machine, daemon=True)
    thread.start()
    outcome = run_devshim(
        sys.executable, "-c", HIDDEN, ready, said, devices=["/dev/ttyUSB7=gps"], options=["--hide-real"]
    )
    thread.join(60)

    assert [line.rpartition("/")[2] for line in outcome.stdout.splitlines()] == ["ttyUSB7"]
