"""NXP PCA9633: four lights on I2C, here one of them.  Datasheet: PCA9633 rev. 6.  Driver: leds-pca963x.c."""

from devshim import Led


class Pca9633(Led):
    """A light in 256 steps, by its colour and what it is for: `-d /sys/class/leds/board:red:status=pca9633`."""

    usual_node = "/sys/class/leds/board:red:status"

    triggers = ("none", "timer", "oneshot", "heartbeat", "default-on", "panic")
    platform, driver = "leds-pca963x.0", "leds-pca963x"
