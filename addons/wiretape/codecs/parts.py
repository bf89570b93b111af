"""The bytes of a file, made while they are written: a recording can be several times as large as its answer."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

_BLOCK = 1 << 18
"""How many bytes are made, and written, at a time."""

_HELD = 1 << 20
"""Up to so many bytes, a file is made once and kept."""


def digest(data: Any) -> str:
    """Return the digest that a capture has of its recording."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Parts:
    """The bytes of a file in parts. They are the same at each iteration."""

    def __init__(self, make: Callable[[], Iterator[bytes]]) -> None:
        """``make`` may yield many small parts."""
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
            if len(part) >= _HELD:  # A large part is not copied.
                is_small = False
                for each in (bytes(block), part):
                    hashed.update(each)
                    yield each
                block.clear()
                continue
            block += part
            room = _BLOCK
            if is_small:
                room = _HELD
            if len(block) >= room:
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
        """The digest that a capture has of its recording. Writing the file once computes it."""
        if not self._digest:
            for _ in self:
                pass
        return self._digest
