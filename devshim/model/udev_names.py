"""Texts as udev has them in names and in what it tells of a device."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=1024)
def encoded(text: str) -> str:
    """A text as udev writes it into ID_*_ENC: blanks and what is no word as \\x20 (encode_devnode_name)."""
    return "".join(
        sign if sign.isalnum() or sign in "#+-.:=@_" else "".join(f"\\x{byte:02x}" for byte in sign.encode())
        for sign in text
    )


@lru_cache(maxsize=1024)
def as_name(text: str) -> str:
    """A text as udev uses it in names: runs of blanks as one _, and what else is no word as _ (util_replace_chars)."""
    joined = "_".join(text.split())
    return "".join(sign if sign.isalnum() or sign in "#+-.:=@_/" else "_" for sign in joined).replace("/", "_")
