"""Newline-delimited JSON <-> lines, incrementally. Ollama streams it. It does not know what the lines mean."""


class NdjsonDecoder:
    """Takes bytes and gives lines. A piece may end anywhere."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._scanned = 0

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the lines that this piece completes, without their ends and without empty ones."""
        self._rest += piece
        lines: list[bytes] = []
        start = 0
        while (end := self._rest.find(b"\n", max(start, self._scanned))) >= 0:
            lines.append(bytes(self._rest[start:end]))
            start = end + 1
        del self._rest[:start]
        self._scanned = len(self._rest)
        return [line for line in lines if line.strip()]

    def flush(self) -> list[bytes]:
        """End the stream, and return a last line without an end."""
        rest = bytes(self._rest)
        self._rest.clear()
        self._scanned = 0
        if not rest.strip():
            return []
        return [rest]


def encode(line: bytes) -> bytes:
    """Return the bytes of one line."""
    return line + b"\n"
