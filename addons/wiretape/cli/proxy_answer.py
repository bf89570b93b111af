"""What answers at the address of a proxy: asked for the CA at the one host that mitmproxy answers for by itself.

    GET http://mitm.it/cert/pem   ->   200, the CA           a mitmproxy; with the header x-wiretape it is ours
                                       407, realm wiretape   ours, and wants a token
                                       anything else         no mitmproxy, or one with onboarding=false

No request goes further than to the proxy, where it is a mitmproxy. Others may ask the real mitm.it, whose answer is no
CA. Bytes of strangers come in: they are read up to a size and for a time.
"""

import re
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

from wiretape.cli.bounded import within
from wiretape.cli.proxy_url import ProxyUrl
from wiretape.network.address import VERSION_HEADER, Address

PATIENCE = 5.0
"""How many seconds an answer may take altogether."""

_LARGEST = 1 << 16
_PAGE = "http://mitm.it/cert/pem"
_REALM = 'realm="wiretape"'
_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,40}")


class NoProxyError(Exception):
    """Nothing answers there as a proxy does. The message is for the user."""


@dataclass(frozen=True, slots=True)
class ProxyAnswer:
    """What a proxy has told."""

    status: int
    is_ours: bool
    """Whether it is a wiretape."""
    version: str = ""
    """The version of wiretape, where it told it."""
    pem: bytes = b""
    """Its CA, not looked at yet; empty where it gave none."""


def ask(proxy: ProxyUrl, patience: float = PATIENCE) -> ProxyAnswer:
    """Ask a proxy for its CA. Raises NoProxyError where no answer comes."""
    try:
        return within(patience, lambda: _ask(proxy, patience))
    except (OSError, HTTPException, UnicodeError) as e:
        raise NoProxyError(f"nothing answers as a proxy at {proxy.address}: {_told(e)}") from e


def _ask(proxy: ProxyUrl, patience: float) -> ProxyAnswer:
    headers = {"Host": "mitm.it", "Connection": "close"}
    if proxy.authorization:
        headers["Proxy-Authorization"] = proxy.authorization
    address: Address = proxy.address
    with closing(HTTPConnection(address.host, address.port, timeout=patience)) as connection:
        connection.request("GET", _PAGE, headers=headers)
        answer = connection.getresponse()
        body = answer.read(_LARGEST)
    version = answer.headers.get(VERSION_HEADER) or ""
    is_ours = bool(version) or (answer.status == 407 and _REALM in answer.headers.get("proxy-authenticate", ""))
    if not _VERSION.fullmatch(version):
        version = ""
    pem = b""
    if answer.status == 200 and b"-----BEGIN CERTIFICATE-----" in body:
        pem = body
    return ProxyAnswer(answer.status, is_ours, version, pem)


def _told(error: Exception) -> str:
    if isinstance(error, HTTPException):
        return "what answers is no HTTP"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
