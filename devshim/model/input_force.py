"""Force feedback: effects that programs upload, and who may play them (drivers/input/ff-core.c)."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from typing import Any, Protocol

from devshim.model.device import File
from devshim.model.input_abi import FfEffect
from devshim.model.input_codes import (
    FF_AUTOCENTER,
    FF_EFFECT_MAX,
    FF_EFFECT_MIN,
    FF_GAIN,
    FF_PERIODIC,
    FF_SINE,
    FF_WAVEFORM_MAX,
    FF_WAVEFORM_MIN,
)

MOST_GAIN = 0xFFFF
USUAL_EFFECTS = 16  # FF_MEMLESS_EFFECTS: room of a device that does not say how many effects it stores


class Motors(Protocol):
    """What the device does with effects; Input has these as hooks."""

    def ff_upload(self, effect: Any, old: Any) -> None:
        """Store an effect, in place of an old one unless that is None."""

    def ff_erase(self, number: int) -> None:
        """Forget an effect."""

    def ff_play(self, effect: Any, times: int) -> None:
        """Play an effect so many times, or stop it (0)."""

    def ff_gain(self, gain: int) -> None:
        """Set how strong all effects are."""

    def ff_autocenter(self, strength: int) -> None:
        """Set how strongly the wheel or stick returns to its middle."""


class Forces:
    """The effects of one device."""

    def __init__(self, motors: Motors, own: Iterable[int], supported: Iterable[int], most: int) -> None:
        self.motors = motors
        self.own = frozenset(own)  # what the hardware plays; the others are played as what it can
        self.supported = frozenset(supported)
        self.most = most or (USUAL_EFFECTS if self.supported else 0)
        self.effects: dict[int, Any] = {}
        self.owners: dict[int, File] = {}

    def upload(self, effect: Any, file: File) -> None:
        """Store a program's effect and give it an id where it has -1.

        Raises OSError: ENOSYS without force feedback, EINVAL for what this device cannot play, ENOSPC where no more
        fit, EACCES for an effect of another open.
        """
        if not self.most:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        self._check_kind(effect)
        played = effect if effect.type in self.own else as_periodic(effect)
        if effect.id == -1:
            number, old = self._free(), None
        else:
            number = effect.id
            self._check_owner(number, file)
            old = self.effects[number]
            if kind(played) != kind(old):
                raise OSError(errno.EINVAL, "an effect keeps its type and its waveform")
        effect.id = played.id = number
        self.motors.ff_upload(played, old)
        self.effects[number] = played
        self.owners[number] = file

    def erase(self, number: int, file: File) -> None:
        """Forget an effect.  Raises OSError: ENOSYS, EINVAL, EACCES."""
        if not self.most:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        self._check_owner(number, file)
        self.motors.ff_play(self.effects[number], 0)
        self.motors.ff_erase(number)
        del self.effects[number], self.owners[number]

    def flush(self, file: File) -> None:
        """A file is closed: its effects go."""
        for number in [number for number, owner in self.owners.items() if owner is file]:
            self.erase(number, file)

    def event(self, code: int, value: int) -> None:
        """An EV_FF event was written (input_ff_event): play or stop an effect, set gain or autocenter."""
        if code in (FF_GAIN, FF_AUTOCENTER):
            if code in self.supported and value <= MOST_GAIN:
                (self.motors.ff_gain if code == FF_GAIN else self.motors.ff_autocenter)(value)
        elif code in self.effects:
            self.motors.ff_play(self.effects[code], value)

    def _check_kind(self, effect: Any) -> None:
        wave = effect.u.periodic.waveform
        known = FF_EFFECT_MIN <= effect.type <= FF_EFFECT_MAX and effect.type in self.supported
        if known and effect.type == FF_PERIODIC:
            known = FF_WAVEFORM_MIN <= wave <= FF_WAVEFORM_MAX and wave in self.supported
        if not known:
            raise OSError(errno.EINVAL, f"effect type {effect.type:#x} cannot be played here")

    def _check_owner(self, number: int, file: File) -> None:
        if number not in self.effects:
            raise OSError(errno.EINVAL, f"no effect {number}")
        if self.owners[number] is not file:
            raise OSError(errno.EACCES, f"effect {number} belongs to another open")

    def _free(self) -> int:
        for number in range(self.most):
            if number not in self.effects:
                return number
        raise OSError(errno.ENOSPC, f"{self.most} effects are stored")


def kind(effect: Any) -> tuple[int, int | None]:
    """What cannot change when an effect is uploaded again (check_effects_compatible)."""
    return effect.type, effect.u.periodic.waveform if effect.type == FF_PERIODIC else None


def as_periodic(effect: Any) -> FfEffect:
    """A rumble as the sine that a device plays which knows periodic effects alone (compat_effect)."""
    rumble = effect.u.rumble
    played = FfEffect(FF_PERIODIC, effect.id, effect.direction, effect.trigger, effect.replay)
    played.u.periodic.waveform, played.u.periodic.period = FF_SINE, 50
    played.u.periodic.magnitude = rumble.strong_magnitude // 3 + rumble.weak_magnitude // 6
    return played
