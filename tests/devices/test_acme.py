"""The card with ioctls of its own, used by a C program that was written from the vendor's manual."""

import errno

import pytest
from tabletop import Tabletop

from devshim.devices import Acme

EXPECTED = """\
info: 0
DX-8 firmware 103, 8 channels
rate 1001: Numerical result out of range
rate 5: 0
select 8: Invalid argument
select 2: 0
to card: 11
from card: 10
hello| worl
beyond: Bad address
ready before: 0
start: 0
start again: Device or resource busy
wait: 0
conversion 1
ready after: 1
read: 10
2 3300000
unknown: Inappropriate ioctl for device
"""


def test_every_call_of_the_manual_works_from_c(program, devshim_run):
    client = program("acme_client")

    outcome = devshim_run(client, devices=["/dev/acme0=acme,volts=[0,0,3.3,0,0,0,0,0]"], env={"LC_ALL": "C"})

    assert outcome.stdout == EXPECTED
    assert outcome.returncode == 0
    assert "unknown ioctl 0x00007877 on /dev/acme0" in outcome.stderr


def test_a_conversion_takes_its_time_and_is_told_once():
    card = Acme(volts=[1.5] + [0.0] * 7)
    table = Tabletop.plug(card, "/dev/acme0")

    card.start()
    table.advance(0.009)
    assert card.ended == 0
    table.advance(0.002)

    assert (card.wait_irq().value, card.read(2), card.read(100)) == (1, b"0 ", b"1500000\n")
    assert table.wakes == 1
    assert repr(card.wait_irq()) == repr(card.read(100)) == "WAIT"


def test_a_second_start_is_refused_while_one_is_under_way():
    card = Acme()
    table = Tabletop.plug(card, "/dev/acme0")
    card.start()

    with pytest.raises(OSError, match="under way") as caught:
        card.start()
    assert caught.value.errno == errno.EBUSY

    table.advance(1)
    card.start()


def test_two_cards_share_no_memory():
    one, two = Acme(), Acme()

    one.memory[0] = 1
    one.volts[0] = 5.0

    assert (two.memory[0], two.volts[0]) == (0, 0.0)
