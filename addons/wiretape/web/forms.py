"""Forms that change something: whether a page of ours has sent one, and what it holds. Sans-IO.

A browser sends the cookie of who looks with a form of any page whose host is the same, at whatever port: on a machine
where people develop there are many. So what changes something is done for pages of this very origin alone. Browsers say
which one it was, in ``Sec-Fetch-Site`` or, where a page came neither over TLS nor from this machine, in ``Origin``; no
page can set one of the two, nor keep a browser from sending ``Origin`` with a POST. A request that has neither is of no
browser's, or of a very old one: it is refused. So no token in the form is needed, nor anything that has to be kept.
Source: Fetch Metadata Request Headers, 2.3; Fetch, 3.2.
"""

from collections.abc import Mapping
from urllib.parse import parse_qs

LARGEST = 1_000_000
"""Bytes of a form."""

_FIELDS = 5_000

type Form = Mapping[str, list[str]]


def is_ours(headers: Mapping[str, str]) -> bool:
    """Return whether a page of this origin has sent a request with these headers."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    scheme, _, authority = headers.get("origin", "").partition("://")
    return scheme in ("http", "https") and authority.lower() == headers.get("host", "").lower() != ""


def fields(body: bytes) -> Form:
    """Return the fields of a form. Raises ValueError where there are too many."""
    return parse_qs(body.decode("ascii", "replace"), max_num_fields=_FIELDS)
