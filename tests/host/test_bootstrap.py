"""The run's sockets: what becomes a carrier, and who is not answered any more."""

import errno
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devshim import Device
from devshim.host import wire
from devshim.host.host import Host
from devshim.host.log import Log

NODE = "/dev/counted0"


class Counted(Device):
    """Counts how often it was opened."""

    opened = 0

    def open(self, flags: int) -> Any:
        """Count."""
        self.opened += 1
        return self


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A host that answers, with a device at NODE."""
    host = Host(str(tmp_path), None, Log())
    with host.lock:
        host.plug(NODE, Counted())
    host.start()
    loop = threading.Thread(target=host.loop.run)
    loop.start()
    yield host
    host.stop()
    host.loop.stop()
    loop.join()
    host.release()


def connected(run: Path, name: str = "socket") -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(run / name))
    return connection


def inode_of(connection: socket.socket) -> int:
    return os.fstat(connection.fileno()).st_ino


def ask(connection: socket.socket, inode: int, channel: int = 0) -> None:
    path = NODE.encode()
    head = wire.HELLO_REQUEST.pack(
        wire.WIRE_MAGIC, wire.WIRE_VERSION, wire.HELLO_OPEN, 8, os.O_RDWR, 0, 0, len(path), os.getpid(), inode, channel
    )
    connection.sendall(head + path)


def answer_to(connection: socket.socket) -> tuple[int, int, list[int]]:
    """Error, flags and descriptors."""
    data, fds, *_ = socket.recv_fds(connection, wire.HELLO_ANSWER.size, 2)
    _, error, flags, *_ = wire.HELLO_ANSWER.unpack(data)
    return error, flags, fds


def opened_by(host: Host) -> int:
    plug = host.plug_at(NODE)
    assert plug is not None
    assert isinstance(plug.device, Counted)
    return plug.device.opened


def test_the_connection_that_asks_becomes_the_carrier(host: Host, tmp_path: Path) -> None:
    with connected(tmp_path) as connection:
        ask(connection, inode_of(connection))

        assert answer_to(connection) == (0, wire.ANSWER_CARRIER, [])
        assert connection.recv(8) == (1).to_bytes(8, "little")  # it is readable, as the device
        with host.lock:
            assert host.carriers() == {(os.fstat(connection.fileno()).st_dev, inode_of(connection)): NODE}


def test_a_channel_comes_with_the_carrier_where_it_is_wanted(host: Host, tmp_path: Path) -> None:
    with connected(tmp_path) as connection:
        ask(connection, inode_of(connection), channel=1)

        error, flags, (channel, bell) = answer_to(connection)

        assert (error, flags) == (0, wire.ANSWER_CARRIER | wire.ANSWER_CHANNEL)
        assert (os.fstat(channel).st_size, os.fstat(bell).st_size) == (wire.CHANNEL_SIZE, wire.BELL_SIZE)
        assert connection.recv(8) == (1).to_bytes(8, "little")
        os.close(channel)
        os.close(bell)


@pytest.mark.parametrize("inode", [0, 1, None], ids=["none", "tombstone", "another-carrier's"])
def test_who_names_no_inode_of_its_own_gets_another_carrier(host: Host, tmp_path: Path, inode: int | None) -> None:
    with connected(tmp_path) as first, connected(tmp_path) as second:
        ask(first, inode_of(first))
        assert answer_to(first)[1] == wire.ANSWER_CARRIER
        ask(second, inode_of(first) if inode is None else inode)

        error, flags, fds = answer_to(second)

        assert (error, flags & wire.ANSWER_CARRIER, len(fds)) == (0, 0, 1)
        os.close(fds[0])


def test_nobody_is_answered_at_the_quiet_socket_until_the_host_is_told_to_look(host: Host, tmp_path: Path) -> None:
    with connected(tmp_path, "quiet") as connection:
        ask(connection, inode_of(connection))
        with connected(tmp_path) as other:  # when this one is answered the loop has come round
            ask(other, 0)
            os.close(answer_to(other)[2][0])
        assert opened_by(host) == 1

        with host.lock:
            host.bootstrap.look()

        assert answer_to(connection)[:2] == (0, wire.ANSWER_CARRIER)
        assert opened_by(host) == 2


def test_a_device_is_not_opened_for_who_has_gone(host: Host, tmp_path: Path) -> None:
    with connected(tmp_path, "quiet") as dead:
        ask(dead, inode_of(dead))
    with connected(tmp_path, "quiet") as connection:
        ask(connection, inode_of(connection))

        with host.lock:
            host.bootstrap.look()

        assert answer_to(connection)[0] == 0
        assert opened_by(host) == 1


def test_who_asks_at_the_quiet_socket_later_than_the_host_looks_is_answered_all_the_same(
    host: Host, tmp_path: Path
) -> None:
    with connected(tmp_path, "quiet") as connection:
        with host.lock:
            host.bootstrap.look()

        ask(connection, inode_of(connection))

        assert answer_to(connection)[0] == 0


def test_no_list_of_sockets_tells_other_users_where_a_run_is(host: Host, tmp_path: Path) -> None:
    with connected(tmp_path), connected(tmp_path, "quiet"):
        assert str(tmp_path) not in Path("/proc/net/unix").read_text()


def test_the_quiet_socket_has_room_again_once_the_host_has_looked(host: Host, tmp_path: Path) -> None:
    full = False
    while not full:  # listen(2)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.setblocking(False)
            full = connection.connect_ex(str(tmp_path / "quiet")) == errno.EAGAIN

    with host.lock:
        host.bootstrap.look()

    with connected(tmp_path, "quiet") as connection:
        ask(connection, inode_of(connection))
        with host.lock:
            host.bootstrap.look()
        assert answer_to(connection)[0] == 0
