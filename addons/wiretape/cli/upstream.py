"""The proxy that somebody's environment names already, such as a company's: ours goes out by way of it.

The command gets our proxy in that one's place, so what it would have done with the variables is done here: HTTPS_PROXY
(or ALL_PROXY) is for tunnels, HTTP_PROXY for requests in clear text, NO_PROXY for what is reached directly. Text in; an
addon of mitmproxy's that says for each connection by which way it goes.
"""

import base64
import ipaddress
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from mitmproxy import http
from mitmproxy.net import server_spec
from mitmproxy.net.server_spec import ServerSpec

from wiretape.network import egress
from wiretape.network.egress import canonical, literal

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Via:
    """One proxy."""

    spec: ServerSpec
    authorization: str
    """The header that it wants; empty where its URL names no user."""

    @property
    def url(self) -> str:
        """As mitmproxy's mode names it: without a user."""
        scheme, (host, port) = self.spec
        if ":" in host:
            return f"{scheme}://[{host}]:{port}"
        return f"{scheme}://{host}:{port}"


class Upstream:
    """By which way connections go out. An addon."""

    def __init__(self, secure: Via | None, plain: Via | None, past: tuple[str, ...]) -> None:
        """``past`` is what NO_PROXY lists."""
        self._secure = secure
        self._plain = plain
        self._past = past

    @property
    def mode(self) -> str:
        """The mode of mitmproxy's with which it can be so; empty where everything is reached directly."""
        first = self._secure or self._plain
        if not first:
            return ""
        return f"upstream:{first.url}"

    def __str__(self) -> str:
        """For the log."""
        ways = [f"by way of {self._secure.url} (HTTPS_PROXY)"] if self._secure else []
        if self._plain and self._plain != self._secure:
            ways.append(f"in clear text by way of {self._plain.url} (HTTP_PROXY)")
        past = ""
        if self._past:
            past = f", but directly to {', '.join(self._past)} (NO_PROXY)"
        return f"what leaves this machine goes {' and '.join(ways)}{past}"

    # -- mitmproxy's hooks -----------------------------------------------------------------------------------------

    def http_connect(self, flow: http.HTTPFlow) -> None:
        """A client asks for a tunnel."""
        self._lead(flow, self._secure)

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """A client asks for something; in a tunnel that has its way."""
        if flow.server_conn.address is None:
            via = self._lead(flow, self._plain)
            if via and via.authorization:
                flow.request.headers["proxy-authorization"] = via.authorization

    def http_connect_upstream(self, flow: http.HTTPFlow) -> None:
        """mitmproxy asks the other proxy for a tunnel."""
        if self._secure and self._secure.authorization:
            flow.request.headers["proxy-authorization"] = self._secure.authorization

    def _lead(self, flow: http.HTTPFlow, via: Via | None) -> Via | None:
        host = flow.request.host
        port = flow.request.port
        if egress.is_here(host) or any(_is_meant(host, port, each) for each in self._past):
            via = None
        flow.server_conn.via = via.spec if via else None
        return via


def upstream(environ: Mapping[str, str]) -> Upstream:
    """What an environment says. A proxy that cannot be used is said in the log, and done without."""
    secure = _via(environ, "HTTPS_PROXY", "ALL_PROXY")
    plain = _via(environ, "HTTP_PROXY", "ALL_PROXY")
    listed = _value(environ, "NO_PROXY").split(",")
    return Upstream(secure, plain, tuple(filter(None, map(str.strip, listed))))


def _value(environ: Mapping[str, str], name: str) -> str:
    # In small letters first, as curl and Python do it.
    return environ.get(name.lower()) or environ.get(name) or ""


def _via(environ: Mapping[str, str], *names: str) -> Via | None:
    for name in names:
        if text := _value(environ, name).strip():
            try:
                return _parse(text)
            except ValueError as e:
                logger.warning("%s is not used, and what leaves this machine goes directly: %s", name, e)
                return None
    return None


def _parse(text: str) -> Via:
    """Read a proxy's URL. Raises ValueError, which repeats no password."""
    parts = urlsplit(text if "://" in text else f"http://{text}")
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"a proxy of {parts.scheme}:// cannot be used")
    if not parts.hostname:
        raise ValueError("it names no host")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = ""
    if parts.port:
        port = f":{parts.port}"
    user = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    authorization = ""
    if parts.username:
        authorization = "Basic " + base64.b64encode(user.encode()).decode()
    return Via(server_spec.parse(f"{parts.scheme}://{host}{port}", "http"), authorization)


def _is_meant(host: str, port: int, listed: str) -> bool:
    """Whether an entry of NO_PROXY means a host: a name and all below it, an address, a network; each with a port or
    without one.
    """
    return any(_is_named(host, name) and wanted in ("", str(port)) for name, wanted in _readings(listed))


def _readings(listed: str) -> Iterator[tuple[str, str]]:
    yield listed, ""
    name, _, port = listed.rpartition(":")
    if name and port.isdecimal():
        yield name, port


def _is_named(host: str, name: str) -> bool:
    if name == "*":
        return True
    address = literal(host)
    try:
        network = ipaddress.ip_network(name.strip("[]"), strict=False)
    except ValueError:
        suffix = canonical(name.lstrip("*").lstrip("."))
        return bool(suffix) and (canonical(host) == suffix or canonical(host).endswith(f".{suffix}"))
    return address is not None and address in network
