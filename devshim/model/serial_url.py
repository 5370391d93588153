"""SerialUrl: a serial port that is elsewhere, reached by a pyserial URL (socket://, rfc2217://, loop://).

URLs and what they take after `?`: pyserial's documentation, "URL Handlers".
"""

from __future__ import annotations

import queue
import threading
from importlib import import_module

from devshim.model.serial import Serial
from devshim.model.timing import every

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MOST_AT_ONCE = 65536


class SerialUrl(Serial):
    """What the program writes goes to the port behind the URL, and what comes from there it reads.

    Baud rate, framing, DTR and RTS are passed on where the URL's kind has a way to (rfc2217); the lines that
    the far end drives are not watched.  When the connection breaks, the device is unplugged.
    """

    url: str = ""
    #: Seconds between two looks at what has arrived.
    interval: float = 0.005

    port: Any = None

    def setup(self) -> None:
        """Connect.  Raises what pyserial raises: SerialException, or ValueError for a URL that it does not know."""
        # By name, because pyserial is needed by nobody else and has no types of its own.
        self.port = import_module("serial").serial_for_url(self.url, timeout=0)
        # Writing and settings wait for the network, which a model must not.
        self._todo: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._failure: Exception | None = None
        threading.Thread(target=self._work, daemon=True, name=self.url).start()

    def received(self, data: bytes) -> None:
        """Pass on what the program wrote."""
        self._todo.put(lambda: self.port.write(data))

    def configured(self) -> None:
        """Pass on the program's settings; B0 is no rate, but a hang-up, which DTR tells."""
        settings = {
            "bytesize": self.data_bits,
            "parity": self.parity,
            "stopbits": self.stop_bits,
            "xonxoff": self.xonxoff,
            "rtscts": self.rtscts,
        }
        if self.baud_rate:
            settings["baudrate"] = self.baud_rate
        self._todo.put(lambda: self.port.apply_settings(settings))

    def lines_changed(self) -> None:
        """Pass on DTR and RTS."""
        levels = bool(self.dtr), bool(self.rts)
        self._todo.put(lambda: self._drive_lines(*levels))

    def _drive_lines(self, dtr: bool, rts: bool) -> None:
        self.port.dtr, self.port.rts = dtr, rts

    def _work(self) -> None:
        """In a thread of its own: do what takes its time, one after another."""
        while True:
            todo = self._todo.get()
            try:
                todo()
            except Exception as problem:  # whatever the URL's handler raises, the connection is of no use any more
                self._failure = problem
                return

    @every(seconds="interval")
    def fetch(self) -> None:
        """Hand on what has arrived; lost while no program has the port open, as on a wire."""
        try:
            if self._failure is not None:
                raise self._failure
            data = self.port.read(MOST_AT_ONCE)
        except OSError:  # SerialException is one
            self.port.close()
            self.unplug()
            return
        if data:
            self.send(data)
