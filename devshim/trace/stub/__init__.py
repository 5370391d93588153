"""Stubs: device models made of a trace, to be read, edited and completed."""
