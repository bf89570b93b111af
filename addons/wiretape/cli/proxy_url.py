"""The URL of a proxy, as a user writes it: text <-> values. Its token is in no text but the one that a client gets."""

import base64
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urlsplit

from wiretape.network import egress
from wiretape.network.address import Address

_DEFAULT_PORT = 8080


@dataclass(frozen=True, slots=True)
class ProxyUrl:
    """Where a proxy is, and who comes to it."""

    address: Address
    user: str = ""
    """SESSION or SESSION+MODE."""
    token: str = ""

    def __str__(self) -> str:
        """Return it for people, without the token."""
        return self._text("***")

    @property
    def value(self) -> str:
        """It as clients read it from a variable, with the token."""
        return self._text(quote(self.token, safe=""))

    @property
    def authorization(self) -> str:
        """The header that shows who comes; empty for a client that shows nothing."""
        if not self.user and not self.token:
            return ""
        return "Basic " + base64.b64encode(f"{self.user}:{self.token}".encode()).decode()

    @property
    def is_here(self) -> bool:
        """Whether the proxy is on this machine, by the name of its host."""
        return egress.is_here(self.address.host)

    def of_session(self, name: str) -> "ProxyUrl":
        """Return the same for a client of another session."""
        return replace(self, user=name)

    def _text(self, token: str) -> str:
        credentials = quote(self.user, safe="+")
        if self.token:
            credentials += f":{token}"
        if credentials:
            credentials += "@"
        return f"http://{credentials}{self.address}"


def parse(text: str) -> ProxyUrl:
    """Parse ``[http://][USER[:TOKEN]@]HOST[:PORT]``. Raises ValueError, which repeats no token."""
    wrong = "this is no URL of a proxy: it is http://HOST:PORT, or http://SESSION:TOKEN@HOST:PORT"
    if "://" not in text:
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(wrong) from None
    if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(wrong)
    if any(char.isspace() or not char.isprintable() for char in text):
        raise ValueError(wrong)
    if port is None:
        port = _DEFAULT_PORT
    return ProxyUrl(Address(parts.hostname, port), unquote(parts.username or ""), unquote(parts.password or ""))
