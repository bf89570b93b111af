"""The functions ``match`` and ``search`` of JSONPath by RE2. The library's own patterns can take time without end.

It is imported where a path needs the library, which takes a tenth of a second to load.
"""

from jsonpath import JSONPathEnvironment
from jsonpath.function_extensions import ExpressionType, FilterFunction

from wiretape.codecs.json_text import DEEPEST
from wiretape.codecs.patterns import text_pattern


class _Pattern(FilterFunction):
    """Whether a pattern is of a text; a pattern that is none is of no text, as RFC 9535 wants it."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012  the library's own way
    return_type = ExpressionType.LOGICAL

    def __init__(self, *, is_whole: bool) -> None:
        self._is_whole = is_whole

    def __call__(self, text: object, pattern: object) -> bool:
        if not isinstance(text, str) or not isinstance(pattern, str):
            return False
        try:
            made = text_pattern(pattern)
            data = text.encode("utf-8", "surrogatepass")
            found = made.fullmatch(data) if self._is_whole else made.search(data)
        except ValueError:  # It is no pattern.
            return False
        return found is not None


class _Environment(JSONPathEnvironment):
    """The library's, for bodies as deep as any that is read."""

    max_recursion_depth = DEEPEST + 2


def environment() -> JSONPathEnvironment:
    """Return what compiles paths, strictly as RFC 9535 has them."""
    made = _Environment(strict=True)
    made.function_extensions["match"] = _Pattern(is_whole=True)
    made.function_extensions["search"] = _Pattern(is_whole=False)
    return made
