"""What the host keeps of what is around a device: little that takes time again and again when many are plugged."""

import gc

from devshim import Serial
from devshim.model.device import Link
from devshim.session.session import Session


def links():
    """How many links the garbage collector has to look at."""
    gc.collect()
    return sum(isinstance(thing, Link) for thing in gc.get_objects())


def test_the_garbage_collector_has_no_links_to_look_at_of_what_is_plugged():
    with Session() as session:
        session.plug("/dev/ttyUSB900", Serial())
        before = links()
        for number in range(901, 906):
            session.plug(f"/dev/ttyUSB{number}", Serial())

        assert links() == before
