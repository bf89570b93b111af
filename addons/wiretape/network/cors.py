"""The headers without which a browser gives a web page no answer: preflights, and ``access-control-*``.

A browser first asks a provider whether a page may ask it (a preflight), and gives the page an answer only if its
headers name the origin of the page. A recording was made for another page, or for none. So an answer of ours names the
origin that asks now, and a preflight of a request that is answered here is answered here. A live answer stays as the
provider sent it. Values in, values out. Source: Fetch, 3.3 (the CORS protocol); Private Network Access, 3.
"""

import re
from collections.abc import Iterable, Mapping

from wiretape.codecs import http_fields

_LONGEST = 4096
"""How many characters a header has at most that an answer repeats."""

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
"""Headers that every page may see, and headers that no page may see."""

type Headers = Mapping[str, str]
"""Header fields by their names in lower case."""


def method_asked_for(method: str, headers: Headers) -> str:
    """Return the method that a preflight asks for; empty where a request is no preflight."""
    wanted = headers.get("access-control-request-method", "")
    is_preflight = method == "OPTIONS" and is_origin(headers.get("origin", "")) and _TOKEN.fullmatch(wanted)
    if is_preflight and len(wanted) <= _LONGEST:
        return wanted
    return ""


def is_origin(text: str) -> bool:
    """Tell whether an answer may repeat a text as an origin: ``https://app.example``, ``null``."""
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
    """Return the headers that let a page of this origin read an answer, given the names of the answer's own headers."""
    lowered = sorted({name.lower() for name in names})
    shown = [name for name in lowered if name not in _NOT_NAMED and not name.startswith("access-control-")]
    allowed = _origin(origin)
    if shown:
        allowed.append(("access-control-expose-headers", ", ".join(shown)))
    return allowed


def _origin(origin: str) -> list[tuple[str, str]]:
    # A page may send cookies, which mean nothing here. With cookies, browsers do not accept "*".
    return [
        ("access-control-allow-origin", origin),
        ("access-control-allow-credentials", "true"),
        ("vary", "origin"),
    ]
