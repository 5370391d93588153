from collections.abc import Iterable
from typing import Any

class Pattern:
    def __init__(
        self, parts: Iterable[bytes | tuple[str, str] | tuple[str, str, int]], kept: dict[str, Any], /
    ) -> None: ...
    def read(self, line: bytes, /) -> dict[str, Any] | None: ...
