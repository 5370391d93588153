"""devshim run --in-process: the host inside the program, and the same answers as from a host of its own."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from clients import require
from harness import Outcome, devshim_command, devshim_environment

from devshim import embedding

MODELS = Path(__file__).with_name("in_process_models.py")
COUNTER = f"/dev/counter0={MODELS}:Counter"
Run = Callable[..., Outcome]

pytestmark = pytest.mark.skipif(embedding.shared_library() is None, reason="this Python has no shared libpython")


@pytest.fixture
def inside(devshim_run: Run) -> Run:
    """`devshim run --in-process -d DEVICE -- PROGRAM`; the device is a counter unless said otherwise."""

    def run(*words: str | Path, device: str = COUNTER, **further: object) -> Outcome:
        return devshim_run(*words, devices=[device], options=["--in-process"], **further)

    return run


def test_the_model_runs_in_the_program_s_own_process(inside: Run, tmp_path: Path) -> None:
    model = tmp_path / "who.py"
    model.write_text(
        "import os\nfrom devshim import Device\n\n"
        "class Who(Device):\n    def read(self, size):\n        return b'%d' % os.getpid()\n"
    )

    got = inside("sh", "-c", "echo $$; exec dd if=/dev/who0 count=1 2>/dev/null", device=f"/dev/who0={model}")
    pid, told = got.stdout.split("\n")
    assert pid == told


@pytest.mark.parametrize("what", ["threads", "fork-first", "fork-later", "exec-later", "signals", "closes"])
def test_a_program_with_threads_children_signals_or_closed_descriptors_gets_right_answers(
    inside: Run, program: Callable[..., Path], what: str
) -> None:
    expected = {
        "threads": "4801\n",
        "fork-first": "1 1\n",
        "fork-later": "1 32 4\n",
        "exec-later": "1\n234\n",
        "signals": "handled\n",
        "closes": "1 3 2 3 3 3 4 3 5 6\n",
    }

    got = inside(program("in_process", "-lrt"), what, "/dev/counter0")

    assert (got.stdout, got.returncode) == (expected[what], 0), got.stderr


def test_a_child_that_outlives_the_host_finds_its_devices_unplugged(inside: Run, program: Callable[..., Path]) -> None:
    got = inside(program("in_process", "-lrt"), "orphan", "/dev/counter0")

    assert got.stdout == f"{-errno.ENODEV} -1\n"
    assert got.stderr.count("\n") == 1 and "unplugged" in got.stderr


def test_nothing_of_the_program_s_surroundings_changes(inside: Run, program: Callable[..., Path]) -> None:
    got = inside(program("in_process", "-lrt"), "surroundings", env={"LC_ALL": "C.UTF-8"})

    assert got.stdout == "C 0 0\n", got.stderr


def test_a_program_that_aborts_or_exits_at_once_does_as_ever(inside: Run, program: Callable[..., Path]) -> None:
    assert inside(program("in_process", "-lrt"), "abort").returncode == 128 + signal.SIGABRT
    assert inside(program("in_process", "-lrt"), "exit").returncode == 9


@pytest.mark.parametrize(("model", "said"), [("Broken", "ValueError: no such luck"), ("Leaving", "SystemExit: 77")])
def test_a_failing_model_costs_the_program_an_io_error_and_the_run_its_exit_code(
    inside: Run, program: Callable[..., Path], model: str, said: str
) -> None:
    got = inside(program("in_process", "-lrt"), "read", device=f"/dev/counter0={MODELS}:{model}")

    assert got.stdout == f"{-errno.EIO}\n"
    assert got.stderr.count("Traceback") == 1 and said in got.stderr
    assert got.returncode == 1


def test_a_python_program_lends_its_own_interpreter(inside: Run) -> None:
    script = "import os, sys; print(os.read(os.open('/dev/counter0', os.O_RDONLY), 9), 'start' in globals())"

    got = inside(sys.executable, "-c", script)

    assert (got.stdout, got.returncode) == ("b'1' False\n", 0), got.stderr


def others() -> list[str]:
    """Interpreters of another version."""
    found = [shutil.which(f"python3.{minor}") for minor in range(8, 15) if f"3.{minor}" != embedding.VERSION]
    pyenv = Path("~/.pyenv/versions").expanduser()
    found += [str(path) for path in pyenv.glob("3.*/bin/python3.*") if path.name[6:].count(".") == 1]
    real = {os.path.realpath(path) for path in found if path and "shims" not in path}
    return sorted(path for path in real if f"python{embedding.VERSION}" not in path)


@pytest.mark.skipif(not others(), reason="no Python of another version is installed")
def test_a_python_of_another_version_is_refused_in_one_line(inside: Run) -> None:
    script = "open('/dev/counter0')"

    at_once = inside(others()[0], "-c", script)
    later = inside("sh", "-c", f'{others()[0]} -c "{script}" 2>&1 | grep devshim; exit 0')

    assert at_once.returncode == later.returncode == 125
    assert at_once.stderr.count("\n") == 1 and "without --in-process" in at_once.stderr
    assert later.stdout.count("\n") == 1 and "without --in-process" in later.stdout


def test_a_model_that_cannot_be_loaded_is_said_before_the_program_starts(inside: Run) -> None:
    got = inside("touch", "/nowhere", device="/dev/x=no-such-model")

    assert got.returncode == 2 and got.stderr.count("\n") == 1 and "no-such-model" in got.stderr


MBPOLL = "mbpoll -1 -0 -a 1 -b 9600 -P none -t 3 -c 2 /dev/ttyUSB0"
PYSERIAL = "import serial; port = serial.Serial('/dev/ttyUSB0', timeout=9); port.write(b'ATI\\r'); print(port.read(8))"
ADC = r"printf '\001\200\000' | spi-pipe -d /dev/spidev0.0 -b 3 -n 1 | od -tx1"

# Each with a client that is one process: every process has a state of its own. Several words of a shell are one here.
CATALOGUE = {
    "/dev/i2c-1=tmp102": ("i2cget", "i2cget -y 1 0x48 0 w"),
    "/dev/i2c-1=bme280": ("i2cdump", "i2cdump -y 1 0x76 b"),
    "/dev/i2c-1=at24c02": ("i2cdump", "i2cdump -y 1 0x50 b"),
    "/dev/i2c-1=pca9536": ("i2cdump", "i2cdump -y -r 0-3 1 0x41 b"),
    "/dev/i2c-1=pi_tmp102": ("i2cget", "i2cget -y 1 0x48 0 w"),
    "/sys/class/hwmon/hwmon9=nct6775": ("cut", "cat /sys/class/hwmon/hwmon9/temp1_input"),
    "/sys/class/leds/ACT=pi_act_led": ("cut", "cat /sys/class/leds/ACT/brightness"),
    "/dev/gpiochip0=gpio_panel": ("gpioinfo", "gpioinfo"),
    "/dev/gpiochip0=raspberry_pi4": ("gpioinfo", "gpioinfo"),
    "/dev/ttyUSB0=modbus_meter": ("mbpoll", MBPOLL),
    "/dev/ttyUSB0=bench_supply": ("cut", PYSERIAL.replace("ATI\\r", "*IDN?\\n")),
    "/dev/ttyUSB0=modem": ("cut", PYSERIAL),
    "/dev/ttyUSB0=gps": ("cut", "head -n 1 /dev/ttyUSB0 | cut -c 1-6"),
    "/dev/spidev0.0=mcp3008": ("spi-pipe", ADC),
    "/dev/spidev0.0=w25q128": ("spi-pipe", ADC.replace("001", "237")),
    "/dev/hidraw0=temper": ("od", "head -c 0 /dev/hidraw0; echo opened"),
    "/dev/hidraw0=usb_relay": ("od", "head -c 0 /dev/hidraw0; echo opened"),
    "/dev/input/event0=k120": ("evemu-describe", "evemu-describe /dev/input/event0"),
    "/dev/input/event0=gt911": ("evemu-describe", "evemu-describe /dev/input/event0"),
    "/dev/input/event0=xbox360": ("evemu-describe", "evemu-describe /dev/input/event0"),
    "/dev/input/event0=xbox360,circle=0": ("jscal", "jscal -p $(ls /dev/input/js* | tail -n 1)"),
    "/dev/input/event0=m105": ("evemu-describe", "evemu-describe /dev/input/event0"),
    "/dev/iio:device0=ads1015": ("cut", "cat /sys/bus/iio/devices/iio:device0/in_voltage0_raw"),
    "/dev/iio:device0=adxl345": ("cut", "cat /sys/bus/iio/devices/iio:device0/in_accel_z_raw"),
    "/sys/class/hwmon/hwmon9=lm75": ("cut", "cat /sys/class/hwmon/hwmon9/temp1_max"),
    "/sys/class/leds/red=pca9633": ("cut", "cat /sys/class/leds/red/max_brightness"),
    "/sys/class/pwm/pwmchip9=bcm2711_pwm": ("cut", "cat /sys/class/pwm/pwmchip9/npwm"),
    "/sys/class/pwm/pwmchip9=pca9685": ("cut", "cat /sys/class/pwm/pwmchip9/npwm"),
    "/sys/class/backlight/intel_backlight=intel_backlight": (
        "cut",
        "cat /sys/class/backlight/intel_backlight/brightness",
    ),
    "/sys/class/backlight/10-0045=rpi_touch_display": ("cut", "cat /sys/class/backlight/10-0045/max_brightness"),
    "/dev/ttyACM0=pico_circuitpython": ("stty", "stty -F /dev/ttyACM0 -a"),
}


def command(text: str) -> list[str]:
    """The words of a client: a shell's, or Python's own."""
    return [sys.executable, "-c", text] if text.startswith("import") else ["sh", "-c", text]


@pytest.mark.parametrize("device", CATALOGUE)
def test_a_device_of_the_catalogue_answers_alike_in_either_host(devshim_run: Run, inside: Run, device: str) -> None:
    client, text = CATALOGUE[device]
    require(client)
    outside = devshim_run(*command(text), devices=[device], env={"LC_ALL": "C"})

    within = inside(*command(text), device=device, env={"LC_ALL": "C"})

    assert (within.stdout, within.returncode) == (outside.stdout, outside.returncode), within.stderr
    assert within.stdout, within.stderr


def test_a_c_program_that_uses_everything_of_a_device_sees_the_same(
    devshim_run: Run, inside: Run, program: Callable[..., Path]
) -> None:
    device = "/dev/acme0=acme,volts=[0,0,3.3,0,0,0,0,0]"
    outside = devshim_run(program("acme_client"), devices=[device], env={"LC_ALL": "C"})

    within = inside(program("acme_client"), device=device, env={"LC_ALL": "C"})

    assert (within.stdout, within.returncode) == (outside.stdout, 0), within.stderr


NEXT = """
import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
os.set_inheritable(fd, True)
print(len(os.read(fd, 5)), flush=True)
os.execvp("sh", ["sh", "-c", f"head -c 1 <&{fd}; head -c 1 {sys.argv[1]}"])
"""


def test_a_program_that_is_executed_has_the_open_devices_from_the_host_outside(inside: Run, tmp_path: Path) -> None:
    redirected = inside("sh", "-c", "head -c 1 < /dev/counter0; exec head -c 1 < /dev/counter0")
    executed = inside(sys.executable, "-c", NEXT, "/dev/counter0")

    assert (redirected.stdout, redirected.returncode) == ("11", 0), redirected.stderr
    assert (executed.stdout, executed.returncode) == ("1\n12", 0), executed.stderr


def test_options_reach_the_hosts_inside(devshim_run: Run, tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "head -c 1 /dev/counter0; head -c 1 /dev/counter0"
    listing = "import os; os.open('/dev/counter0', os.O_RDONLY); print('kmsg' in os.listdir('/dev'))"
    inside = ["--in-process", "--hide-real", "--log", str(log)]

    logged = devshim_run("sh", "-c", script, devices=[COUNTER], options=inside)
    lines = log.read_text()
    hidden = devshim_run(sys.executable, "-c", listing, devices=[COUNTER], options=inside)

    assert (logged.stdout, logged.stderr) == ("11", "")
    assert lines.count("open(") == lines.count("read(") == 2
    assert hidden.stdout == "False\n", hidden.stderr


def test_a_scenario_is_played_inside(devshim_run: Run, tmp_path: Path) -> None:
    (tmp_path / "devshim.yml").write_text(
        f"version: 1\ndevices:\n  - {{path: /dev/counter0, model: '{MODELS}:Counter'}}\n"
        "scenario:\n  - {at: 0.3, unplug: /dev/counter0}\n"
    )
    script = (
        "import os\ntry:\n    fd = os.open('/dev/counter0', os.O_RDONLY)\n    while True: os.read(fd, 9)\n"
        "except OSError as problem: print(problem.strerror)"
    )

    got = devshim_run(
        sys.executable, "-c", script, options=["--in-process", "-c", str(tmp_path / "devshim.yml")], timeout=60
    )

    assert got.stdout in ("No such device\n", "No such file or directory\n"), got.stderr  # the latter where it was slow


def test_a_trace_answers_inside_and_a_mismatch_fails_the_run(
    devshim_run: Run, devshim_verb: Run, tmp_path: Path
) -> None:
    trace = tmp_path / "counter.trace"
    recorded = devshim_verb("record", "-o", trace, "-d", COUNTER, "--", "head", "-c", "1", "/dev/counter0")
    assert recorded.returncode == 0, recorded.stderr

    same = devshim_run("head", "-c", "1", "/dev/counter0", devices=[f"/dev/counter0={trace}"], options=["--in-process"])
    other = devshim_run(
        "sh", "-c", "echo > /dev/counter0", devices=[f"/dev/counter0={trace}"], options=["--in-process"]
    )

    assert (same.stdout, same.returncode, same.stderr) == ("1", 0, "")
    assert other.returncode == 2 and "mismatch" in other.stderr


@pytest.mark.parametrize("verb", ["record", "replay"])
def test_recordings_are_made_and_replayed_by_a_host_outside_and_that_is_said(devshim_verb: Run, verb: str) -> None:
    words = {"record": ["-o", "x.trace"], "replay": ["x.trace"]}[verb]

    got = devshim_verb(verb, "--in-process", *words, "--", "true")

    assert got.returncode in (2, 125) and got.stderr.count("\n") == 1 and "--in-process" in got.stderr


def test_the_program_s_small_descriptors_are_its_own(inside: Run) -> None:
    script = 'for n in 3 4 5 6 7 8 9; do eval "exec $n<>/dev/counter0"; done; head -c 1 <&3; head -c 1 <&9'

    got = inside("bash", "-c", script)

    assert (got.stdout, got.returncode) == ("12", 0), got.stderr


def test_children_get_devices_from_a_program_that_has_outlived_its_waiter() -> None:
    script = "exec 5<>/dev/counter0; echo begun; read go; (exec 6<>/dev/counter0 && echo opened)"
    command = [*devshim_command(), "run", "--in-process", "-d", COUNTER, "--", "sh", "-c", script]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=devshim_environment(),
    ) as run:
        assert run.stdin
        assert run.stdout
        assert run.stdout.readline() == "begun\n"
        run.kill()
        run.wait()
        said, complaints = run.communicate("go\n", timeout=60)

    assert (said, complaints) == ("opened\n", "")
