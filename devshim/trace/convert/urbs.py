"""A transfer that umockdev recorded, one line for each URB that was reaped, as the two calls that it was."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from devshim.model.usb_abi import IN, ISO, USBDEVFS_REAPURB, USBDEVFS_REAPURBNDELAY, USBDEVFS_SUBMITURB
from devshim.trace.event import Event, Segment

NUMBERS = 8  # before the bytes: the call's result, and seven of the URB's members
URB = struct.Struct("<BBxxiIxxxxQiiiiiIQ")  # struct usbdevfs_urb
REQUESTS = {"USBDEVFS_REAPURB": USBDEVFS_REAPURB, "USBDEVFS_REAPURBNDELAY": USBDEVFS_REAPURBNDELAY}


def urb_events(line: str) -> Iterator[Event]:
    """The events of a line, their node and file still to be set; none for an isochronous one.  Raises ValueError."""
    name, *words = line.split()
    if len(words) < NUMBERS:
        raise ValueError(f"{NUMBERS} numbers and the bytes are to follow {name}")
    result, kind, endpoint, status, flags, size, actual, errors = map(int, words[:NUMBERS])
    data = bytes.fromhex(words[NUMBERS] if len(words) > NUMBERS else "")
    if kind == ISO:
        return
    goes_in = endpoint & IN and endpoint != IN
    before: list[Segment] = [None, None if goes_in else data, None, None]
    after: list[Segment] = [(1).to_bytes(8, "little"), None, *((None, data) if goes_in else (data, None)), None, None]
    try:
        before[0] = URB.pack(kind, endpoint, 0, flags, int(not goes_in), size, 0, 0, 0, 0, 0, 0)
        after[1] = URB.pack(kind, endpoint, status, flags, 3 if goes_in else 2, size, actual, 0, 0, errors, 0, 0)
    except struct.error as problem:
        raise ValueError(str(problem)) from None
    yield Event("ioctl", request=int(USBDEVFS_SUBMITURB), before=before)
    yield Event("ioctl", request=int(REQUESTS[name]), result=result, after=after)
