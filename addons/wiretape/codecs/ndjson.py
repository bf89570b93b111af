"""Newline-delimited JSON: bytes <-> lines, incremental. Ollama's native streams; knows nothing of what they mean."""


class NdjsonDecoder:
    """Bytes in, lines out; a piece may end anywhere."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._scanned = 0

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that this piece completes, without their ends; empty ones are left out."""
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
        """The end of the stream: a last line needs no line end."""
        rest = bytes(self._rest)
        self._rest.clear()
        self._scanned = 0
        if not rest.strip():
            return []
        return [rest]


def encode(line: bytes) -> bytes:
    """The bytes of one line."""
    return line + b"\n"
