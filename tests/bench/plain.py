"""The device whose first open is measured: a model with one method, that imports nothing but its base class."""

from devshim import Device


class Plain(Device):
    """Reads are answered by a method."""

    def read(self, size: int) -> bytes:
        return b"12345678"
