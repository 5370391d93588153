"""Recorded with a model and replayed without it: each device of the catalogue, each client that its tests use."""

import re
import sys
from pathlib import Path

import pytest
from clients import clients, require
from harness import ROOT, run_devshim_verb
from recordings import record

I2C, GPIO, SPI, TTY, EVENT = "/dev/i2c-1", "/dev/gpiochip0", "/dev/spidev0.0", "/dev/ttyUSB0", "/dev/input/event0"
IIO, USB = "/dev/iio:device0", "/dev/bus/usb/095/002"
MBPOLL = f"mbpoll -q -b 9600 -P none -t 4 -r 5 {TTY}"

#: What the shell runs on which devices.
COMMANDS = [
    ([f"{I2C}=tmp102,celsius=21.5"], "i2cget -y 1 0x48 0 w"),
    ([f"{I2C}=tmp102,address=0x49"], "i2cdetect -y 1"),
    ([f"{I2C}=tmp102"], "i2cset -y -r 1 0x48 3 0x0032 w"),
    ([f"{I2C}=tmp102"], "i2ctransfer -y 1 w1@0x48 0x01 r2"),
    ([f"{I2C}=tmp102,celsius=80"], "i2cdump -y -r 0-7 1 0x48 w"),
    ([f"{I2C}=bme280,address=0x77"], "i2cget -y 1 0x77 0xd0"),
    ([f"{I2C}=bme280"], "i2ctransfer -y 1 w1@0x76 0xf7 r8"),
    ([f"{I2C}=bme280"], "i2cdump -y 1 0x76 b"),
    ([f"{I2C}=at24c02"], "i2ctransfer -y 1 w1@0x50 0 r16"),
    ([f"{I2C}=at24c02"], "i2cset -y 1 0x50 0x20 0x64 0x65 0x76 i; sleep 0.01; i2cdump -y -r 0x20-0x2f 1 0x50 b"),
    ([f"{I2C}=pca9536", f"{I2C}=pca9536,address=0x42"], "i2cset -y 1 0x41 1 0xf5; i2cget -y 1 0x42 1"),
    ([f"{I2C}=pi_tmp102"], "i2cdetect -l; i2cget -y 1 0x48 0 w; gpioget gpiochip0 4"),
    ([f"{GPIO}=gpio_panel,press_every=0.05"], "gpiofind LAMP; gpiomon -n 2 --format=%e $(gpiofind BUTTON)"),
    ([f"{GPIO}=gpio_panel"], "gpioget gpiochip0 3 4; gpioset gpiochip0 17=1; gpioget gpiochip0 17"),
    ([f"{GPIO}=gpio_panel"], "gpioset gpiochip0 18=1; gpioget gpiochip0 18"),
    ([f"{GPIO}=raspberry_pi4"], "gpiodetect; gpiofind GPIO27; gpioinfo gpiochip0"),
    ([f"{GPIO}=raspberry_pi4"], "gpioset gpiochip0 42=1"),
    ([f"{SPI}=mcp3008,ch0=1.65"], rf"printf '\001\200\000' | spi-pipe -d {SPI} -s 1000000 -b 3 -n 1 | xxd -p"),
    ([f"{SPI}=mcp3008"], f"spi-config -d {SPI} -q"),
    ([f"{SPI}=w25q128"], rf"printf '\237\0\0\0' | spi-pipe -d {SPI} -b 4 -n 1 | xxd -p"),
    ([f"{SPI}=w25q128"], f"flashrom -p linux_spi:dev={SPI}"),
    ([f"{TTY}=gps,period=0.05"], f"head -n 4 {TTY}"),
    ([f"{TTY}=gps,period=0.05"], f"stty -F {TTY} raw; dd if={TTY} bs=1 count=7 2>/dev/null"),
    ([f"{TTY}=gps,period=0.1"], f'exec 3<>{TTY}; stty raw -echo <&3; read -r line <&3; echo "${{line%%,*}}"'),
    ([f"{TTY}=gps"], f"stty -F {TTY} -a"),
    ([f"{TTY}=modem,signal=11"], f"printf 'AT+CSQ\\r' | picocom -q -b 115200 --exit-after 300 {TTY}"),
    ([f"{TTY}=modbus_meter,units=2"], f"mbpoll -a 1 -t 3:float -B -r 1 -c 1 -1 -b 9600 -P none {TTY}"),
    ([f"{TTY}=modbus_meter,units=2"], f"{MBPOLL} -a 1 17 34; {MBPOLL} -a 2 51; {MBPOLL} -a 1 -c 2 -1"),
    ([f"{TTY}=modbus_meter"], f"mbpoll -a 1 -t 4 -r 100 -c 2 -1 -b 9600 -P none {TTY}"),
    ([f"{TTY}=modbus_meter"], f"mbpoll -a 9 -t 4 -r 1 -c 1 -1 -o 0.2 -b 9600 -P none {TTY}"),
    ([f"{EVENT}=xbox360"], f"evtest --query {EVENT} EV_KEY BTN_SOUTH"),
    ([f"{EVENT}=xbox360"], "jscal -p /dev/input/js0"),
    ([f"{EVENT}=k120"], f"evtest --query {EVENT} EV_LED LED_CAPSL"),
    ([f"{EVENT}=m105,drift=0.01"], "od -An -tx1 -N9 /dev/input/mice"),
    ([f"{EVENT}=gt911"], f"evemu-describe {EVENT}"),
    (["/dev/hidraw0=usb_relay"], "usbrelay BITFT_2=1; usbrelay; usbrelay BITFT_0=DESK1; usbrelay 2>/dev/null"),
    ([f"{IIO}=ads1015,volts0=1.25"], "iio_readdev -b 4 -s 4 iio:device0 voltage0 | xxd -p"),
    ([f"{IIO}=adxl345"], "iio_readdev -b 4 -s 8 iio:device0 | xxd -p"),
    ([f"{USB}=stm32_dfu"], "dfu-util -l"),
    ([f"{USB}=stm32_dfu"], "lsusb -v -d 0483:df11"),
    ([f"{USB}=usbasp"], "avrdude -qq -c usbasp -p m328p -U lfuse:r:-:h -U signature:r:-:h"),
    (["/dev/rtc0=cmos_rtc"], "hwclock --param-get features; cat /sys/class/rtc/rtc0/name"),
    (["/dev/watchdog0=itco_wdt"], "wdctl -s 60 /dev/watchdog0"),
    (["/dev/lirc0=mceusb,period=0.1"], "ir-ctl -1 -r -d /dev/lirc0; ir-ctl -d /dev/lirc0 -S nec:0x1234"),
    (["/dev/mtd0=mt29f1g08"], "mtdinfo /dev/mtd0; nanddump -q -l 2048 /dev/mtd0 | md5sum; flash_erase /dev/mtd0 0 1"),
    (["/sys/class/hwmon/hwmon0=nct6775"], "sensors"),
    (["/sys/class/hwmon/hwmon0=lm75,celsius=31"], "sensors"),
    (["/sys/class/leds/ACT=pi_act_led"], "brightnessctl -d ACT info; brightnessctl -d ACT set 1"),
    (["/sys/class/leds/board:red:status=pca9633"], "brightnessctl -d board:red:status info"),
    (["/sys/class/pwm/pwmchip0=bcm2711_pwm"], "ls /sys/class/pwm; cat /sys/class/pwm/pwmchip0/npwm"),
    (["/sys/class/pwm/pwmchip0=pca9685"], "cat /sys/class/pwm/pwmchip0/npwm; readlink /sys/class/pwm/pwmchip0"),
    (["/sys/class/backlight/intel_backlight=intel_backlight"], "brightnessctl info"),
    (["/sys/class/backlight/10-0045=rpi_touch_display"], "brightnessctl set 50%; brightnessctl info"),
    ([f"{I2C}=tmp102", f"{GPIO}=gpio_panel"], "i2cget -y 1 0x48 0 w; gpioinfo gpiochip0 | head -n 3"),
]  # fmt: skip

#: A part that waits for another: the threshold that one program sets ends another one's wait for an edge.
ALERT = """
exec 3< <(gpiomon --num-events=1 --falling-edge --format=%o gpiochip0 4)
while [ "$(gpioinfo gpiochip0 | grep -c 'GPIO4.*gpiomon')" = 0 ]; do :; done
i2cset -y 1 0x48 3 0x0014 w
read -u 3 line; echo edge on $line
"""
TYPED = """
exec 3<>/dev/ttyACM0 4</dev/hidraw0; stty raw -echo <&3
coproc evtest /dev/input/event0
while read -u ${COPROC[0]} line; do [[ $line == Testing* ]] && break; done
echo 'layout.write("Hi")' >&3
head -c 54 <&4 | xxd -p -c 9
for _ in 1 2 3 4 5 6; do
    while read -u ${COPROC[0]} line; do [[ $line == *EV_KEY* ]] && break; done
    echo ${line##*code}
done
kill $COPROC_PID
"""
BASH = [([f"{I2C}=pi_tmp102,celsius=30"], ALERT), (["/dev/ttyACM0=pico_circuitpython"], TYPED)]

SCPI = f"""
import serial
with serial.Serial({TTY!r}, 9600, timeout=5) as supply:
    for line in ["*IDN?", "VOLT 3.3;", "VOLT?", "OUTP ON", "OUTP?", "*RST", "VOLTAGE?", "SYST:ERR?"]:
        supply.write(line.encode() + b"\\n")
        if "?" in line:
            print(line, supply.readline())
"""
NMEA = f"""
import serial
with serial.Serial({TTY!r}, 9600, timeout=5) as port:
    print(port.readline())
    port.write(b"$PMTK605*31\\r\\n")
    while not (line := port.readline()).startswith(b"$PMTK"):
        pass
    print(line)
"""
MESSAGE = f"""
import serial
with serial.Serial({TTY!r}, 115200, timeout=5) as port:
    for words, end in [(b"ATE0\\r", b"OK\\r\\n"), (b"AT+CMGF=1\\r", b"OK\\r\\n"), (b'AT+CMGS="+491"\\r', b"> ")]:
        port.write(words); print(port.read_until(end))
    port.write(b"on its way\\x1a")
    print(port.read_until(b"OK\\r\\n"), port.cd, port.cts)
"""
MODBUS = f"""
import minimalmodbus
first, second = (minimalmodbus.Instrument({TTY!r}, unit) for unit in (1, 2))
first.write_register(7, 4321); second.write_bit(3, 1)
print(first.read_float(0, functioncode=4), first.read_register(7), second.read_register(7), second.read_bit(3, 1))
"""
PATIENT = """
import smbus2
bus, refused = smbus2.SMBus(1), 0
for at, byte in enumerate(b"patient"):
    while True:
        try:
            bus.write_byte_data(0x50, at, byte)
            break
        except OSError:
            refused += 1
print(refused > 0)
"""
WEATHER = """
import bme280, smbus2
bus = smbus2.SMBus(1)
data = bme280.sample(bus, 0x76, bme280.load_calibration_params(bus, 0x76))
print(data.temperature, data.humidity, data.pressure)
"""
CONVERT = """
import spidev
spi = spidev.SpiDev(0, 0)
spi.max_speed_hz = 1_000_000
print([spi.xfer2([1, (8 + channel) << 4, 0]) for channel in (0, 7)])
"""
KEYS = f"""
import evdev
keyboard = evdev.InputDevice({EVENT!r})
keyboard.set_led(evdev.ecodes.LED_NUML, 1)
keys = (event for event in keyboard.read_loop() if event.type == evdev.ecodes.EV_KEY)
print(keyboard.name, [(key.code, key.value) for _, key in zip(range(4), keys)])
"""
RUMBLE = f"""
import evdev
from evdev import ecodes, ff
pad = evdev.InputDevice({EVENT!r})
kind = ff.EffectType(ff_rumble_effect=ff.Rumble(strong_magnitude=0xffff, weak_magnitude=0))
effects = [ff.Effect(ecodes.FF_RUMBLE, -1, 0, ff.Trigger(0, 0), ff.Replay(100, 0), kind) for _ in range(3)]
print([pad.upload_effect(effect) for effect in effects])
print(pad.absinfo(ecodes.ABS_RX))
"""
RELAY = """
import hidraw
board = hidraw.device()
board.open(0x16c0, 0x05df)
print(board.send_feature_report([0, 0xff, 2, 0, 0, 0, 0, 0, 0]), bytes(board.get_feature_report(0, 9)))
"""
THREADS = """
import smbus2
from concurrent.futures import ThreadPoolExecutor
def read(number):
    with smbus2.SMBus(1) as bus:
        return [bus.read_word_data(0x48, (number + step) % 4) for step in range(50)]
print(*ThreadPoolExecutor(4).map(read, range(4)))
"""
PORTS = """
import serial, serial.tools.list_ports as ports
found = [(port.device, port.hwid) for port in ports.comports()]
print(found, serial.Serial(found[0][0]).get_settings())
"""

#: Python programs, each with the package that it needs.
PYTHON = [
    ([f"{I2C}=tmp102", f"{I2C}=tmp102,address=0x49,celsius=20"], "smbus2",
     "import smbus2; bus = smbus2.SMBus(1); print([bus.read_byte_data(at, 0) for at in (0x48, 0x49)])"),
    ([f"{I2C}=at24c02"], "smbus2", PATIENT),
    ([f"{I2C}=tmp102"], "smbus2", THREADS),
    ([f"{I2C}=bme280,celsius=-3.5"], "bme280", WEATHER),
    ([f"{SPI}=mcp3008,ch0=1.65,ch7=0.825"], "spidev", CONVERT),
    ([f"{TTY}=bench_supply,limit=12"], "serial", SCPI),
    ([f"{TTY}=gps,period=0.05"], "serial", NMEA),
    ([f"{TTY}=modem"], "serial", MESSAGE),
    ([f"{TTY}=modbus_meter,units=2"], "minimalmodbus", MODBUS),
    (["/dev/ttyACM0=pico_circuitpython"], "serial", PORTS),
    ([f"{EVENT}=k120,text=hi,pause=0.005"], "evdev", KEYS),
    ([f"{EVENT}=xbox360"], "evdev", RUMBLE),
    (["/dev/hidraw0=usb_relay,board=TEST1"], "hidraw", RELAY),
    (["/dev/hidraw1=temper,celsius=-3.25"], "temper", "import temper; print(temper.Temper().read(True))"),
]  # fmt: skip


def names(cases: list[tuple[list[str], str]]) -> list[str]:
    return [f"{model(devices[0])}-{re.split(r'[^a-z0-9-]', script.lstrip())[0]}" for devices, script in cases]


def model(device: str) -> str:
    """The model's name in a spec."""
    return re.split("[=,]", device)[1]


def require_those_of(script: str) -> None:
    for word in set(re.findall(r"[\w.-]+", script)):
        if word in clients():
            require(word)


def compare(folder: Path, devices: list[str], *program: str | Path) -> str:
    """Record a program with models, replay it without them; what it printed, which must be the same."""
    trace = folder / "case.trace"
    recorded = record(trace, *program, devices=devices, options=["--snapshot", "--hide-real"])
    replayed = run_devshim_verb("replay", trace, "--hide-real", "--fail-on-unused", "--", *program)
    assert (replayed.stdout, replayed.returncode) == (recorded.stdout, recorded.returncode), replayed.stderr
    told = [line for line in replayed.stderr.splitlines() if line.startswith("devshim:")]
    assert [line for line in told if not line.endswith("the replay waits there")] == []
    return recorded.stdout + recorded.stderr


@pytest.mark.parametrize(("devices", "script"), COMMANDS, ids=names(COMMANDS))
def test_a_command_gets_the_same_from_the_recording(devices: list[str], script: str, tmp_path: Path) -> None:
    require_those_of(script)

    assert compare(tmp_path, devices, "sh", "-c", script)


@pytest.mark.parametrize(("devices", "script"), BASH, ids=names(BASH))
def test_programs_that_wait_for_each_other_get_the_same(devices: list[str], script: str, tmp_path: Path) -> None:
    require_those_of(script)

    assert compare(tmp_path, devices, "bash", "-c", script)


@pytest.mark.parametrize(
    ("devices", "package", "script"), PYTHON, ids=[f"{model(one[0][0])}-{one[1]}" for one in PYTHON]
)
def test_a_python_program_gets_the_same(devices: list[str], package: str, script: str, tmp_path: Path) -> None:
    pytest.importorskip(package)

    assert compare(tmp_path, devices, sys.executable, "-c", script)


def test_a_vendors_client_gets_the_same(tmp_path: Path, program) -> None:  # type: ignore[no-untyped-def]
    assert compare(tmp_path, ["/dev/acme0=acme,volts=[0,0,3.3,0,0,0,0,0]"], program("acme_client"))


def test_the_whole_catalogue_is_here() -> None:
    catalogue = {path.stem for path in (ROOT / "devices").iterdir() if path.suffix in (".py", ".yml")} - {"__init__"}
    lists = [devices for devices, _ in COMMANDS + BASH] + [devices for devices, _, _ in PYTHON]

    assert {model(device) for devices in lists for device in devices} | {"acme"} == catalogue
