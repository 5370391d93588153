"""Stress and soak: random programs and a model of what they must answer, deaths, hostile peers, want (README.md)."""
