"""A serial port behind a URL: what the program writes goes there, what comes from there it reads."""

import socket
import time

import pytest
from tabletop import Tabletop

from devshim.model.serial_url import SerialUrl


@pytest.fixture
def far_end():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        yield server


def on_the_table(url: str) -> tuple[SerialUrl, Tabletop]:
    device = SerialUrl(url=url)
    table = Tabletop.plug(device, "/dev/ttyX")
    device._tty = table
    device.is_open = True
    return device, table


def let_pass_until(table: Tabletop, holds) -> None:
    """Move the clock on, tick by tick, while the network does its part in real time."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        table.advance(0.005)
        time.sleep(0.002)


def test_bytes_go_both_ways_over_a_socket(far_end):
    device, table = on_the_table("socket://{}:{}".format(*far_end.getsockname()))
    peer, _ = far_end.accept()
    with peer:
        device.write(b"ping\n")
        assert peer.recv(5, socket.MSG_WAITALL) == b"ping\n"

        peer.sendall(b"pong\n")
        let_pass_until(table, lambda: table.sent == b"pong\n")


def test_a_broken_connection_unplugs_the_device(far_end, monkeypatch):
    _, table = on_the_table("socket://{}:{}".format(*far_end.getsockname()))
    pulled = []
    monkeypatch.setattr(table, "unplug", lambda: pulled.append(True))

    far_end.accept()[0].close()

    let_pass_until(table, lambda: pulled)


def test_a_loop_gives_back_what_is_written_after_settings_were_passed_on():
    device, table = on_the_table("loop://")

    device.configured()
    device.write(b"hello")

    let_pass_until(table, lambda: table.sent == b"hello")
    assert device.port.baudrate == device.baud_rate


def test_a_url_that_cannot_be_reached_is_said_at_once(far_end):
    import serial

    port = far_end.getsockname()[1]
    far_end.close()

    with pytest.raises(serial.SerialException, match="refused"):
        SerialUrl(url=f"socket://127.0.0.1:{port}")
