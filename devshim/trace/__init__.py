"""Traces: what was said between a program and its devices; recorded, shown, compared, replayed."""
