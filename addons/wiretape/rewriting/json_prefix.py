"""Tells how far a text is JSON: all of it, its beginning, or nothing. The JSON may be cut off. Sans-IO.

Tools get their arguments as JSON in a text, which a stream may cut off; and models write a text behind JSON.
"""

from wiretape.codecs.patterns import compiled

_JSON = compiled(
    rb'(?s)(?:"(?:[^"\\]|\\.)*"|[{}\[\],:\s]|-?[0-9][0-9.eE+-]*|true|false|null|NaN|-?Infinity|[A-Za-z_$][A-Za-z0-9_$]*:)*'
    rb'(?:"(?:[^"\\]|\\.)*\\?\z)?'
)
"""A run of the marks and texts of JSON, in whatever order, cut off or not. Names of members may lack their quotes."""
_CUT_WORD = 8
"""How many characters may be left at the end of a JSON text that was cut off within a word or an escape."""
_STARTS = ("{", "[", '"')
_HAS_MEMBER = compiled(rb'"\s*:')


def begins_json(text: str) -> bool:
    """Tell whether a text begins as JSON does."""
    return text.lstrip()[:1] in _STARTS


def _is_cut_off(end: bytes) -> bool:
    """Tell whether the end of a text is the beginning of a word of JSON, or of a number."""
    return end.isalpha() or end == b"-"


def json_end(text: str) -> int:
    """Return where the JSON at the beginning of a text ends, or 0 where none with members is there. It
    may be cut off.
    """
    if not begins_json(text):
        return 0
    data = text.encode("utf-8", "surrogatepass")
    end: int = _JSON.match(data).end()
    if end == len(data) or (len(data) - end <= _CUT_WORD and _is_cut_off(data[end:])):
        return len(text)
    if not _HAS_MEMBER.search(data, 0, end):
        return 0
    return len(data[:end].decode("utf-8", "surrogatepass"))
