"""The Raspberry Pi's ACT light: a GPIO line, so on or off."""

from devshim.devices import PiActLed


def test_more_than_on_is_on():
    light = PiActLed(trigger="none")

    light.set_brightness("255")

    assert light.level == 1


def test_the_card_has_it_until_somebody_takes_it():
    light = PiActLed()

    assert "[mmc0]" in light.offered
    light.set_brightness("0")
    assert "[none]" in light.offered
