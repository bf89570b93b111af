"""Makes the texts of others harmless to show: a terminal, or a log, does not obey anything in them.

A recording, a file's name and a request may hold what a terminal takes for a command (it sets the title, moves the
cursor, fills the clipboard), and what turns the order of letters around. Here each such character is written as its
code, as ``repr`` would have it.
"""

import re

# Control characters, half surrogate pairs (bytes of a file's name that are no UTF-8), and the invisible ones that
# change in which direction text is shown: a name must not look like another.
_UNSAFE = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff"
_IN_TEXT = re.compile(f"[{_UNSAFE}]")
_IN_LINE = re.compile(f"[{_UNSAFE}\t\n]")


def line(text: str) -> str:
    """Return what others have written, such as a name, a label or a path, in one line."""
    return _IN_LINE.sub(_code, text)


def lines(text: str) -> str:
    """Return a text of several lines, which stay, and so do tabs."""
    return _IN_TEXT.sub(_code, text)


def _code(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape", "backslashreplace").decode("ascii")
