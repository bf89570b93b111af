"""Files that stand over the system's inside: how names are resolved, and which CAs are trusted.

A program that reads no variable, or is started without any, finds mitmproxy's CA where its system keeps CAs. Names are
resolved by files and by the name server inside alone: services of this machine that resolve names, of systemd or nscd,
would ask outside, and are reached by paths, which no namespace of networks closes.
"""

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from wiretape.cli.certificates import TrustFiles

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Alpine
    "/etc/pki/tls/cert.pem",
)

_JAVA_STORES = (
    "/etc/ssl/certs/java/cacerts",
    "/etc/pki/java/cacerts",
    "/etc/pki/ca-trust/extracted/java/cacerts",
)

_NAME_CACHES = ("/run/nscd/socket", "/var/run/nscd/socket", "/run/systemd/resolve/io.systemd.Resolve")
"""Sockets of services that resolve names."""

_NSSWITCH = "/etc/nsswitch.conf"
_RESOLV = "/etc/resolv.conf"

_HOSTS = re.compile(r"^[ \t]*hosts:.*$", re.MULTILINE)


@contextmanager
def covers(trust: TrustFiles, environ: Mapping[str, str]) -> Iterator[list[tuple[str, str]]]:
    """Give pairs of a file of ours, and the file or folder of the system that it stands over inside."""
    with tempfile.TemporaryDirectory(prefix="wiretape-inside-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        no_socket = _written(folder / "none", "")
        resolver = _written(folder / "resolv.conf", "nameserver 127.0.0.1\n")
        pairs = [(resolver, _RESOLV)]
        switch = Path(_NSSWITCH)
        if switch.is_file():
            pairs.append(
                (_written(folder / "nsswitch.conf", files_and_dns(switch.read_text("utf-8", "replace"))), _NSSWITCH)
            )
        pairs += [(no_socket, each) for each in _NAME_CACHES]
        pairs += [(trust.pem, each) for each in _BUNDLES]
        if Path(trust.java).stat().st_size:
            pairs += [(trust.java, each) for each in (*_JAVA_STORES, *_stores_of_java(environ))]
        yield list(_there(pairs))


def files_and_dns(switch: str) -> str:
    """Return the text of an ``nsswitch.conf`` with which names are looked up in files and by the name server alone."""
    return _HOSTS.sub("hosts: files myhostname dns", switch)


def _stores_of_java(environ: Mapping[str, str]) -> list[str]:
    found = [str(path) for path in sorted(Path("/usr/lib/jvm").glob("*/lib/security/cacerts"))]
    home = environ.get("JAVA_HOME")
    if home:
        found.append(f"{home}/lib/security/cacerts")
    return found


def _there(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield those pairs whose second is there, each once, with all links followed."""
    seen = set()
    for ours, theirs in pairs:
        with suppress(OSError):  # Where we may not look, the command may not either.
            real = str(Path(theirs).resolve(strict=True))
            if real not in seen:
                seen.add(real)
                yield ours, real


def _written(path: Path, text: str) -> str:
    path.write_text(text, "utf-8")
    path.chmod(0o644)
    return str(path)
