"""Replay: a trace answers instead of the devices that it was recorded from."""
