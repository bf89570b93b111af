"""Whose CA programs have to trust: asked of the proxy itself, or read where the proxy of this machine keeps it."""

from dataclasses import dataclass
from pathlib import Path

from wiretape.cli import authority, proxy_answer
from wiretape.cli.authority import Authority
from wiretape.cli.certificates import CA_ALONE
from wiretape.cli.proxy_answer import NoProxyError, ProxyAnswer
from wiretape.cli.proxy_url import ProxyUrl


class NoAuthorityError(Exception):
    """No CA can be had, or none that may be trusted. The message is for the user."""


@dataclass(frozen=True, slots=True)
class Found:
    """A CA, and where it is from."""

    authority: Authority
    source: str
    """Where it was found, for people."""
    is_told: bool
    """Whether the proxy has told it, over a network that anybody may have changed it in."""


def of_proxy(proxy: ProxyUrl, folder: Path) -> Found:
    """Return the CA of a proxy that is up; of one of this machine that is not, the one in its ``folder``.

    Raises NoAuthorityError.
    """
    try:
        answer = proxy_answer.ask(proxy)
    except NoProxyError as e:
        if proxy.is_here and (folder / CA_ALONE).exists():
            return of_machine(folder)
        advice = "start it first"
        if not proxy.is_here:
            advice = "is it up, and does it listen to other machines (--listen-host, with tokens)?"
        raise NoAuthorityError(f"{e}: {advice}") from e
    try:
        return Found(authority.parse(_pem(proxy, answer)), f"the proxy at {proxy.address}", not proxy.is_here)
    except ValueError as e:
        raise NoAuthorityError(f"what {proxy.address} gives as its CA is not trusted: {e}") from e


def of_machine(folder: Path) -> Found:
    """Return the CA that proxies of this machine have. Raises NoAuthorityError."""
    path = folder / CA_ALONE
    try:
        return Found(authority.read(path), str(path), is_told=False)
    except FileNotFoundError as e:
        raise NoAuthorityError(f"there is no CA in {folder} yet: the first proxy that is started makes it") from e
    except OSError as e:
        raise NoAuthorityError(f"{path} cannot be read: {e.strerror}") from e
    except ValueError as e:
        raise NoAuthorityError(f"{path}: {e}") from e


def _pem(proxy: ProxyUrl, answer: ProxyAnswer) -> bytes:
    if answer.status == 407:
        told = "wants a session, or a token: --proxy http://SESSION:TOKEN@HOST:PORT"
        if proxy.token:
            told = "does not take this token"
        raise NoAuthorityError(f"the proxy at {proxy.address} {told}")
    if answer.status == 403:
        raise NoAuthorityError(f"the proxy at {proxy.address} does not let {proxy.user or 'nobody'} in: see its log")
    if not answer.pem:
        raise NoAuthorityError(
            f"what answers at {proxy.address} gives no CA (status {answer.status}): it is no mitmproxy, or one with "
            "onboarding=false"
        )
    return answer.pem
