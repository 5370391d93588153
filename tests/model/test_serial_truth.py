"""stty, pyserial, miniterm, picocom and mbpoll do on models what they did on an FTDI adapter with its kernel driver."""

import re
import shlex
import sys
from pathlib import Path

import pytest
from harness import devshim_command, devshim_environment, run_devshim
from terminal import ENDED, Terminal

TRUTH = Path(__file__).with_name("truth") / "serial"
NODE = "/dev/ttyUSB0"


def far_end(name):
    return [f"{NODE}={TRUTH / 'far_ends.py'}:{name}"]


def said(case):
    return (TRUTH / case / "stdout").read_text()


def command(case):
    return (TRUTH / case / "cmd").read_text().strip()


def check(outcome, case):
    assert outcome.stdout == said(case)
    assert outcome.returncode == int((TRUTH / case / "rc").read_text())


@pytest.mark.client("stty")
@pytest.mark.parametrize("case", ["stty-a", "stty-set", "stty-odd", "stty-oddbaud"])
def test_stty_on_a_fresh_port(case):
    outcome = run_devshim(*shlex.split(command(case)), devices=far_end("Wire"))

    check(outcome, case)
    expected = TRUTH / case / "stderr"
    assert not expected.exists() or outcome.stderr == expected.read_text()


@pytest.mark.client("stty")
def test_stty_shows_what_stty_set_before_it():
    script = "; ".join(command(case) for case in ("stty-set", "stty-a2", "stty-odd"))

    outcome = run_devshim("sh", "-c", script, devices=far_end("Wire"))

    check(outcome, "stty-a2")


@pytest.mark.client("stty")
def test_stty_g_tells_what_a_pty_cannot_keep():
    script = f"{command('stty-set')}; {command('stty-odd')}; {command('stty-g')}"

    outcome = run_devshim("sh", "-c", script, devices=far_end("Wire"))

    check(outcome, "stty-g")


@pytest.mark.client("mbpoll")
def test_mbpoll_reads_the_same_registers():
    words = shlex.split(shlex.split(command("mbpoll"))[-1].partition("exec ")[2])

    check(run_devshim(*words, devices=far_end("Registers")), "mbpoll")


@pytest.mark.client("picocom")
def test_picocom_shows_what_comes_and_ends_when_nothing_does():
    words = command("picocom").replace("4000", "1000")

    check(run_devshim(*shlex.split(words), devices=far_end("Greeter")), "picocom")


def test_pyserial_lists_the_ports_as_there():
    """But for where the adapter is plugged, which is a port of the machine on which the transcript was taken."""
    pytest.importorskip("serial")
    program = "\n".join((TRUTH / "py-serial" / "ps.py").read_text().splitlines()[:2])
    adapter = "usb_id=0403:6001,usb_manufacturer=QEMU,usb_product=QEMU USB SERIAL,usb_serial=REF0001"
    wire = f"{TRUTH / 'far_ends.py'}:Wire"
    ports = [f"/dev/ttyS0={wire}", f"/dev/ttyS1={wire}", f"/dev/ttyUSB0={wire},{adapter}"]

    outcome = run_devshim(sys.executable, "-c", program, devices=ports, options=["--hide-real"])

    expected = [line for line in said("py-serial").splitlines() if line.startswith("/dev/tty")]
    assert sorted(outcome.stdout.replace("91-1", "1-1").splitlines()) == expected


def test_pyserial_as_far_as_the_port_itself_goes():
    """The transcript's program, less its list of ports and its second port."""
    pytest.importorskip("serial")
    program = (TRUTH / "py-serial" / "ps.py").read_text()
    program = program[program.index("a=serial.Serial(") :].replace(
        "; b=serial.Serial('/dev/ttyS1',115200,timeout=2)", ""
    )
    program = program.replace("<1.0)", "<60)")  # how soon a busy machine goes on says nothing about the port
    program = program.replace("print(b.read(4)); b.write(b'pong!'); b.flush(); ", "").replace("; b.close()", "")
    expected = said("py-serial").splitlines()

    outcome = run_devshim(sys.executable, "-c", "import serial, time\n" + program, devices=far_end("PingPong"))

    assert outcome.stdout.splitlines() == expected[expected.index("b'pong!' 0 0") :]
    assert outcome.returncode == 0


def test_miniterm_on_a_terminal():
    pytest.importorskip("serial")
    run = [*devshim_command(), "run", "-d", *far_end("Greeter"), "--"]
    miniterm = [sys.executable, "-m", "serial.tools.miniterm", NODE, "9600", "--raw"]

    with Terminal(run + miniterm, devshim_environment()) as terminal:
        screen = terminal.expect("hello-from-wire")
        for line in said("x-miniterm").splitlines():
            assert line in screen
        terminal.press("\x1d")  # Ctrl+]
        assert terminal.state() == (ENDED, 0)


@pytest.mark.client("stty")
def test_stty_on_a_port_of_a_usb_modem():
    outcome = run_devshim(
        *shlex.split(command("acm-stty")), devices=["/dev/ttyACM0=" + far_end("Wire")[0].partition("=")[2]]
    )

    check(outcome, "acm-stty")


def test_pyserial_at_both_ends_of_a_usb_cable():
    """Set aside: the machine's other ports, where the port is plugged, and the serial number that a model has."""
    pytest.importorskip("serial")
    model = far_end("Gadget")[0].partition("=")[2]
    case = TRUTH / "acm-py-serial"
    outcome = run_devshim(
        sys.executable, case / "psa.py", devices=[f"/dev/ttyACM0={model}", f"/dev/ttyGS0={model}"],
        options=["--hide-real"],
    )  # fmt: skip

    def kept(text):
        lines = [line for line in text.splitlines() if not line.startswith("/dev/") or line.startswith("/dev/ttyACM0")]
        return [re.sub(r" (SER|LOCATION)=\S+", "", line) for line in lines]

    assert kept(outcome.stdout) == kept((case / "stdout").read_text())
    assert outcome.returncode == int((case / "rc").read_text())
