"""What is told of requests that no model answers: by the name that the kernel's headers have, ready to paste."""

import pytest
from harness import run_devshim

DISK = """
from ctypes import c_uint8
from devshim import Device

class Disk(Device):
    pass
"""


@pytest.mark.client("sg_inq")
def test_a_request_whose_number_says_nothing_of_its_argument_is_told_with_it(tmp_path):
    model = tmp_path / "disk.py"
    model.write_text(DISK)
    outcome = run_devshim("sg_inq", "/dev/sg0", devices=[f"/dev/sg0={model}"])
    head, *stub = outcome.stderr[outcome.stderr.index("devshim: ") :].splitlines()

    assert head == "devshim: unknown ioctl SG_IO 0x00002285 on /dev/sg0 (read and write, '\"', 133); add:"
    assert stub == ['  @ioctl(0x2285, c_uint8 * 88, access="rw")', "  def sg_io(self, argument): ..."]

    model.write_text(DISK.replace("Device\n", "Device, ioctl\n").replace("    pass\n", "\n".join(stub)))
    outcome = run_devshim("sg_inq", "/dev/sg0", devices=[f"/dev/sg0={model}"])
    assert "unknown ioctl" not in outcome.stderr


@pytest.mark.client("wdctl")
def test_a_request_whose_number_tells_all_has_its_name(tmp_path):
    (tmp_path / "dog.py").write_text("from devshim import Device\nclass Dog(Device): ...\n")
    outcome = run_devshim("wdctl", "/dev/watchdog0", devices=[f"/dev/watchdog0={tmp_path}/dog.py"])

    assert (
        "unknown ioctl WDIOC_GETSUPPORT 0x80285700 on /dev/watchdog0 (read, 'W', 0, 40 bytes); add:" in outcome.stderr
    )
    assert "  def wdioc_getsupport(self): ...\n" in outcome.stderr
