"""The templates, and what is text in them. What a model or a client has written is never anything but text.

Jinja2 escapes all that a template puts in, but for the style and the script of our own that a report holds. An image is
shown only where it is in the recording itself, and in a form that holds nothing but an image: nothing is ever loaded
from elsewhere.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from wiretape.codecs import units
from wiretape.library.steps import gist
from wiretape.web.drawing import duration

FOLDER = Path(__file__).parent

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""What a browser lets our pages do."""

_LONG = 20_000
"""Characters of a text that a page shows."""

_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]{1,4000000}")


def image(address: str) -> str:
    """Return the data URL of an image that can be shown; empty for any other."""
    if _IMAGE.fullmatch(address):
        return address
    # Ollama's requests have the bare bytes.
    for start, kind in (("iVBORw0KGgo", "png"), ("/9j/", "jpeg"), ("R0lGOD", "gif"), ("UklGR", "webp")):
        bare = f"data:image/{kind};base64,{address}"
        if address.startswith(start) and _IMAGE.fullmatch(bare):
            return bare
    return ""


def shown(text: str) -> str:
    """Return a text, or the beginning of a very long one."""
    if len(text) <= _LONG:
        return text
    return f"{text[:_LONG]}\n… {len(text) - _LONG:,} more characters: the recording has them"


def cut(text: str, length: int) -> str:
    """Return a text of so many characters at most; of a longer one it says how many are left out."""
    if len(text) <= length:
        return text
    return f"{text[:length]} … ({len(text) - length:,} more characters)"


def _ours(text: str) -> Markup:
    """Return the text of a file of this package as it is: a style, or a script."""
    return Markup(text)  # noqa: S704  it comes from no recording


def clock(at: str) -> str:
    """Return a time of RFC 3339 as people read it."""
    try:
        return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return at


def age(at: str) -> str:
    """Return how long ago a time of RFC 3339 was; empty where it is none."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return ""
    now = datetime.now(UTC) if moment.tzinfo else datetime.now(UTC).replace(tzinfo=None)
    return units.age_in_words(max(0.0, (now - moment).total_seconds()))


def moment(at: float) -> str:
    """Return a time, in seconds since 1970, as people read it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def usd(cost: Decimal | None) -> str:
    """Return an amount in US dollars without needless digits; empty where there is none."""
    return f"{cost.normalize():f}" if cost else ""


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        image=image, shown=shown, clock=clock, age=age, money=units.usd, cut=cut, duration=duration, ours=_ours
    )
    made.filters.update(moment=moment, age=age, money=units.usd, usd=usd, gist=gist)
    return made


_ENVIRONMENT = _environment()


def page(template: str, **values: Any) -> str:
    """Return a page."""
    return _ENVIRONMENT.get_template(template).render(**values)
