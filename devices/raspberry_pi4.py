"""The GPIO header of a Raspberry Pi 4 B.  Datasheet: BCM2711 ARM Peripherals, 5; names: rpi_SCH_4b_4p0_reduced."""

from devshim import GpioChip, Line

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

    line_names  = HEADER + INSIDE
    line_biases = ("up",) * 9 + ("down",) * 19                   # after reset: 5.3, column "Pull"

    act = Line(42, "STATUS_LED_G_CLK", used="ACT", output=True)  # the green LED, which the kernel's leds-gpio drives
