"""Stress and soak: random programs against a model of what they must answer, deaths, hostile peers, want (README.md)."""
