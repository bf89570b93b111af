"""Calls as lines of JSON: what ``wiretape run --report jsonl FILE`` writes, and whoever has the file can read. Sans-IO
but for the files that are given.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from wiretape.call_log.call import Call, as_json, from_json

_LONGEST = 1 << 20
"""Characters of a line: what is longer is no call."""


class ReportWriter:
    """Writes calls into a file that is open. For one thread."""

    def __init__(self, file: TextIO) -> None:
        self.name = file.name
        self._file = file

    def write(self, calls: Iterable[Call]) -> None:
        """Write a line for each call, for whoever reads the file now. Raises OSError."""
        self._file.write("".join(f"{json.dumps(as_json(call))}\n" for call in calls))
        self._file.flush()

    def close(self) -> None:
        """Close the file, whose disk may have failed."""
        with suppress(OSError):
            self._file.close()


def read(path: Path) -> Iterator[Call]:
    """Yield the calls of a report. Raises OSError, and ValueError where it is none."""
    with path.open(encoding="utf-8") as file:
        number = 0
        while line := file.readline(_LONGEST):
            number += 1
            try:
                call = from_json(json.loads(line))
            except (ValueError, RecursionError) as e:
                raise ValueError(f"{path} is no report of wiretape run: line {number}: {e}") from e
            yield call
