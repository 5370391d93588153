#!/bin/sh
# demo.sh: unmodified programs use devices that exist only in Python. `make demo` runs it.

set -u
cd "$(dirname "$0")" || exit 1
failed=0

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    title=$(printf '\033[1;36m') word=$(printf '\033[1m') dim=$(printf '\033[2m') end=$(printf '\033[0m')
else
    title='' word='' dim='' end=''
fi

scene() { printf '\n%s%s%s\n%s\n' "$title" "$1" "$end" "$2"; }
say()   { printf '  %s%s%s\n' "$dim" "$1" "$end"; }

# Show a command as a user would type it, run it, show what it printed.
try() {
    printf '\n  %s$ %s%s\n' "$word" "$1" "$end"
    { eval "$1" 2>&1; echo $? >"$code"; } | sed 's/^/    /'
    [ "$(cat "$code")" = 0 ] || { failed=1; say "(it ended with $(cat "$code"), which is not what this demo expects)"; }
}

code=$(mktemp) || exit 1
trap 'rm -f "$code"' EXIT

scene '1. A GPS on a serial port' \
'   A pyserial program reads /dev/ttyUSB0. The GPS is the class Gps in devices/gps.py.'
say "on this machine: $(ls -d /dev/ttyUSB0 2>/dev/null || echo 'no /dev/ttyUSB0 at all')"
try 'devshim run -d /dev/ttyUSB0=gps,latitude=48.8584,longitude=2.2945 -- python3 read_gps.py /dev/ttyUSB0 2'

scene '2. The same port, asked by the system'"'"'s own tools' \
'   stty sets and reads the baud rate and parity, which a pseudo-terminal could not keep.'
try 'devshim run -d /dev/ttyUSB0=gps -- sh -c "ls -l /dev/ttyUSB0; stty -F /dev/ttyUSB0 19200 parenb; stty -F /dev/ttyUSB0 | head -n 1"'

scene '3. Chips on an I2C bus' \
'   A TMP102 at 21.5 °C and an EEPROM on one bus; state is shared by all programs of a run.'
if command -v i2cget >/dev/null; then
    try 'devshim run -d /dev/i2c-1=tmp102 -d /dev/i2c-1=at24c02 -- i2cdetect -y 1'
    say '48 is the sensor, 50 the EEPROM. 21.5 °C is 0x158 steps of 1/16 °C; i2cget shows the bytes swapped:'
    try 'devshim run -d /dev/i2c-1=tmp102,celsius=21.5 -- i2cget -y 1 0x48 0x00 w'
    try 'devshim run -d /dev/i2c-1=at24c02 -- sh -c "i2cset -y 1 0x50 0x10 0xca; sleep 0.1; i2cget -y 1 0x50 0x10"'
else
    say 'i2c-tools are not installed (apt-get install i2c-tools, or make clients): smbus2 reads the sensor instead'
    say '21.5 °C is 0x158 steps of 1/16 °C, left-justified in two bytes, lowest first:'
    try 'devshim run -d /dev/i2c-1=tmp102,celsius=21.5 -- python3 read_tmp102.py'
fi

scene '4. What happened' \
'   The same with -v: every call that reached a model, as strace would show it.'
if command -v i2cget >/dev/null; then
    try 'devshim run -v -d /dev/i2c-1=tmp102,celsius=80 -- i2cget -y 1 0x48 0x00 w'
else
    try 'devshim run -v -d /dev/i2c-1=tmp102,celsius=80 -- python3 read_tmp102.py'
fi

if [ "$failed" = 0 ]; then
    printf '\n%sNone of these programs was changed, and none of these devices exists.%s\n' "$title" "$end"
    echo 'README.md goes on from here; devices/README.md tells how to write one.'
fi
exit "$failed"
