"""The NAND chip, with the programs of mtd-utils: writes, dumps, erasing; bad blocks; bits that only erasing sets."""

import os

import pytest
from harness import run_devshim

from devshim.devices import Mt29f1g08
from devshim.devices.mt29f1g08 import BLOCK, OOB, PAGE

NODE = "/dev/mtd0"
SMALL = [f"{NODE}=mt29f1g08,blocks=8,bad=[1]"]


@pytest.mark.client("mtdinfo")
def test_mtdinfo_shows_the_chip():
    outcome = run_devshim("mtdinfo", NODE, devices=[f"{NODE}=mt29f1g08"], env={"LC_ALL": "C"})

    shown = {key: value.strip() for key, colon, value in (line.partition(":") for line in outcome.stdout.splitlines())}
    assert shown["Amount of eraseblocks"] == "1024 (134217728 bytes, 128.0 MiB)"
    assert (shown["Type"], shown["OOB size"], shown["Sub-page size"]) == ("nand", "64 bytes", "512 bytes")
    assert shown["Character device major/minor"] == "90:0"
    assert shown["Bad blocks are allowed"] == "true"


@pytest.mark.client("nandwrite", "nanddump")
def test_what_is_written_around_a_bad_block_is_dumped_again(tmp_path):
    (tmp_path / "image").write_bytes(os.urandom(BLOCK + 3000))
    script = f"nandwrite -q -p {NODE} image && nanddump -q --bb=skipbad -f dump -l {2 * BLOCK} {NODE}"

    outcome = run_devshim("sh", "-c", script, devices=SMALL, cwd=tmp_path)

    assert outcome.returncode == 0, outcome.stderr
    assert (tmp_path / "dump").read_bytes().startswith((tmp_path / "image").read_bytes())


@pytest.mark.client("ubiformat", "nanddump")
def test_ubiformat_writes_its_headers_to_good_blocks_alone():
    script = f"ubiformat -q -y {NODE} && nanddump -q -o --bb=dumpbad -l {2 * BLOCK} {NODE}"

    outcome = run_devshim("sh", "-c", f"{script} | od -An -c", devices=SMALL)

    assert outcome.stderr == ""
    assert outcome.stdout.split("\n")[0].split()[:4] == ["U", "B", "I", "#"]


@pytest.mark.client("flash_erase")
def test_flash_erase_leaves_bad_blocks_alone(devshim):
    chip = devshim.plug(NODE, Mt29f1g08(blocks=4, bad=[2]))
    for block in (0, 2, 3):
        chip.program(block * BLOCK // PAGE + 1, bytes(PAGE))

    devshim.run("flash_erase", NODE, "0", "3")

    assert [chip.data(block * BLOCK + PAGE, 1) for block in range(4)] == [b"\xff", b"\xff", b"\0", b"\0"]


def test_bits_are_cleared_by_writing_and_set_by_erasing(devshim):
    chip = devshim.plug(NODE, Mt29f1g08(blocks=4))
    fd = os.open(NODE, os.O_RDWR)

    for byte in (0xF0, 0x3C):
        os.pwrite(fd, bytes([byte]) * PAGE, PAGE)
    assert os.pread(fd, 2, 2 * PAGE - 1) == b"\x30\xff"
    chip.erase(0, BLOCK)
    assert os.pread(fd, 1, PAGE) == b"\xff"
    os.close(fd)


def test_less_than_a_subpage_cannot_be_written(devshim):
    devshim.plug(NODE, Mt29f1g08(blocks=4))
    with open(NODE, "wb", buffering=0) as node, pytest.raises(OSError, match="Invalid argument"):
        node.write(bytes(OOB))
