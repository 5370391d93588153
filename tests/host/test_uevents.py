"""Uevents: what programs that monitor devices are told when something is plugged, pulled or changed."""

import sys
from textwrap import dedent

import pytest
from harness import run_devshim

MODELS = '''
from devshim import Device, Input, Led
from devshim import input_codes as codes


class Keys(Input):
    keys = (codes.KEY_A,)

    def setup(self):
        Hand.held = self


class Hand(Device):
    """Writing 0 pulls the keys, 1 plugs them again, anything else is announced."""

    held = None

    def write(self, data):
        if data == b"0":
            self.held.unplug()
        elif data == b"1":
            self.held.plug()
        else:
            self.held.announce("change", SAID=data.decode())
'''

PYUDEV = """
    import sys
    sys.path.insert(0, "/usr/lib/python3/dist-packages")
    import pyudev

    def hand(text):
        with open("/dev/hand", "w") as file:
            file.write(text)

    def next_one():
        device = monitor.poll(5)
        return f"{device.action} {device.sys_name} {device.device_node} {device.get('SAID')}"
"""

RAW = """
    import os, socket, struct

    def hand(text):
        with open("/dev/hand", "w") as file:
            file.write(text)

    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 15)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return run(*program): its outcome with keys at /dev/input/event0, and /dev/hand that plugs and pulls them."""
    models = tmp_path_factory.mktemp("models") / "hands.py"
    models.write_text(MODELS)
    devices = [f"/dev/input/event0={models}:Keys", f"/dev/hand={models}:Hand"]
    return lambda *program, **more: run_devshim(*program, devices=devices, options=["--hide-real"], **more)


def python(run, *parts):
    outcome = run(sys.executable, "-c", "".join(dedent(part) for part in parts))
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout.splitlines()


@pytest.mark.client("debian-python3-pyudev")
@pytest.mark.parametrize("group", ["udev", "kernel"])
def test_libudev_hears_of_what_goes_comes_and_changes(run, group):
    lines = python(
        run, PYUDEV,
        f"""
        monitor = pyudev.Monitor.from_netlink(pyudev.Context(), {group!r})
        monitor.filter_by("input")
        monitor.start()
        hand("0"); hand("1"); hand("2")
        for _ in range(5):
            print(next_one())
        """,
    )  # fmt: skip

    assert lines == [
        "remove event0 /dev/input/event0 None", "remove input0 None None",
        "add input0 None None", "add event0 /dev/input/event0 None", "change event0 /dev/input/event0 2",
    ]  # fmt: skip


@pytest.mark.client("debian-python3-pyudev")
def test_filters_by_subsystem_and_tag_are_the_kernels(run):
    lines = python(
        run, PYUDEV,
        """
        context = pyudev.Context()
        tty, tagged = (pyudev.Monitor.from_netlink(context) for _ in range(2))
        tty.filter_by("tty"); tty.start()
        tagged.filter_by_tag("seat"); tagged.start()
        hand("2")
        print(tagged.poll(5).sys_name, tty.poll(0))
        """,
    )  # fmt: skip

    assert lines == ["event0 None"]


@pytest.mark.client("debian-python3-pyudev")
def test_libudev_enumerates_what_is_plugged_now(run):
    lines = python(
        run, PYUDEV,
        """
        context = pyudev.Context()
        def there():
            return sorted(device.sys_name for device in context.list_devices(subsystem="input"))
        print(there()); hand("0"); print(there()); hand("1"); print(there())
        device = pyudev.Devices.from_device_file(context, "/dev/input/event0")
        print(device.is_initialized, device.get("ID_INPUT"), device.parent.sys_name, sorted(device.tags))
        """,
    )  # fmt: skip

    assert lines == ["['event0', 'input0']", "[]", "['event0', 'input0']", "True 1 input0 ['seat']"]


def test_a_socket_looks_like_the_kernels(run):
    lines = python(
        run, RAW,
        """
        sock.bind((0, 1))
        pid, groups = sock.getsockname()
        print(pid == os.getpid(), groups, sock.getsockopt(1, 39), sock.getsockopt(1, 38), sock.getsockopt(1, 3))
        hand("7")
        data, ancillary, flags, sender = sock.recvmsg(8192, 100)
        print(data.split(b"\\0")[0].decode(), sender, [struct.unpack("3i", item[2]) for item in ancillary])
        sock.setsockopt(270, 1, 2)
        hand("8")
        print([sock.recvfrom(8192)[1][1] for _ in range(2)])
        sock.setsockopt(270, 2, 1); sock.setsockopt(270, 2, 2)
        hand("9"); sock.setblocking(False)
        try:
            sock.recv(100)
        except BlockingIOError:
            print("nothing")
        """,
    )  # fmt: skip

    assert lines == [
        "True 1 16 15 3", "change@/devices/virtual/input/input0/event0 (0, 1) [(0, 0, 0)]", "[1, 2]", "nothing",
    ]  # fmt: skip


def test_a_socket_goes_to_children_and_through_exec(run):
    lines = python(
        run, RAW,
        """
        sock.bind((0, 1))
        os.set_inheritable(sock.fileno(), True)
        hand("3")
        child = "import socket; s = socket.socket(fileno=%d); print(s.family, s.recvfrom(4096)[1])" % sock.fileno()
        import sys; sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-c", child])
        """,
    )  # fmt: skip

    assert lines == ["16 (0, 1)"]


def test_more_than_a_queue_holds_is_kept(run):
    """The kernel lets as few as ten datagrams lie in a socket."""
    lines = python(
        run, RAW,
        """
        sock.bind((0, 1))
        for _ in range(40):
            hand("4")
        print(len({sock.recv(4096).split(b"SEQNUM=")[1] for _ in range(40)}))
        """,
    )  # fmt: skip

    assert lines == ["40"]


def test_many_monitors_may_come_and_go(run):
    lines = python(
        run, RAW,
        """
        for _ in range(100):
            socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15).close()
        sock.bind((0, 1))
        hand("5")
        print(sock.recv(4096)[:6])
        """,
    )  # fmt: skip

    assert lines == ["b'change'"]


def test_writing_a_uevent_file_announces(run):
    lines = python(
        run, RAW,
        """
        sock.bind((0, 1))
        with open("/sys/class/input/event0/uevent", "w") as file:
            file.write("add\\n")
        print(sorted(word.decode() for word in sock.recv(4096).split(b"\\0")[1:5]))
        """,
    )  # fmt: skip

    assert lines == [
        "['ACTION=add', 'DEVPATH=/devices/virtual/input/input0/event0', 'SUBSYSTEM=input', 'SYNTH_UUID=0']"
    ]


def test_other_netlink_sockets_are_the_kernels(run):
    lines = python(
        run,
        """
        import socket
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        sock.bind((0, 0))
        print(sock.getsockname()[0] > 0)
        """,
    )

    assert lines == ["True"]


@pytest.mark.client("udevadm", "bash")
def test_udevadm_monitors(run):
    script = """
        coproc udevadm monitor --udev
        read -u ${COPROC[0]}; read -u ${COPROC[0]}; read -u ${COPROC[0]}
        printf 0 > /dev/hand; printf 1 > /dev/hand
        for _ in 1 2 3 4; do read -u ${COPROC[0]} _ _ action path subsystem; echo $action $path $subsystem; done
        kill $COPROC_PID
    """

    outcome = run("bash", "-c", script)

    here = "/devices/virtual/input/input0"
    assert outcome.stdout.splitlines() == [
        f"remove {here}/event0 (input)", f"remove {here} (input)", f"add {here} (input)", f"add {here}/event0 (input)",
    ]  # fmt: skip


def test_a_usb_device_comes_from_the_root_down_and_its_drivers_are_bound(tmp_path):
    models = tmp_path / "hands.py"
    models.write_text("from devshim.devices import Gps\n" + MODELS.replace("class Keys(Input):", "class Port(Gps):"))
    program = dedent(RAW) + dedent(
        """
        sock.bind((0, 1))
        hand("0"); hand("1")
        for _ in range(14):
            print(sock.recv(4096).split(b"\\0")[0].decode().replace("/devices/platform/devshim_hcd.1/usb91/", ""))
        """
    )

    outcome = run_devshim(
        sys.executable, "-c", program,
        devices=[f"/dev/ttyUSB0={models}:Port", f"/dev/hand={models}:Hand"], options=["--hide-real"],
    )  # fmt: skip

    port, tty = "91-1/91-1:1.0/ttyUSB0", "91-1/91-1:1.0/ttyUSB0/tty/ttyUSB0"
    assert outcome.stdout.splitlines() == [
        f"remove@{tty}", f"unbind@{port}", f"remove@{port}", "unbind@91-1/91-1:1.0", "remove@91-1/91-1:1.0",
        "unbind@91-1", "remove@91-1",
        "add@91-1", "bind@91-1", "add@91-1/91-1:1.0", "bind@91-1/91-1:1.0", f"add@{port}", f"bind@{port}",
        f"add@{tty}",
    ]  # fmt: skip


@pytest.mark.client("udevadm")
def test_udevadm_shows_the_port_with_its_parents():
    outcome = run_devshim(
        "udevadm", "info", "-a", "/dev/ttyUSB0", devices=["/dev/ttyUSB0=gps,usb_id=10c4:ea60"], options=["--hide-real"]
    )

    assert outcome.returncode == 0
    for line in ('SUBSYSTEM=="tty"', 'DRIVERS=="cp210x"', 'ATTRS{idVendor}=="10c4"', 'ATTRS{idProduct}=="ea60"'):
        assert line in outcome.stdout


@pytest.mark.client("libudev.h")
def test_a_c_program_on_libudev_enumerates_and_monitors(run, program):
    outcome = run(program("udev_monitor", "-ludev"), "input", "/dev/hand")

    assert outcome.stdout.splitlines() == [
        "there /dev/input/event0", "remove /dev/input/event0", "add /dev/input/event0",
    ]  # fmt: skip
    assert outcome.returncode == 0
