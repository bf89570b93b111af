"""One live answer that several requests share: what has come so far, and who waits for more. No clock, no thread.

The first of several equal requests leads: it is sent to the provider. The others follow, and get its pieces as they
come, from the first.
"""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class Flight:
    """A live answer under way. Its owner adds to it; those who wait are called after each change."""

    status: int = 0
    """0 until the head of the answer has come."""
    headers: tuple[tuple[str, str], ...] = ()
    pieces: list[bytes] = field(default_factory=list)
    """The body as it came, in its content coding."""
    ended: bool = False
    """Nothing more will come."""
    failure: str = ""
    """Why it broke off; empty where it ended well."""
    _waiting: list[Callable[[], None]] = field(default_factory=list)

    def begin(self, status: int, headers: tuple[tuple[str, str], ...]) -> None:
        """The head of the answer has come."""
        self.status, self.headers = status, headers
        self._changed()

    def add(self, piece: bytes) -> None:
        """A piece of the body has come."""
        self.pieces.append(piece)
        self._changed()

    def end(self, failure: str = "") -> None:
        """The answer's end, or why there will be none. Only the first call counts."""
        if not self.ended:
            self.ended, self.failure = True, failure
            self._changed()

    def call_when_changed(self, callback: Callable[[], None]) -> None:
        """Call back once, at the next change."""
        self._waiting.append(callback)

    def _changed(self) -> None:
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback()
