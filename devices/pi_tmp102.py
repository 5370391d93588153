"""A TMP102 thermometer on a Raspberry Pi 4, its ALERT pin on GPIO4.  Sources: SBOS397, 8.2; the Pi's pinout, pin 7."""

from devshim import Composite, Function, I2cBus, Line, wire
from devshim.devices.raspberry_pi4 import RaspberryPi4
from devshim.devices.tmp102 import Tmp102


class AlertingTmp102(Tmp102):
    """The chip with its pin: an open drain, which the chip pulls low for an alert, or lets go of with POL = 1."""

    alert_pin = Line(pull="up")
    alerting = False

    @property
    def alert(self) -> bool:
        return self.alerting

    @alert.setter
    def alert(self, active: bool) -> None:
        self.alerting = active
        self.alert_pin = None if active == bool(self.polarity) else 0

    def show_alert(self) -> None:
        super().show_alert()
        self.alert = self.alerting                    # POL may have changed


class PiTmp102(Composite):
    """`-d /dev/i2c-1=pi_tmp102,celsius=30`: the bus, and /dev/gpiochip0 with the header's lines."""

    usual_node = "/dev/i2c-1"

    celsius: float = 21.5          # what the room is when it is plugged

    bus    = Function(lambda: I2cBus(AlertingTmp102(), name="bcm2835 (i2c@7e804000)"))
    header = Function(RaspberryPi4, "/dev/gpiochip*")

    @property
    def sensor(self) -> AlertingTmp102:
        return self.bus.chips[0x48]

    def connected(self) -> None:
        self.sensor.celsius = self.celsius
        self.sensor.measure()
        wire(self.sensor.alert_pin, self.header.line("GPIO4"))
