"""The variables that name a proxy: where they lead, and what they lead past it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from wiretape.cli import authority, proxy_answer, proxy_url
from wiretape.cli.authority import Authority
from wiretape.cli.doctor.finding import Finding, fault, ok, warning
from wiretape.cli.proxy_answer import NoProxyError
from wiretape.cli.proxy_url import ProxyUrl
from wiretape.cli.upstream import is_meant, value
from wiretape.providers.routing import Providers

_PAIRS = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
_BY_US = 'eval "$(wiretape env)" sets it'
_SHOWN = 3


@dataclass(slots=True)
class Way:
    """Where a program goes that is started here, without ``wiretape run``."""

    proxy: ProxyUrl | None = None
    is_ours: bool = False
    """Whether that is a wiretape."""
    authority: Authority | None = None
    """Its CA."""
    findings: list[Finding] = field(default_factory=list)


def look(environ: Mapping[str, str], providers: Providers) -> Way:
    """Look at the variables, ask the proxy that they name who it is, and return what came of it."""
    way = Way()
    way.findings += _disagreeing(environ)
    name = "HTTPS_PROXY"
    text = value(environ, name).strip()
    if not text:
        name = "ALL_PROXY"
        text = value(environ, name).strip()
    if text:
        _ask(way, name, text)
        way.findings += _plain(environ, way)
    elif value(environ, "HTTP_PROXY"):
        said = "HTTP_PROXY is set and HTTPS_PROXY is not: calls to providers go past it"
        way.findings.append(warning("proxy", said, f"set both: {_BY_US}"))
    else:
        said = "no variable names one: wiretape run sets them for its command"
        way.findings.append(ok("proxy", said, 'for a proxy that is up: eval "$(wiretape env)"'))
    way.findings += _past(environ, way, providers)
    return way


def _disagreeing(environ: Mapping[str, str]) -> Iterator[Finding]:
    for name in _PAIRS:
        small = environ.get(name.lower())
        large = environ.get(name)
        if small and large and small != large:
            said = f"{name} and {name.lower()} differ: some programs read the one, some the other"
            yield warning("proxy", said, f"unset one of them: {_BY_US} alike")


def _ask(way: Way, name: str, text: str) -> None:
    """Find out who is at the URL of a variable."""
    try:
        proxy = proxy_url.parse(text)
    except ValueError:
        # What it is may hold a password.
        said = f"{name} is not the URL of a wiretape, which is http://HOST:PORT"
        way.findings.append(warning("proxy", said, "unset it, or let it name one: wiretape env"))
        return
    way.proxy = proxy
    leads = f"{name} leads to {proxy}"
    try:
        answer = proxy_answer.ask(proxy)
    except NoProxyError as e:
        way.findings.append(fault("proxy", f"{name} is {proxy}: {e}", f"start that proxy, or unset {name}"))
        return
    way.is_ours = answer.is_ours
    if answer.is_ours and answer.status == 407:
        told = "which is a wiretape and wants a session, or a token"
        if proxy.token:
            told = "which is a wiretape and does not take this token"
        advice = "whoever runs it makes one: wiretape token create --session NAME --role write"
        way.findings.append(fault("proxy", f"{leads}, {told}", advice))
    elif answer.status == 403:
        advice = "its log tells why; wiretape env --session NAME names another session"
        way.findings.append(fault("proxy", f"{leads}, which lets nobody of that session and mode in", advice))
    elif answer.pem and answer.is_ours:
        way.findings.append(_trusted(way, leads, answer.pem, answer.version))
    elif answer.pem:
        said = f"{leads}, a mitmproxy without wiretape: nothing is recorded"
        way.findings.append(warning("proxy", said, 'start it with the addon: mitmdump -s "$(wiretape addon)"'))
    else:
        said = f"{leads}, which is no wiretape: a program that is started here is not recorded"
        way.findings.append(warning("proxy", said, "use wiretape run, which leaves by way of it"))


def _trusted(way: Way, leads: str, pem: bytes, version: str) -> Finding:
    try:
        way.authority = authority.parse(pem)
    except ValueError as e:
        return fault("proxy", f"{leads}, whose CA is not to be trusted: {e}", "ask whoever runs it")
    return ok("proxy", f"{leads}, a wiretape {version}; its CA has the SHA-256 fingerprint {way.authority.fingerprint}")


def _plain(environ: Mapping[str, str], way: Way) -> Iterator[Finding]:
    """Look at what calls in clear text do."""
    if not way.is_ours:
        return
    text = value(environ, "HTTP_PROXY") or value(environ, "ALL_PROXY")
    try:
        is_same = bool(text) and proxy_url.parse(text) == way.proxy
    except ValueError:
        is_same = False
    if not is_same:
        said = "HTTP_PROXY does not lead there: calls in clear text, as to Ollama on another machine, go past it"
        yield warning("proxy", said, _BY_US)


def _past(environ: Mapping[str, str], way: Way, providers: Providers) -> Iterator[Finding]:
    """Look whether providers are excluded."""
    listed = [each.strip() for each in value(environ, "NO_PROXY").split(",") if each.strip()]
    if "*" in listed and way.proxy:
        yield fault("no proxy", "NO_PROXY is *: everything goes past the proxy", "unset NO_PROXY")
        return
    # wiretape run takes the star away, and leaves the rest.
    excluding = [each for each in listed if each != "*"]
    excluded = [host for host, port in providers.hosts() if any(is_meant(host, port, each) for each in excluding)]
    if excluded:
        hosts = ", ".join(excluded[:_SHOWN])
        if len(excluded) > _SHOWN:
            hosts += f" and {len(excluded) - _SHOWN} more"
        said = f"NO_PROXY leads past every proxy to {hosts}: calls there are neither recorded nor replayed"
        yield fault("no proxy", said, "take these out of NO_PROXY")
    else:
        yield ok("no proxy", "NO_PROXY leads past no provider")
