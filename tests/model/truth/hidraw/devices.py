"""The devices behind the transcripts of this folder: QEMU's keyboard, mouse, tablet and PenPartner, and a gadget."""

from devshim import Hidraw


class Qemu(Hidraw):
    vendor_id: int = 0x0627
    product_id: int = 0x0001
    release: int = 0
    manufacturer: str = "QEMU"


class Keyboard(Qemu):
    product: str = "QEMU USB Keyboard"
    serial: str = "68284-0000:00:04.0-2"
    report_descriptor = bytes.fromhex(
        "05010906a101 75019508050719e029e715002501 8102 95017508 8101 9505750105081901 2905 9102 95017503 9101"
        "95067508150025ff05071900 29ff 8100 c0"
    )


class Mouse(Qemu):
    product: str = "QEMU USB Mouse"
    serial: str = "89126-0000:00:04.0-3"
    report_descriptor = bytes.fromhex(
        "05010902a1010901a100 050919012905150025019505 7501 8102 95017503 8101"
        "0501093009310938 1581257f 75089503 8106 c0c0"
    )


class Tablet(Qemu):
    product: str = "QEMU USB Tablet"
    serial: str = "28754-0000:00:04.0-4.1"
    report_descriptor = bytes.fromhex(
        "05010902a1010901a100 050919012903150025019503 7501 8102 95017505 8101"
        "050109300931150026ff7f350046ff7f75109502 8102 05010938 1581257f 35004500 75089501 8106 c0c0"
    )


class PenPartner(Qemu):
    vendor_id: int = 0x056A
    product_id: int = 0x0000
    release: int = 0x4210
    product: str = "Wacom PenPartner"
    serial: str = "1-0000:00:04.0-4.2"
    report_descriptor = bytes.fromhex(
        "05010902a1018501 0901a100 050919012903150025019503 7501 8102 95017505 8101"
        "0501093009310938 1581257f 75089503 8106 9503 8101 c0c0"
        "050d0901a1018502 a1000600ff0901150026ff0075089507 8102 c0"
        "09018563 9507 8102 09018502 9501 b102 09018503 9501 b102 c0"
    )


class Reference(Hidraw):
    vendor_id: int = 0x1209
    product_id: int = 0x0001
    release: int = 0x0601
    manufacturer: str = "RefCo"
    product: str = "Ref HID"
    serial: str = "REFHID01"
    report_descriptor = bytes.fromhex("06d0f10901a101 0920150026ff0075089540 8102 0921150026ff0075089540 9102 c0")

    def output(self, report):
        """The other end of the gadget listens, and says nothing."""
