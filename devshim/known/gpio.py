"""GPIO chips and the lines requested of them, in both versions of the interface: linux/gpio.h."""

from __future__ import annotations

from devshim.model import gpio_abi as abi
from devshim.model.description import describe
from devshim.model.request import Request

DESCRIPTIONS = [describe(request) for request in vars(abi).values() if isinstance(request, Request)]
