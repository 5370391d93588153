"""The green ACT light of a Raspberry Pi 4 B.  Source: bcm2711-rpi-4-b.dts and drivers/leds/leds-gpio.c of Linux."""

from devshim import Led


class PiActLed(Led):
    """On or off, and on by itself while the SD card is read: `-d /sys/class/leds/ACT=pi_act_led`."""

    usual_node = "/sys/class/leds/ACT"

    max_brightness: int = 1        # a GPIO line knows no more
    trigger: str = "mmc0"

    triggers = ("none", "timer", "oneshot", "heartbeat", "backlight", "default-on", "input", "panic", "mmc0")
    platform, driver = "leds", "leds-gpio"
