"""A session in this very interpreter: devices from Python, programs that meet them, and nothing left at the end."""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from ctypes import c_uint32
from pathlib import Path

import pytest

import devshim as public
from devshim import Device, DevshimError, I2cBus, Serial, SpecError, every
from devshim.devices import Gps, Tmp102
from devshim.model.i2c_chip import I2cChip
from devshim.session.failures import NotYet, ProgramFailed, ProgramTimedOut
from devshim.session.plugged import plugged
from devshim.session.session import Session

WAITER = "import os; print('ready', flush=True); os.read(os.open('/dev/box', os.O_RDWR), 9)"


class Box(Device):
    """Answers reads once it was opened by a test."""

    text = b""
    half = 0
    whole = True

    def read(self, size: int) -> object:
        return self.text[:size] or public.WAIT

    def write(self, data: bytes) -> None:
        self.half = len(data)
        time.sleep(0.002)
        self.whole = self.whole and self.half == len(data)


class Mute(Device):
    """Never answers."""

    def read(self, size: int) -> object:
        return public.WAIT

    def write(self, data: bytes) -> object:
        return public.WAIT

    @public.ioctl(public.IOR("M", 5, c_uint32))
    def wait_irq(self) -> object:
        return public.WAIT

    def poll(self) -> int:
        return 0


class Beacon(Serial):
    @every(seconds=10)
    def beat(self) -> None:
        self.send(b"beat\n")


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session()
    try:
        yield session
    finally:
        session.close()


def descriptors() -> dict[str, str]:
    """What this process has open."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:
            continue  # the listing's own
    return found


def run_directory(session: Session) -> str:
    assert session._serving is not None
    return session._serving.directory


@pytest.mark.client("i2cget")
def test_a_program_meets_the_object_of_the_test(session: Session) -> None:
    sensor = session.plug("/dev/i2c-1", Tmp102(celsius=80))

    assert session.run("i2cget", "-y", "1", "0x48").stdout == "0x50\n"
    sensor.celsius = 20
    assert session.run("i2cget", "-y", "1", "0x48").stdout == "0x14\n"


@pytest.mark.client("i2cget")
def test_plain_subprocesses_and_shells_meet_it_too(session: Session) -> None:
    session.plug("/dev/i2c-1", Tmp102(celsius=80))

    answer = subprocess.run(["i2cget", "-y", "1", "0x48"], capture_output=True, text=True, timeout=60)
    assert answer.stdout == "0x50\n"
    assert os.system("test $(i2cget -y 1 0x48) = 0x50") == 0


def read_box(path: str) -> None:
    with open(path, "rb", buffering=0) as box:
        assert box.read(5) == b"hello"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_of_multiprocessing_meet_it_too(session: Session, method: str) -> None:
    session.plug("/dev/box", Box()).text = b"hello"
    process = multiprocessing.get_context(method).Process(target=read_box, args=("/dev/box",))
    process.start()
    process.join(30)

    assert process.exitcode == 0
    assert "read" in {call.name for call in session.calls}


def test_two_chips_meet_at_one_bus_and_a_spec_is_as_good_as_an_object(session: Session) -> None:
    first = session.plug("/dev/i2c-1", Tmp102())
    second = session.plug("/dev/i2c-1", "bme280,address=0x77")

    bus = session.devices["/dev/i2c-1"]
    assert isinstance(bus, I2cBus)
    assert bus.chips == {0x48: first, 0x77: second}
    assert isinstance(second, I2cChip)


@pytest.mark.parametrize(
    ("node", "model", "text"),
    [
        ("/dev/box", Box, "did you mean Box()?"),
        ("/dev/box", 7, "that is no device"),
        ("box", "gps", "must be an absolute path"),
        ("/dev/box", "no-such-model", "no-such-model"),
        ("/dev", "gps", "is a folder"),
    ],
)
def test_what_cannot_be_plugged_is_refused_in_one_line(session: Session, node: str, model: object, text: str) -> None:
    with pytest.raises(SpecError) as caught:
        session.plug(node, model)  # type: ignore[type-var]
    assert text in str(caught.value)


def test_one_node_takes_one_device_until_that_is_unplugged(session: Session) -> None:
    session.plug("/dev/box", Box())
    with pytest.raises(SpecError, match="two devices at one node"):
        session.plug("/dev/box", Box())
    session.unplug("/dev/box")
    other = session.plug("/dev/box", Box())
    assert session.devices == {"/dev/box": other}
    session.unplug(other)
    with pytest.raises(SpecError, match="nothing is plugged there"):
        session.unplug("/dev/box")


def test_a_device_comes_back_but_not_where_another_has_taken_its_place(session: Session) -> None:
    box = session.plug("/dev/box", Box())
    box.unplug()
    box.plug()
    assert session.devices == {"/dev/box": box}
    box.unplug()
    session.plug("/dev/box", Box())
    with pytest.raises(SpecError, match="another device was plugged there"):
        box.plug()


# ---- Programs


def test_a_run_has_output_input_directory_and_environment(session: Session, tmp_path: Path) -> None:
    script = "read word; echo $word $GREETING $PWD; echo oops >&2"
    result = session.run("sh", "-c", script, input="hi\n", cwd=tmp_path, env={"GREETING": "hello", "PATH": os.defpath})

    assert (result.stdout, result.stderr) == (f"hi hello {tmp_path}\n", "oops\n")
    assert result.returncode == 0


def test_much_input_and_output_go_through_at_once(session: Session) -> None:
    text = "0123456789abcdef\n" * 40_000
    assert session.run("cat", input=text).stdout == text


@pytest.mark.client("i2cget")
def test_a_failing_run_tells_output_and_calls(session: Session) -> None:
    session.plug("/dev/i2c-1", Tmp102())

    with pytest.raises(subprocess.CalledProcessError) as caught:
        session.run("sh", "-c", "echo begin; i2cget -y 1 0x49")
    assert isinstance(caught.value, ProgramFailed)
    text = str(caught.value)
    assert text.startswith("sh -c 'echo begin; i2cget -y 1 0x49': exit code 2\n--- stdout\nbegin\n--- stderr\n")
    assert "I2C_SMBUS" in text and "ENXIO" in text
    assert session.run("false", check=False).returncode == 1
    with pytest.raises(ProgramFailed, match="killed by SIGTERM"):
        session.run("sh", "-c", "kill $$")


def test_a_program_that_is_late_is_killed_and_what_it_waited_for_is_told(session: Session) -> None:
    session.plug("/dev/ttyUSB0", Beacon())
    with pytest.raises(subprocess.TimeoutExpired) as caught:
        session.run("sh", "-c", "echo begin; sleep 1000 & exec head -1 /dev/ttyUSB0", timeout=8)

    assert isinstance(caught.value, ProgramTimedOut)
    text = str(caught.value)
    assert "waits in read of /dev/ttyUSB0" in text and "begin" in text
    assert "sleep (" in text


@pytest.mark.parametrize(
    ("step", "call"),
    [
        ("os.write(fd, b'x')", 'write(/dev/mute, "x", 1)'),
        ("fcntl.ioctl(fd, 0x80044d05, bytes(4))", "ioctl(/dev/mute, wait_irq)"),
        ("other = os.open('/dev/mute', 2); fcntl.flock(other, 2); fcntl.flock(fd, 2)", "flock(/dev/mute, 2)"),
        ("threading.Thread(target=os.read, args=(fd, 1)).start(); time.sleep(100)", "read(/dev/mute, ..., 1)"),
        ("select.select([fd], [], [])", "select; it has /dev/mute open"),
    ],
)
def test_a_late_program_is_told_to_be_in_the_call_that_it_is_in(session: Session, step: str, call: str) -> None:
    session.plug("/dev/mute", Mute())
    code = (
        f"import fcntl, os, select, threading, time; fd = os.open('/dev/mute', os.O_RDWR); print(1, flush=True); {step}"
    )
    with session.start(sys.executable, "-c", code) as program:
        session.until(lambda: f"waits in {call}" in " ".join(session.waiting(program)), timeout=60)


def test_what_cannot_be_started_raises_as_subprocess_does(session: Session) -> None:
    with pytest.raises(FileNotFoundError):
        session.run("/no/such/program")
    with pytest.raises(ValueError, match="no program"):
        session.run()


def test_a_started_program_is_there_until_the_end_of_the_with(session: Session) -> None:
    with session.start("sh", "-c", "trap 'echo caught; exit 3' USR1; sleep 1000 & echo $!; wait") as program:
        session.until(lambda: program.stdout)
        sleeper = int(program.stdout)
        program.send_signal(signal.SIGUSR1)
        assert program.wait() == 3
        assert program.stdout.endswith(b"caught\n")
    session.until(lambda: not os.path.exists(f"/proc/{sleeper}") or zombie(sleeper))


def zombie(pid: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_calls_belong_to_the_program_that_made_them(session: Session) -> None:
    box = session.plug("/dev/box", Box())
    with session.start(sys.executable, "-c", WAITER) as program:
        session.until(lambda: any(call.name == "read" for call in box.calls))
        box.text = b"x"
        result = session.run("head", "-c1", "/dev/box")
        assert program.returncode is None or program.returncode == 0
    assert [call.name for call in result.calls] == ["open", "read", "close"]
    assert [call.data for call in result.calls] == [b"", b"x", b""]
    assert len(box.calls) > len(result.calls)
    assert {call.process for call in result.calls} != {box.calls[0].process}


# ---- Waiting


def test_until_is_looked_at_after_every_call(session: Session, tmp_path: Path) -> None:
    box = session.plug("/dev/box", Box())
    begin = tmp_path / "begin"
    script = f"until [ -e '{begin}' ]; do :; done; for i in 1 2 3 4 5; do echo $i > /dev/box; done; sleep 1000"

    def one_write() -> bool:
        begin.touch()  # looked at from now on
        return [call.data for call in box.calls if call.name == "write"] == [b"1\n"]

    with session.start("sh", "-c", script):
        assert session.until(one_write, timeout=60)


def test_until_tells_what_came_instead(session: Session) -> None:
    session.plug("/dev/box", Box())
    with session.start("sh", "-c", "echo x > /dev/box; sleep 1000") as program:
        session.until(lambda: len(session.calls) == 3)
        with pytest.raises(NotYet) as caught:
            session.until(lambda: program.stdout, timeout=0.1)
    text = str(caught.value)
    assert "did not come true within 0.1 s" in text
    assert 'write(/dev/box, "x\\n", 2) = 2' in text and "sleep (" in text
    with pytest.raises(ZeroDivisionError):
        session.until(lambda: 1 / 0)


def test_a_program_is_over_though_what_it_has_left_running_prints_without_end(session: Session) -> None:
    def is_over() -> bool:
        time.sleep(0.001)  # after each piece of output: until then there is always another
        try:
            return program.wait(0) < 0
        except subprocess.TimeoutExpired:
            return False

    with session.start("sh", "-c", "yes & wait") as program:
        session.until(lambda: program.stdout)
        program.send_signal(signal.SIGTERM)

        assert session.until(is_over)


def test_an_action_follows_its_call_at_once(session: Session) -> None:
    box = session.plug("/dev/box", Box())
    session.after(lambda call: call.name == "write" and call.data == b"2\n", box.unplug)
    result = session.run("sh", "-c", "exec 3<>/dev/box; for i in 1 2 3; do echo $i >&3 || exit 7; done", check=False)

    assert result.returncode == 7
    assert [(call.data, call.error) for call in result.calls if call.name == "write"] == [
        (b"1\n", None),
        (b"2\n", None),
        (b"3\n", "ENODEV"),
    ]


class Telling(Box):
    """A box that lets the test wait for a write past the session's own means."""

    def __init__(self) -> None:
        self.written = threading.Event()

    def write(self, data: bytes) -> None:
        super().write(data)
        self.written.set()


def test_an_action_follows_a_call_that_came_before_the_test_asked_for_it(session: Session) -> None:
    box = session.plug("/dev/box", Telling())
    with session.start("sh", "-c", "echo x > /dev/box; exec sleep 1000"):
        assert box.written.wait(60)
        done: list[str] = []
        session.after(lambda call: call.name == "write", lambda: done.append("after"))
        session.until(lambda: done, timeout=60)


def test_calls_that_the_test_has_heard_of_are_followed_by_no_action(session: Session) -> None:
    session.plug("/dev/box", Box())
    done: list[str] = []
    session.run("sh", "-c", "echo x > /dev/box")
    session.after(lambda call: call.name == "write", lambda: done.append("run"))
    with session.start("sh", "-c", "echo x > /dev/box; exec sleep 1000"):
        session.until(lambda: done and session.calls[-1].name == "close", timeout=60)
        assert done == ["run"]
        session.after(lambda call: call.name == "write", lambda: done.append("until"))
        with open("/dev/box", "w") as mine:
            session.after(lambda call: call.name == "open", lambda: done.append("own"))
            assert done == ["run"]
            mine.write("y")
        assert done == ["run", "until"]


def test_a_condition_may_fail_the_test_in_the_hosts_thread(session: Session, tmp_path: Path) -> None:
    begin = tmp_path / "begin"

    def ended() -> None:
        begin.touch()  # looked at from now on
        if threading.current_thread() is not threading.main_thread() and program.returncode is not None:
            pytest.fail("it has ended")

    waits = f"until [ -e '{begin}' ]; do :; done"
    with session.start("sh", "-c", waits) as program, pytest.raises(pytest.fail.Exception, match="it has ended"):
        session.until(ended, timeout=60)
    assert session.run("true").returncode == 0


def test_what_an_action_raises_comes_out_of_the_run(session: Session) -> None:
    session.plug("/dev/box", Box())
    session.after(lambda call: call.name == "write", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        session.run("sh", "-c", "echo x > /dev/box")


# ---- The clock and the lock


def test_timers_run_on_a_clock_that_only_the_test_moves(session: Session) -> None:
    session.clock.manual()
    session.plug("/dev/ttyUSB0", Beacon())
    with session.start("cat", "/dev/ttyUSB0") as program:
        session.until(lambda: session.calls)
        session.clock.step(9.5)
        session.clock.step(0.5)
        session.until(lambda: program.stdout == b"beat\n")
        session.clock.step(30)
        session.until(lambda: program.stdout == b"beat\n" * 4)


def test_a_clock_that_runs_by_itself_cannot_be_stepped(session: Session) -> None:
    with pytest.raises(DevshimError, match=r"clock.manual\(\) first"):
        session.clock.step(1)
    session.clock.manual()
    before = session.clock.now
    session.clock.step(100)
    session.clock.real()
    assert 100 <= session.clock.now - before < 130


def test_attribute_writes_wait_for_their_turn(session: Session) -> None:
    box = session.plug("/dev/box", Box())
    with session.start("sh", "-c", "exec 3<>/dev/box; for i in 1 2 3 4 5 6 7 8 9; do echo $i >&3; done; echo over"):
        while len(box.calls) < 10:
            box.half = -1  # within write() it would be seen
    assert box.whole


class Pair(Device):
    """Has two attributes that are to be equal whenever it is asked."""

    left = right = 0
    torn = False

    def write(self, data: bytes) -> None:
        self.torn = self.torn or self.left != self.right


def test_several_steps_are_one_turn_under_the_lock(session: Session) -> None:
    pair = session.plug("/dev/pair", Pair())
    assert public.lock is session.lock
    with session.start(
        "sh", "-c", "exec 3<>/dev/pair; i=0; while [ $((i += 1)) -lt 300 ]; do echo >&3; done"
    ) as program:
        while program.returncode is None:
            with public.lock:
                pair.left += 1
                time.sleep(0.0005)  # lets others run, if they may
                pair.right += 1
    assert pair.right > 0 and not pair.torn
    with pytest.raises(DevshimError, match="close"), session.lock:
        session.close()


# ---- The end


@pytest.mark.client("i2cget")
def test_nothing_is_left_of_a_session_even_of_one_that_failed() -> None:
    with Session() as first:  # of all sessions together who cleans up after a kill stays (survivor.py)
        first.open()
    before = descriptors(), threading.active_count(), dict(os.environ), sys.getswitchinterval()
    session = Session()
    session.plug("/dev/ttyUSB0", Gps())
    session.plug("/dev/i2c-1", Tmp102())
    ours = run_directory(session)
    with pytest.raises(ProgramFailed), session, open("/dev/ttyUSB0", "rb", buffering=0):
        session.run("i2cget", "-y", "1", "0x49")
    assert (descriptors(), threading.active_count(), dict(os.environ), sys.getswitchinterval()) == before
    assert not os.path.exists(ours)
    with pytest.raises(DevshimError, match="this session is closed"):
        session.plug("/dev/ttyUSB0", Gps())


def test_many_devices_come_and_go_without_a_trace(session: Session) -> None:
    session.plug("/dev/warm0", Box())

    def state() -> tuple[int, int, int]:
        return len(descriptors()), threading.active_count(), len(list(Path(run_directory(session)).rglob("*")))

    os.path.exists("/proc/tty/drivers")  # laid out once somebody looks, and then for good
    before = state()
    for number in range(300):
        box = session.plug(f"/dev/box{number % 7}", Box())
        port = session.plug("/dev/beacon", Beacon())
        with open(f"/dev/box{number % 7}", "wb", buffering=0) as file:
            file.write(b"x")
        session.unplug(box)
        session.unplug(port)
    assert state() == before
    assert session._serving is not None
    host = session._serving.host
    assert host.registry._device_count < 40 and len(host.files) < 2000


def test_sessions_follow_one_another_but_are_not_open_together(session: Session) -> None:
    session.plug("/dev/box", Box())
    with pytest.raises(DevshimError, match="another session is open"):
        Session().plug("/dev/other", Box())
    with plugged({"/dev/other": Box()}) as joined:
        assert joined is session
        assert set(session.devices) == {"/dev/box", "/dev/other"}
    assert set(session.devices) == {"/dev/box"}


def test_what_comes_beside_a_device_is_not_listed_and_goes_with_the_block(session: Session) -> None:
    session.plug("/dev/box", Box())
    with plugged({"/dev/ttyUSB3": "gps", "/dev/ttyACM0": "pico_circuitpython"}):
        assert os.path.exists("/dev/bus/usb/091/005") and os.path.exists("/dev/bus/usb/091/001")
        assert {"/dev/box", "/dev/ttyUSB3", "/dev/ttyACM0"} <= set(session.devices)
        assert not [node for node in session.devices if node.startswith("/dev/bus/")]
    assert not os.path.exists("/dev/bus/usb/091")
    assert set(session.devices) == {"/dev/box"}


def test_a_script_plugs_for_the_body_of_a_with() -> None:
    with plugged({"/dev/box": Box()}) as session:
        session.devices["/dev/box"].text = b"hello"  # type: ignore[attr-defined]
        assert session.run("head", "-c5", "/dev/box").stdout == "hello"
    with pytest.raises(public.ModelError, match="ZeroDivisionError"), plugged({"/dev/broken": Broken()}) as session:
        session.run("cat", "/dev/broken", check=False)


class Broken(Device):
    def read(self, size: int) -> bytes:
        return b"%d" % (1 // 0)


def test_a_forked_child_cannot_plug_and_ends_nothing_of_its_parents(session: Session) -> None:
    box = session.plug("/dev/box", Box())
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            session.plug("/dev/other", Box())
        except DevshimError:
            box.half = 3  # nobody holds the lock here
            session.close()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    assert session.run("sh", "-c", "echo x > /dev/box").returncode == 0


def test_a_forked_child_gives_its_parents_descriptors_back_without_a_word(
    session: Session, capfd: pytest.CaptureFixture[str]
) -> None:
    session.plug("/dev/box", Box())
    with open("/dev/box", "rb"), session.start("sleep", "60"):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
    assert capfd.readouterr().err == ""


WATCHER = """
import ctypes, os, struct
libc = ctypes.CDLL(None)
fd = libc.inotify_init1(0)
libc.inotify_add_watch(fd, b"/dev/box", 0x38)
print("ready", flush=True)
for _ in range(2):
    print(hex(struct.unpack_from("iI", os.read(fd, 16))[1]), flush=True)
"""


def test_who_watches_a_node_hears_of_its_close_although_a_forked_child_lives(session: Session) -> None:
    session.plug("/dev/box", Box())
    with session.start(sys.executable, "-c", WATCHER) as watcher:
        session.until(lambda: watcher.stdout == b"ready\n")
        fd = os.open("/dev/box", os.O_RDWR)
        ours, theirs = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(theirs)
            os.close(fd)
            os.read(ours, 1)  # until the parent ends that
            os._exit(0)
        os.close(ours)
        try:
            os.close(fd)
            session.until(lambda: watcher.stdout == b"ready\n0x20\n0x8\n")
        finally:
            os.close(theirs)
            os.waitpid(pid, 0)


def test_calls_tell_of_a_device_that_has_gone_and_do_not_keep_it() -> None:
    with Session() as session:
        gone = session.plug("/dev/box0", Box())
        gone.text = b"contents"
        with open("/dev/box0", "rb", buffering=0) as file:
            file.read(8)
        gone.unplug()
        told = [event.name for event in gone.calls]
        session.plug("/dev/box0", Box())
        device = weakref.ref(gone)
        del gone
        gc.collect()

        assert device() is None
        assert told == ["open", "read", "close"]
        assert [event.name for event in session.calls] == told
        assert "read(/dev/box0" in session.lines()[1]
