"""Interactive programs in a run, on a terminal of their own: terminal programs, shells, pagers, and their keys."""

import re
import sys
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import devshim_command, devshim_environment
from terminal import ENDED, STOPPED, Terminal

CTRL_A, CTRL_C, CTRL_D, CTRL_T, CTRL_X, CTRL_Z, CTRL_BRACKET = "\x01", "\x03", "\x04", "\x14", "\x18", "\x1a", "\x1d"


@contextmanager
def job(*program: str, devices: Sequence[str] = (), env: "dict[str, str] | None" = None) -> Iterator[Terminal]:
    """`devshim run` with devices as the job of a shell on a terminal."""
    plugged = [word for device in devices for word in ("-d", device)]
    environment = devshim_environment({"TERM": "xterm", "LC_ALL": "C", **(env or {})})
    with Terminal([*devshim_command(), "run", *plugged, "--", *program], environment) as terminal:
        yield terminal


def in_line_mode(terminal: Terminal) -> bool:
    """Tell whether the terminal hands lines on and makes signals of keys, as a shell left it."""
    local_modes = termios.tcgetattr(terminal.master)[3]
    return local_modes & (termios.ICANON | termios.ISIG) == termios.ICANON | termios.ISIG


class TestTerminalPrograms:
    """Programs that join the user's terminal to a serial port."""

    @pytest.mark.client("picocom")
    def test_picocom_talks_to_the_modem_and_leaves_the_terminal_as_it_was(self) -> None:
        with job("picocom", "-b", "9600", "/dev/ttyUSB2", devices=["/dev/ttyUSB2=modem"]) as terminal:
            terminal.expect("Terminal ready")

            terminal.press("ATE0\r")
            terminal.expect("OK")
            terminal.press("AT+CSQ\r")
            terminal.expect("+CSQ: 20,99")
            terminal.press(CTRL_A + "\x16")
            terminal.expect("*** mctl: DTR:1 DSR:1 DCD:0 RTS:1 CTS:1 RI:0")
            terminal.press(CTRL_A + CTRL_X)

            assert terminal.state() == (ENDED, 0)
            assert in_line_mode(terminal)

    @pytest.mark.client("picocom")
    def test_ctrl_c_is_a_key_for_the_device_where_the_program_wants_it_so(self, tmp_path: Path) -> None:
        (tmp_path / "keys.py").write_text(
            "from devshim import Serial\n"
            "class Keys(Serial):\n"
            "    def received(self, data): self.send(b'key %d\\r\\n' % data[0])\n"
        )
        device = f"/dev/ttyUSB2={tmp_path}/keys.py"
        with job("picocom", "/dev/ttyUSB2", devices=[device]) as terminal:
            terminal.expect("Terminal ready")

            terminal.press(CTRL_C)
            terminal.expect("key 3")
            terminal.press(CTRL_Z)
            terminal.expect("key 26")
            terminal.press(CTRL_A + CTRL_X)

            assert terminal.state() == (ENDED, 0)

    def test_miniterm_talks_to_the_modem_and_leaves_the_terminal_as_it_was(self) -> None:
        pytest.importorskip("serial")
        words = [sys.executable, "-m", "serial.tools.miniterm", "/dev/ttyUSB2", "9600"]
        with job(*words, devices=["/dev/ttyUSB2=modem"]) as terminal:
            terminal.expect("--- Miniterm on /dev/ttyUSB2  9600,8,N,1 ---")

            terminal.press("ATI\n")
            terminal.expect("IMEI")
            terminal.press(CTRL_T + "\t")
            terminal.expect("--- CTS: active    DSR: active    RI: inactive  CD: inactive")
            terminal.press(CTRL_BRACKET)

            assert terminal.state() == (ENDED, 0)
            assert in_line_mode(terminal)


class TestShell:
    """An interactive shell in a run, with job control of its own."""

    @pytest.mark.client("bash")
    def test_stops_continues_and_interrupts_readers_of_a_device(self) -> None:
        words = ["bash", "--norc", "--noprofile", "--noediting", "-i"]
        with job(*words, devices=["/dev/ttyUSB0=gps,period=0.05"], env={"PS1": "$ "}) as terminal:
            terminal.expect("$ ")

            terminal.press("cat /dev/ttyUSB0\n")
            terminal.expect("$GPGSA")
            terminal.press(CTRL_Z)
            terminal.expect("Stopped")
            terminal.press("jobs; echo seen\n")
            terminal.expect("seen")
            terminal.screen = b""
            terminal.press("fg\n")
            terminal.expect("$GPRMC")
            terminal.press(CTRL_C)
            terminal.expect("$ ")
            terminal.press("echo code $?; exit 7\n")
            terminal.expect("code 130")

            assert terminal.state() == (ENDED, 7)

    @pytest.mark.client("bash")
    def test_has_no_complaint_about_the_terminal(self) -> None:
        with job("bash", "--norc", "--noprofile", "-i", devices=["/dev/ttyUSB0=gps"], env={"PS1": "$ "}) as terminal:
            terminal.expect("$ ")
            terminal.press("tty; exit\n")

            assert terminal.state() == (ENDED, 0)
            screen = terminal.expect("/dev/pts/")
            assert "job control" not in screen
            assert "devshim" not in screen


class TestPrograms:
    """What fills the screen, and what reads keys."""

    def test_a_program_in_raw_mode_is_stopped_and_continued_with_its_settings(self) -> None:
        script = (
            "import os, signal, sys, termios, tty\n"
            "tty.setcbreak(0)\n"
            "print('raw', flush=True)\n"
            "while (key := os.read(0, 1)) != b'q':\n"
            "    print('key', key, 'echo', bool(termios.tcgetattr(0)[3] & termios.ECHO), flush=True)\n"
        )
        with job(sys.executable, "-c", script, devices=["/dev/ttyUSB0=gps"]) as terminal:
            terminal.expect("raw")

            terminal.press("a")
            terminal.expect("key b'a' echo False")
            terminal.press(CTRL_Z)
            assert terminal.state()[0] == STOPPED
            terminal.foreground()
            terminal.press("b")
            terminal.expect("key b'b' echo False")
            terminal.press("q")

            assert terminal.state() == (ENDED, 0)

    @pytest.mark.client("less")
    def test_less_shows_a_device_and_ends_with_its_key(self) -> None:
        with job("less", "-f", "/dev/acme0", devices=["/dev/acme0=tmp102"]) as terminal:
            terminal.press("q")
            assert terminal.state()[0] == ENDED

    @pytest.mark.client("vi")
    def test_vi_reads_from_a_device_into_its_text(self, tmp_path: Path) -> None:
        text = tmp_path / "text"
        with job("vi", "-u", "NONE", str(text), devices=["/dev/ttyUSB0=gps,period=0.1"]) as terminal:
            terminal.press(":r! head -c 6 /dev/ttyUSB0\r")
            terminal.press(":wq\r")

            while terminal.state()[0] != ENDED:
                pass
        assert "$GPRMC" in text.read_text()

    def test_a_python_prompt_takes_ctrl_c_and_goes_on(self) -> None:
        with job(sys.executable, "-q", devices=["/dev/ttyUSB0=gps"], env={"PYTHON_BASIC_REPL": "1"}) as terminal:
            terminal.expect(">>> ")

            terminal.press("print('be' + 'gun', flush=True), open('/dev/ttyUSB0').read()\n")
            terminal.expect("begun")
            terminal.press(CTRL_C)
            terminal.expect("KeyboardInterrupt")
            terminal.press("1 + 1\n")
            terminal.expect("2\r\n>>> ")
            terminal.press(CTRL_D)

            assert terminal.state()[0] == ENDED

    @pytest.mark.client("script")
    def test_script_gives_the_program_a_terminal_of_its_own(self, tmp_path: Path) -> None:
        words = ["script", "-qec", "tty; head -n 1 /dev/ttyUSB0", str(tmp_path / "typescript")]
        with job(*words, devices=["/dev/ttyUSB0=gps,period=0.1"]) as terminal:
            terminal.expect("$GPRMC")

            assert terminal.state() == (ENDED, 0)
        assert re.search(r"^/dev/pts/\d+\r?$", (tmp_path / "typescript").read_text(), re.MULTILINE)

    def test_messages_of_ours_come_after_what_the_program_said(self) -> None:
        with job("sh", "-c", "echo last words; : </dev/devshim-test", devices=["/dev/ttyUSB0=gps"]) as terminal:
            screen = terminal.expect("-d /dev/devshim-test=MODEL\r\n")

            assert terminal.state()[0] == ENDED
            assert screen.index("last words") < screen.index("devshim: ")
