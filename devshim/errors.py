"""What devshim raises of its own: one tree, so that a caller catches as much of it as it can handle.

    DevshimError
    ├── SpecError       what was asked to be plugged cannot be: no such model, a wrong parameter, two at one node
    ├── ConfigError     devshim.yml, or a device in YAML, cannot be used; the message begins with file:line:column
    ├── ModelError      a model raised something that is no OSError, or answered with a wrong type
    ├── ShimNotBuilt    what is compiled of devshim is missing or was built for something else
    └── TargetFailed    the program could not be started, or ended as it should not

Models themselves raise plain OSError, as a driver returns an errno.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar


#: The way out where something of ours that is compiled is missing or damaged.
REBUILD = "run `make build` in a source tree, or install devshim again"


class DevshimError(Exception):
    """A failure that devshim explains in one line; `exit_code` is what the command line ends with."""

    exit_code: ClassVar[int] = 125


class SpecError(DevshimError):
    """A device was asked for that cannot be plugged; the line names the spec and the way out."""

    exit_code = 2


class ConfigError(DevshimError):
    """A YAML file cannot be used; the line begins with file:line:column."""

    exit_code = 2


class ModelError(DevshimError):
    """A model failed while it answered a call."""


class ShimNotBuilt(DevshimError):
    """The shim library, or a C module, is not there, or does not fit; the line says how to build it."""


class TargetFailed(DevshimError):
    """The program could not be started, or ended as it should not."""
