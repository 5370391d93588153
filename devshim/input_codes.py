"""Public: the numbers of input events, as in `from devshim.input_codes import KEY_A, BTN_SOUTH, ABS_X`."""

from devshim.model.input_codes import *  # noqa: F403
