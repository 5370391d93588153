"""HID devices as hidraw gives them: linux/hidraw.h."""

from __future__ import annotations

from devshim.model import hidraw_abi as abi
from devshim.model.description import describe
from devshim.model.request import Request

DESCRIPTIONS = [describe(request, name=name) for name, request in vars(abi).items() if isinstance(request, Request)]
