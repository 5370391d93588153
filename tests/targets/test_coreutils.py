"""Tools of every day on a computed device: what they print of it is what they print of a file with the same content."""

import os

import pytest
from harness import run
from targets.tours import METER, READINGS

# Each is run twice, in a folder with an ordinary file meter0 and in /dev, and must say the same and end with the same.
READING = [
    *("cat meter0", "cat < meter0", "cat -A meter0", "cat meter0 meter0", "cat meter0 - < meter0"),
    *("head -n 2 meter0", "head -c 5 meter0", "head -n -1 meter0", "tail -n 1 meter0", "tail -c 4 meter0"),
    *("tail -c +30 meter0", "tail -n +4 < meter0", "tail -n 1 -q meter0 meter0"),
    *("dd if=meter0 bs=4 count=2 status=none", "dd if=meter0 bs=16 count=3 iflag=fullblock status=none"),
    *("dd if=meter0 bs=8 skip=1 count=1 status=none", "dd ibs=3 obs=100 status=none < meter0"),
    *("dd if=meter0 bs=8 count=1 iflag=nonblock status=none", "dd if=meter0 conv=ucase,swab status=none"),
    *("od -c meter0", "od -An -tx1 -N 4 < meter0", "od -j 8 -N 8 -c meter0", "xxd -l 8 meter0", "xxd -p < meter0"),
    *("hexdump -C -n 8 meter0", "hexdump -c < meter0", "strings -n 5 meter0", "base64 meter0"),
    *(
        "cut -d' ' -f2 meter0",
        "cut -c1 < meter0",
        "sort meter0",
        "sort -k2n < meter0",
        "uniq meter0",
        "shuf meter0 | sort",
    ),
    *("wc -c meter0", "wc -l < meter0", "tr a-z A-Z < meter0", "nl meter0", "tac meter0", "rev meter0"),
    *("fold -w 3 meter0", "paste -s meter0", "paste meter0 meter0", "comm -12 meter0 meter0", "expand meter0"),
    *("fmt meter0", "pr -t meter0", "column meter0", "column -t < meter0", "colrm 3 < meter0", "col < meter0"),
    *("md5sum meter0", "sha256sum < meter0", "cksum meter0", "gzip -c meter0 | zcat", "gzip -c < meter0 | zcat"),
    *("cmp meter0 meter0", "diff meter0 meter0", "sort -r meter0 | diff - meter0", "cmp meter0 /dev/null"),
    *("grep alpha meter0", "grep -c . < meter0", "grep -n -B 1 bravo meter0", "grep nothing meter0"),
    *("sed -n 2p meter0", "sed s/a/A/ < meter0", "sed 1q meter0", "sed -n '$=' meter0"),
    *("awk '{s += $2} END {print s}' meter0", "awk 'NR == 2' < meter0", "mawk '{print $1}' meter0"),
    *("awk 'BEGIN {while ((getline line < \"meter0\") > 0) print line}'", "perl -ne 'print if /br/' meter0"),
    *("xargs -n 2 echo < meter0", "xargs -a meter0 -n 4 echo", "echo meter0 | xargs cat"),
    *("timeout 10 cat meter0", "stdbuf -oL cat meter0", "stdbuf -i0 -o0 cut -c1 meter0", "nice cat meter0"),
    *("env -i cat meter0", "setsid -w cat meter0", "script -qec 'cat meter0' /dev/null", "cat /dev/fd/3 3< meter0"),
    *("cp meter0 $TMP && cat $TMP", "cp --sparse=always meter0 $TMP && cat $TMP", "install meter0 $TMP && cat $TMP"),
    *("split -l 2 meter0 $TMP && cat ${TMP}a?", "cat meter0 | tee $TMP && cat $TMP", "sort -o $TMP meter0; cat $TMP"),
    *("busybox cat meter0", "busybox dd if=meter0 bs=8 count=2", "busybox od -c meter0", "busybox sort < meter0"),
    *("busybox awk '{print $2}' meter0", "busybox sed -n 2p meter0", "busybox tail -n 1 meter0", "busybox xxd meter0"),
    *("busybox grep a1 meter0", "busybox cp meter0 $TMP && cat $TMP", "busybox wc -l < meter0", "busybox cmp meter0 -"),
    *("test -r meter0 -a -w meter0 -a ! -x meter0 -a ! -h meter0", "test -d meter0", "test -t 0 < meter0", "ls meter0"),
    *("realpath --relative-to=. ./meter0", "basename meter0", "ls -d met*", "find meter0 -maxdepth 0 -name 'm*'"),
]

# What can be said of a device alone: what comes out, and the exit code.
OF_A_DEVICE = {
    "stat -c '%F %a %t %s %h' /dev/meter0": ("character special file 666 200 0 1\n", 0),
    "stat -L -c %F /dev/stdin < /dev/meter0": ("character special file\n", 0),
    "ls -l /dev/meter0 | cut -c1-10": ("crw-rw-rw-\n", 0),
    "ls /dev | grep -x meter0": ("meter0\n", 0),
    "ls --file-type -d /dev/mete*": ("/dev/meter0\n", 0),
    "find /dev -xdev -name 'meter*' -type c": ("/dev/meter0\n", 0),
    "find /dev/meter0 -printf '%y %m %s'": ("c 666 0", 0),
    "test -c /dev/meter0": ("", 0),
    "test -S /dev/meter0": ("", 1),
    "test -e /dev/meter1": ("", 1),
    "readlink /proc/self/fd/0 < /dev/meter0": ("/dev/meter0\n", 0),
    "readlink -e /dev/../dev/./meter0": ("/dev/meter0\n", 0),
    "tar c -C / dev/meter0 | tar tv | cut -c1-10": ("crw-rw-rw-\n", 0),
    "tar c -C / dev/meter0 | tar t": ("dev/meter0\n", 0),
    "ln -s /dev/meter0 $TMP && head -n 1 $TMP": ("delta 4\n", 0),
    "tty < /dev/meter0": ("not a tty\n", 1),
    "timeout 0.1 cat /dev/meter0 > /dev/null": ("", 0),
    "echo 100 > /dev/meter0": ("", 0),
    "echo 1000 > /dev/meter0": ("", 1),
    "printf 44 | dd of=/dev/meter0 conv=notrunc status=none": ("", 0),
    "printf 1000 | dd of=/dev/meter0 status=none": ("", 1),
    "echo 101 | tee -a /dev/meter0": ("101\n", 0),
    "echo 1000 | tee /dev/meter0": ("1000\n", 1),
    "seq 102 104 > /dev/meter0": ("", 0),
    "echo 105 > $TMP && cp $TMP /dev/meter0": ("", 0),
    "awk 'BEGIN {print 106 > \"/dev/meter0\"}'": ("", 0),
    "sed -n 'w /dev/meter0' $TMP": ("", 0),
    "flock /dev/meter0 echo locked": ("locked\n", 0),
    "flock -n /dev/meter0 flock -n /dev/meter0 echo twice": ("", 1),
    "truncate -s 0 /dev/meter0": ("", 1),
    "sync /dev/meter0": ("", 1),
    "rm -f /dev/meter0": ("", 1),
    "mv /dev/meter0 $TMP": ("", 1),
    "mknod /dev/meter0 c 1 3": ("", 1),
    "chmod 600 /dev/meter0 && stat -c %a /dev/meter0 && chmod 666 /dev/meter0": ("600\n", 0),
    "touch -d @0 /dev/meter0 && stat -c %Y /dev/meter0": ("0\n", 0),
}
if os.geteuid() == 0:
    OF_A_DEVICE["cp -a /dev/meter0 $TMP; stat -c %F $TMP"] = "character special file\n", 0

# Runs each line of its standard input in a shell of its own, with a fresh name in $TMP, and marks what each says.
SCRIPT = r"""
while IFS= read -r command; do
    TMP=$(mktemp -u "$FOLDER/new-XXXXXX"); export TMP
    case $command in 'sed -n'*w*) echo 107 > "$TMP" ;; esac
    printf '\001%s\002' "$command"
    timeout 20 sh -c "$command" < /dev/null 2> "$FOLDER/errors"
    printf '\003%d' $?
done
"""


def said_by(output):
    """Return what each command printed, and its exit code, by command."""
    found = {}
    for part in output.split("\1")[1:]:
        command, _, rest = part.partition("\2")
        text, _, code = rest.rpartition("\3")
        found[command] = (text, int(code))
    return found


@pytest.fixture(scope="module")
def of_a_file(tmp_path_factory):
    """Return what the commands of READING say of an ordinary file."""
    folder = tmp_path_factory.mktemp("file")
    (folder / "meter0").write_text(READINGS)
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "FOLDER": str(folder)}
    outcome = run(["sh", "-c", SCRIPT], input="\n".join(READING) + "\n", cwd=folder, env=environment)
    return said_by(outcome.stdout)


@pytest.fixture(scope="module")
def of_the_device(devshim_run, tmp_path_factory):
    """Return what the commands of both lists say of the device."""
    folder = tmp_path_factory.mktemp("device")
    lines = "\n".join([*READING, *OF_A_DEVICE]) + "\n"
    environment = {"LC_ALL": "C", "FOLDER": str(folder)}
    outcome = devshim_run("sh", "-c", SCRIPT, devices=[METER], input=lines, cwd="/dev", env=environment)
    return said_by(outcome.stdout)


@pytest.mark.client("xxd", "hexdump", "strings", "mawk", "perl", "cmp", "script", "xargs")
@pytest.mark.parametrize("command", READING)
def test_says_of_a_device_what_it_says_of_a_file(command, of_a_file, of_the_device):
    assert of_the_device[command] == of_a_file[command]


@pytest.mark.parametrize("command", OF_A_DEVICE)
def test_says_of_a_device(command, of_the_device):
    assert of_the_device[command] == OF_A_DEVICE[command]
