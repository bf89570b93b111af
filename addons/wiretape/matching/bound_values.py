"""Finds a recorded value in a text, where it stands by itself, and says what replaces it there. Under ``bindings``.

A value is searched for as it is, and as JSON writes it: a text may quote JSON, which escapes quotes, backslashes and
whatever is beyond ASCII, and JSON in a text of JSON escapes it twice. What replaces it is escaped in the same way.

It counts only where it stands by itself:

- A *directory* ends there: ``/home/a/proj`` is in ``/home/a/proj/x`` and in ``It is in /home/a/proj.``, and is not in
  ``/home/a/project``, ``/home/a/proj-2`` or ``/home/a/proj.git``. And it begins there: ``/tmp`` is not in
  ``/var/tmp``, nor in ``http://tmp``. But it is in ``-I/tmp``, as compilers are told of a directory.
- A *word*, such as an id or a date, has no letter or digit beside it, where it begins or ends with one itself.
"""

import json
import re
from collections.abc import Iterator

from wiretape.rewriting.spans import Span

_GOES_ON = re.compile(r"\.*+[\w@+~%-]")
"""What follows a directory whose name goes on. Dots alone are the end of a sentence."""
_BEFORE_A_PATH = "_.~"
"""What may stand directly before a slash within a path, beside letters and digits."""
_FLAG = re.compile(r"(?<![\w-])-[A-Za-z]\Z")
_ESCAPE = re.compile(r"\\[nrtbf]\Z")
_LONGEST_BEFORE = 3
"""How many characters before a value are looked at."""


class BoundValue:
    """A recorded value and the present one that replaces it."""

    def __init__(self, name: str, recorded: str, present: str, *, is_path: bool) -> None:
        self.name = name
        self.recorded = recorded
        self.present = present
        self.is_path = is_path
        self._forms = [(recorded, present), *_escaped(recorded, present)]

    def spans(self, text: str) -> Iterator[Span]:
        """Yield where the value stands in a text, with what replaces it."""
        forms = self._forms
        if "\\" not in text:
            forms = forms[:1]
        for recorded, present in forms:
            end = 0
            while (start := text.find(recorded, end)) >= 0:
                end = start + len(recorded)
                if self._stands_alone(text, start, end):
                    yield Span(start, end, self.name, present)
                else:
                    end = start + 1

    def _stands_alone(self, text: str, start: int, end: int) -> bool:
        if self.is_path:
            return not _GOES_ON.match(text, end) and self._path_begins(text, start)
        after = text[end : end + 1]
        if after.isalnum() and text[end - 1].isalnum():
            return False
        return not (text[start].isalnum() and _is_word(text, start))

    def _path_begins(self, text: str, start: int) -> bool:
        if start == 0:
            return True
        before = text[start - 1]
        if before == "/" and text[start] == "/":
            return text.endswith("://", 0, start)  # file:///home/a, and not http://home/a
        if self.recorded.startswith("/") and _FLAG.search(text, max(0, start - _LONGEST_BEFORE), start):
            return True
        return before not in _BEFORE_A_PATH and not _is_word(text, start)


def _is_word(text: str, start: int) -> bool:
    """Tell whether a letter or a digit stands before a place, which is not that of an escape such as ``\\n``."""
    if start == 0 or not text[start - 1].isalnum():
        return False
    return not _ESCAPE.search(text, max(0, start - _LONGEST_BEFORE), start)


def _escaped(recorded: str, present: str) -> list[tuple[str, str]]:
    """Return a value in each form in which JSON escapes it, once or twice, with the present value in the same form."""
    forms: dict[str, str] = {}
    for is_ascii in (False, True):
        for slash in ("/", "\\/"):
            once = [json.dumps(each, ensure_ascii=is_ascii)[1:-1].replace("/", slash) for each in (recorded, present)]
            twice = [json.dumps(each, ensure_ascii=is_ascii)[1:-1] for each in once]
            for old, new in (once, twice):
                forms.setdefault(old, new)
    forms.pop(recorded, None)
    return [*forms.items()]
