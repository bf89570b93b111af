"""What ``wiretape run`` says of calls when its command has ended. Beside ``call_teller``.

Many SDKs swallow an answer's text, and many programs an exception: who asks after a run why it went as it did finds the
first misses in its summary, and all calls in its report.
"""

import threading
from typing import TextIO

_TOLD = 10
"""Lines about misses that the summary has: each is about all those that are the same."""


class CallReport:
    """Counts misses. For any thread."""

    def __init__(self, file: TextIO | None = None) -> None:
        self.file = file
        """What is to get a line of JSON for each call: the log writes it, while there is one."""
        self._lock = threading.Lock()
        self.missed = 0
        """Calls that were refused, as they have no recording."""
        self.misses: dict[str, int] = {}
        """The first lines about them, and how many each is about: a client may ask again."""

    def miss(self, line: str) -> None:
        """Count a call that was refused, with the line that tells of it."""
        with self._lock:
            self.missed += 1
            if line in self.misses or len(self.misses) < _TOLD:
                self.misses[line] = self.misses.get(line, 0) + 1
