"""The proxy that the environment names already, such as a company's: our proxy connects by way of it.

The command gets our proxy instead of that one. So what the command would have done with the variables is done here:
HTTPS_PROXY (or ALL_PROXY) is for tunnels, HTTP_PROXY for requests in clear text, NO_PROXY for what is reached directly.
Text in; an addon for mitmproxy out, which chooses the way of each connection.
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
        """Its URL as mitmproxy's mode has it, without a user."""
        scheme, (host, port) = self.spec
        if ":" in host:
            return f"{scheme}://[{host}]:{port}"
        return f"{scheme}://{host}:{port}"


class Upstream:
    """Chooses the way of each connection. An addon."""

    def __init__(self, secure: Via | None, plain: Via | None, past: tuple[str, ...]) -> None:
        """``past`` is what NO_PROXY lists."""
        self._secure = secure
        self._plain = plain
        self._past = past

    @property
    def mode(self) -> str:
        """The mode of mitmproxy that this needs; empty where everything is reached directly."""
        first = self._secure or self._plain
        if not first:
            return ""
        return f"upstream:{first.url}"

    def __str__(self) -> str:
        """Return it as the log tells it."""
        ways = []
        if self._secure:
            ways.append(f"by way of {self._secure.url} (HTTPS_PROXY)")
        if self._plain and self._plain != self._secure:
            ways.append(f"in clear text by way of {self._plain.url} (HTTP_PROXY)")
        past = ""
        if self._past:
            past = f", but directly to {', '.join(self._past)} (NO_PROXY)"
        return f"what leaves this machine goes {' and '.join(ways)}{past}"

    # -- mitmproxy's hooks -----------------------------------------------------------------------------------------

    def http_connect(self, flow: http.HTTPFlow) -> None:
        """Choose the way of a tunnel that a client asks for."""
        self._lead(flow, self._secure)

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Choose the way of a request outside of a tunnel."""
        if flow.server_conn.address is None:
            via = self._lead(flow, self._plain)
            if via and via.authorization:
                flow.request.headers["proxy-authorization"] = via.authorization

    def http_connect_upstream(self, flow: http.HTTPFlow) -> None:
        """Authorize the tunnel that mitmproxy asks the other proxy for."""
        if self._secure and self._secure.authorization:
            flow.request.headers["proxy-authorization"] = self._secure.authorization

    def _lead(self, flow: http.HTTPFlow, via: Via | None) -> Via | None:
        host = flow.request.host
        port = flow.request.port
        if egress.is_here(host) or any(is_meant(host, port, each) for each in self._past):
            via = None
        flow.server_conn.via = None
        if via:
            flow.server_conn.via = via.spec
        return via


def upstream(environ: Mapping[str, str]) -> Upstream:
    """Return what an environment says. A proxy that cannot be used is logged, and ignored."""
    secure = _via(environ, "HTTPS_PROXY", "ALL_PROXY")
    plain = _via(environ, "HTTP_PROXY", "ALL_PROXY")
    listed = value(environ, "NO_PROXY").split(",")
    return Upstream(secure, plain, tuple(filter(None, map(str.strip, listed))))


def value(environ: Mapping[str, str], name: str) -> str:
    """Return what a variable says; the name in small letters comes first, as with curl and Python."""
    return environ.get(name.lower()) or environ.get(name) or ""


def _via(environ: Mapping[str, str], *names: str) -> Via | None:
    for name in names:
        text = value(environ, name).strip()
        if text:
            try:
                return _parse(text)
            except ValueError as e:
                logger.warning("%s is not used, and what leaves this machine goes directly: %s", name, e)
                return None
    return None


def _parse(text: str) -> Via:
    """Parse the URL of a proxy. Raises ValueError, which repeats no password."""
    if "://" not in text:
        text = f"http://{text}"
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"a proxy of {parts.scheme}:// cannot be used")
    if not parts.hostname:
        raise ValueError("it names no host")
    host = parts.hostname
    if ":" in host:
        host = f"[{host}]"
    port = ""
    if parts.port:
        port = f":{parts.port}"
    user = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    authorization = ""
    if parts.username:
        authorization = "Basic " + base64.b64encode(user.encode()).decode()
    return Via(server_spec.parse(f"{parts.scheme}://{host}{port}", "http"), authorization)


def is_meant(host: str, port: int, listed: str) -> bool:
    """Tell whether an entry of NO_PROXY means a host: a name and all below, an address or a network,
    maybe with a port.
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
