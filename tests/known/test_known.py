"""Which requests are known of which node, and that the shim and a trace can make use of every one."""

import json

import pytest

from devshim.host.table import compile_table
from devshim.known import descriptions, find_for, for_node, modules
from devshim.trace.description import from_object, to_object


@pytest.mark.parametrize(
    ("path", "kind", "rdev", "request_number", "name"),
    [
        ("/dev/ttyUSB0", "tty", (188, 0), 0x5401, "TCGETS"),
        ("/dev/anything", "tty", (0, 0), 0x5415, "TIOCMGET"),
        ("/dev/i2c-1", "char", (89, 1), 0x0720, "I2C_SMBUS"),
        ("/dev/bus7", "char", (89, 1), 0x0707, "I2C_RDWR"),
        ("/dev/spidev0.1", "char", (153, 1), 0x40406B00, "SPI_IOC_MESSAGE"),
        ("/dev/gpiochip0", "char", (254, 0), 0xC250B407, "GPIO_V2_GET_LINE_IOCTL"),
        ("/dev/input/event3", "char", (13, 67), 0x80604523, "EVIOCGBIT"),
        ("/dev/uinput", "char", (10, 223), 0x5501, "UI_DEV_CREATE"),
        ("/dev/hidraw0", "char", (243, 0), 0xC0084807, "HIDIOCGFEATURE"),
        ("/dev/sda", "block", (8, 0), 0x80081272, "BLKGETSIZE64"),
        ("/dev/sda", "block", (8, 0), 0x2285, "SG_IO"),
        ("/dev/sr0", "block", (11, 0), 0x5326, "CDROM_DRIVE_STATUS"),
        ("/dev/loop0", "block", (7, 0), 0x4C05, "LOOP_GET_STATUS64"),
        ("/dev/nvme0n1", "block", (259, 0), 0xC0484E41, "NVME_IOCTL_ADMIN_CMD"),
        ("/dev/nvme0n1", "block", (259, 0), 0x1268, "BLKSSZGET"),
        ("/dev/video0", "char", (81, 0), 0x80685600, "VIDIOC_QUERYCAP"),
        ("/dev/media0", "char", (510, 0), 0xC0487C04, "MEDIA_IOC_G_TOPOLOGY"),
        ("/dev/mtd0", "char", (90, 0), 0x80204D01, "MEMGETINFO"),
        ("/dev/ipmi0", "char", (240, 0), 0xC030690B, "IPMICTL_RECEIVE_MSG_TRUNC"),
        ("/dev/rtc0", "char", (253, 0), 0x80247009, "RTC_RD_TIME"),
        ("/dev/watchdog", "char", (10, 130), 0x80285700, "WDIOC_GETSUPPORT"),
        ("/dev/lirc0", "char", (251, 0), 0x80046900, "LIRC_GET_FEATURES"),
        ("/dev/net/tun", "char", (10, 200), 0x400454CA, "TUNSETIFF"),
        ("/dev/urandom", "char", (1, 9), 0x80045200, "RNDGETENTCNT"),
        ("/dev/kvm", "char", (10, 232), 0xAE01, "KVM_CREATE_VM"),
        ("/dev/snd/controlC0", "char", (116, 0), 0x81785501, "SNDRV_CTL_IOCTL_CARD_INFO"),
        ("/dev/bus/usb/001/002", "char", (189, 1), 0xC0185500, "USBDEVFS_CONTROL"),
        ("/dev/fb0", "char", (29, 0), 0x4600, "FBIOGET_VSCREENINFO"),
        ("/dev/iio:device0", "char", (249, 0), 0xC0046991, "IIO_BUFFER_GET_FD_IOCTL"),
    ],
)
def test_a_node_tells_what_its_requests_are(path, kind, rdev, request_number, name):
    found = find_for(path, kind, rdev).find(request_number)

    assert found is not None
    assert found.label == name


def test_nothing_is_known_of_a_strangers_node():
    assert for_node("/dev/acme0", "char", (511, 0)) == []


@pytest.mark.parametrize("module", modules())
def test_the_shim_can_follow_every_description(module):
    table = compile_table(descriptions(module))

    assert len(table) > 16


@pytest.mark.parametrize("module", modules())
def test_a_trace_can_carry_every_description(module):
    for one in descriptions(module):
        shown = json.loads(json.dumps(to_object(one)))
        read = from_object(shown)

        assert to_object(read) == shown
        assert (read.matches, read.access, read.place, read.new_file) == (
            one.matches,
            one.access,
            one.place,
            one.new_file,
        )
        assert compile_table([read]) == compile_table([one])


def test_requests_that_make_descriptors_say_so():
    made = {one.label for module in modules() for one in descriptions(module) if one.new_file or one.place is not None}

    assert {"KVM_CREATE_VM", "KVM_CREATE_VCPU", "KVM_CREATE_DEVICE", "TIOCGPTPEER", "VIDIOC_EXPBUF"} <= made
    assert {"GPIO_V2_GET_LINE_IOCTL", "IIO_BUFFER_GET_FD_IOCTL", "MEDIA_IOC_REQUEST_ALLOC"} <= made
