"""What all parts of the picture share: colours, and text."""

from __future__ import annotations

from html import escape

COLOURS = {"native": "#8a8f98", "devshim": "#1f6feb", "peer": "#d1731b"}


def text(x: float, y: float, words: str, anchor: str, size: int, weight: str = "normal") -> str:
    """A line of text."""
    style = f"font-size='{size}' font-weight='{weight}' text-anchor='{anchor}' fill='#24292f'"
    return f"<text x='{x:.1f}' y='{y:.1f}' {style}>{escape(words)}</text>"
