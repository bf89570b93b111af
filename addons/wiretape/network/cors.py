"""What a web page needs to be given an answer of ours: preflights, and the headers ``access-control-*``.

A browser asks a provider first whether a page may ask it (a preflight), and gives the page an answer only where its
headers name the page's origin. A recording was made for whoever asked then. So an answer of ours names the origin that
asks now, and a preflight to what is answered here is answered here. A live answer stays as the provider sent it. Values
in, values out.
Source: Fetch, 3.3 (the CORS protocol); Private Network Access, 3.
"""

import re
from collections.abc import Iterable, Mapping

from wiretape.codecs import http_fields

_LONGEST = 4096
"""Characters of a header that is repeated in an answer."""

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, \t-]*")

_NOT_NAMED = frozenset(
    {
        "cache-control",
        "connection",
        "content-language",
        "content-length",
        "content-type",
        "expires",
        "pragma",
        "transfer-encoding",
        "vary",
    }
)
"""Headers that every page may see, or none."""

type Headers = Mapping[str, str]
"""Header fields, found by their names in lower case."""


def method_asked_for(method: str, headers: Headers) -> str:
    """Return the method that a preflight asks for; empty where a request is none."""
    asked = headers.get("access-control-request-method", "")
    is_preflight = method == "OPTIONS" and is_origin(headers.get("origin", "")) and _TOKEN.fullmatch(asked)
    if is_preflight and len(asked) <= _LONGEST:
        return asked
    return ""


def is_origin(text: str) -> bool:
    """Return whether a text can be repeated as an origin: ``https://app.example``, ``null``."""
    return 0 < len(text) <= _LONGEST and " " not in text and http_fields.is_value(text)


def permission(headers: Headers) -> list[tuple[str, str]]:
    """Return the headers of the answer to a preflight: it grants what was asked for."""
    granted = [*_origin(headers["origin"]), ("access-control-allow-methods", headers["access-control-request-method"])]
    names = headers.get("access-control-request-headers", "")
    if names and len(names) <= _LONGEST and _NAMES.fullmatch(names):
        granted.append(("access-control-allow-headers", names))
    if headers.get("access-control-request-private-network") == "true":
        granted.append(("access-control-allow-private-network", "true"))
    return granted


def allowance(origin: str, names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the headers with which a page of this origin may read an answer, given the names of those that it has."""
    lowered = sorted({name.lower() for name in names})
    shown = [name for name in lowered if name not in _NOT_NAMED and not name.startswith("access-control-")]
    return [*_origin(origin), *([("access-control-expose-headers", ", ".join(shown))] if shown else [])]


def _origin(origin: str) -> list[tuple[str, str]]:
    # A page may send cookies, which mean nothing here: then * would not do.
    return [
        ("access-control-allow-origin", origin),
        ("access-control-allow-credentials", "true"),
        ("vary", "origin"),
    ]
