"""The GPIO header of a Raspberry Pi 4 B.  Datasheet: BCM2711 ARM Peripherals, 5; names: rpi_SCH_4b_4p0_reduced.

Board: Documentation/devicetree/bindings/arm/bcm/bcm2835.yaml; its revision codes are told at raspberrypi.com.
"""

from devshim import GpioChip, Line, Link

TREE = "/sys/firmware/devicetree/base"

HEADER = ("ID_SDA", "ID_SCL", *(f"GPIO{number}" for number in range(2, 28)))
INSIDE = (
    "RGMII_MDIO", "RGMII_MDC", "CTS0", "RTS0", "TXD0", "RXD0",                             # 28: Ethernet, Bluetooth
    "SD1_CLK", "SD1_CMD", "SD1_DATA0", "SD1_DATA1", "SD1_DATA2", "SD1_DATA3",              # 34: WLAN
    "PWM0_MISO", "PWM1_MOSI", "STATUS_LED_G_CLK", "SPIFLASH_CE_N", "SDA0", "SCL0",         # 40: audio, LED, flash
    "RGMII_RXCLK", "RGMII_RXCTL", "RGMII_RXD0", "RGMII_RXD1", "RGMII_RXD2", "RGMII_RXD3",  # 46: Ethernet
    "RGMII_TXCLK", "RGMII_TXCTL", "RGMII_TXD0", "RGMII_TXD1", "RGMII_TXD2", "RGMII_TXD3",        # 52
)


class RaspberryPi4(GpioChip):
    """The SoC's 58 lines, of which 0 to 27 are on the header: `pi.line("GPIO17").value = 1`, or `pi.lines[17]`."""

    label: str = "pinctrl-bcm2711"
    revision: int = 0xC03115     # of the board, as it tells it: new style, 4 GB, Sony UK, BCM2711, 4B, 1.5

    line_names  = HEADER + INSIDE
    line_biases = ("up",) * 9 + ("down",) * 19                   # after reset: 5.3, column "Pull"

    act = Line(42, "STATUS_LED_G_CLK", used="ACT", output=True)  # the green LED, which the kernel's leds-gpio drives

    def surroundings(self, node, major, minor):
        """The device tree, too, by which gpiozero and its kin find out which board they are on."""
        board = {
            "model": b"Raspberry Pi 4 Model B Rev 1.%d\0" % (self.revision & 15),
            "compatible": b"raspberrypi,4-model-b\0brcm,bcm2711\0",
            "system/linux,revision": self.revision.to_bytes(4, "big"),
        }
        tree = {f"{TREE}/{name}": content for name, content in board.items()}
        return {**super().surroundings(node, major, minor), "/proc/device-tree": Link(TREE), **tree}
