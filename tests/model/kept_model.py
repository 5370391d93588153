"""Keeper: a device that fills what was named to it by an earlier call; for test_kept.py, in whichever host."""

from ctypes import Structure, c_uint32, c_uint64

from devshim import IOR, IOW, WAIT, Device, ioctl
from devshim.model.kept import Filled


class Order(Structure):
    """Where bytes are wanted, and how many."""

    _fields_ = [("length", c_uint32), ("done", c_uint32), ("data", c_uint64)]


class Keeper(Device):
    """Takes orders, and fills them in their order."""

    orders = []

    @ioctl(IOW("K", 1, Order), keeps=True)
    def order(self, order, memory):
        self.orders.append((memory.argument, memory.at(order.data, order.length)))
        self.wake()

    @ioctl(IOR("K", 2, c_uint64), fills=True)
    def fetch(self):
        if not self.orders:
            return WAIT
        argument, data = self.orders.pop(0)
        content = bytes((data.length + i) % 251 for i in range(data.length))
        fills = [data.filled(content), argument.filled(data.length.to_bytes(4, "little"), 4)]
        return Filled(c_uint64(argument.address), fills)
