"""The port of a shared proxy: free, or who has it."""

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from wiretape.cli import proxy_answer
from wiretape.cli.doctor.finding import Finding, fault, ok, warning
from wiretape.cli.proxy_answer import NoProxyError
from wiretape.cli.proxy_url import ProxyUrl
from wiretape.network.address import HERE, Address

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  it is compared with, and nothing listens there
_LISTENING = "0A"
_OTHER = "choose another port: mitmdump --listen-port PORT, wiretape serve --listen HOST:PORT; wiretape run finds one"


def findings(address: Address) -> Iterator[Finding]:
    """Look at an address at which a shared proxy would listen."""
    reason = _why_not(address)
    if reason is None:
        yield ok("port", f"{address} is free")
    elif reason == errno.EADDRINUSE:
        yield _who(address)
    else:
        yield fault("port", f"nothing can listen at {address}: {os.strerror(reason)}", _OTHER)


def _why_not(address: Address) -> int | None:
    """Return why nothing can listen there; None where it can."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.socket(family) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address.host, address.port))
            listener.listen()
    except socket.gaierror:
        return errno.EADDRNOTAVAIL
    except OSError as e:
        return e.errno or errno.EADDRNOTAVAIL
    return None


def _who(address: Address) -> Finding:
    host = HERE if address.host in _EVERYWHERE else address.host
    by = ""
    name = holder(address.port)
    if name:
        by = f", by {name}"
    try:
        answer = proxy_answer.ask(ProxyUrl(Address(host, address.port)))
    except NoProxyError:
        return warning("port", f"{address} is taken{by}, which is no proxy", _OTHER)
    if answer.is_ours and answer.status == 407:
        return ok("port", f"a wiretape listens at {address}{by}, and wants tokens")
    if answer.is_ours:
        return ok("port", f"a wiretape listens at {address}{by}, of version {answer.version or 'unknown'}")
    if answer.pem:
        advice = 'start it with the addon: mitmdump -s "$(wiretape addon)"'
        return warning("port", f"a mitmproxy without wiretape listens at {address}{by}", advice)
    return warning("port", f"{address} is taken{by}, which is no wiretape", _OTHER)


def holder(port: int, proc: Path = Path("/proc")) -> str:
    """Return which process of this user's listens on a port, as Linux tells it; empty where that is not known."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port, proc)}
    if not sockets:
        return ""
    for folder in proc.glob("[0-9]*"):
        try:
            has_it = any(str(each.readlink()) in sockets for each in (folder / "fd").iterdir())
            if has_it:
                # Its arguments may hold a token: its name is enough.
                return f"{(folder / 'comm').read_text('utf-8', 'replace').strip()} (process {folder.name})"
        except OSError:  # It has ended, or is another user's.
            continue
    return ""


def _inodes(port: int, proc: Path) -> Iterator[str]:
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / name).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if len(words) > 9 and words[3] == _LISTENING and int(words[1].rpartition(":")[2], 16) == port:
                yield words[9]
