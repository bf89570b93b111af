"""The bytes of a file that are made while they are written: a recording can be several times as large as its answer."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

_BLOCK = 1 << 18
"""Bytes that are made, and written, at a time."""

_HELD = 1 << 20
"""Bytes that are made once and kept."""


def digest(data: Any) -> str:
    """Return what a capture knows the bytes of its recording by."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Parts:
    """A file's bytes, part by part: the same each time they are asked for."""

    def __init__(self, make: Callable[[], Iterator[bytes]]) -> None:
        """``make`` may give many small ones."""
        self._make = make
        self._held: bytes | None = None
        self._digest = ""

    def __iter__(self) -> Iterator[bytes]:
        if self._held is not None:
            yield self._held
            return
        hashed = hashlib.sha256()
        block = bytearray()
        is_small = True
        for part in self._make():
            if len(part) >= _HELD:  # Not to have it twice.
                is_small = False
                for each in (bytes(block), part):
                    hashed.update(each)
                    yield each
                block.clear()
                continue
            block += part
            if len(block) >= (_HELD if is_small else _BLOCK):
                is_small = False
                hashed.update(block)
                yield bytes(block)
                block.clear()
        hashed.update(block)
        if is_small:
            self._held = bytes(block)
        self._digest = f"sha256:{hashed.hexdigest()}"
        yield bytes(block)

    def __bytes__(self) -> bytes:
        return b"".join(self)

    @property
    def digest(self) -> str:
        """What a capture knows its recording by; known when it was written once."""
        if not self._digest:
            for _ in self:
                pass
        return self._digest
