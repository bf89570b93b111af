"""The CAs that the child trusts: those it would trust anyway, and mitmproxy's. PEM text in, a temporary file out."""

import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from wiretape.cli.environment import CA_VARIABLES

_BEGIN = b"-----BEGIN CERTIFICATE-----"


def trusted_pem(environ: Mapping[str, str]) -> bytes:
    """The CAs of the machine and of the user, as PEM.

    Hosts that are no LLM provider pass through the proxy with their own certificates, so a company's CA must stay
    trusted whichever variable names it.
    """
    own = {Path(environ[name]) for name in CA_VARIABLES if environ.get(name)}
    chosen = environ.get("SSL_CERT_FILE")
    base = _read(Path(chosen)) if chosen else b""
    parts = [base or _system_pem(), *(_read(path) for path in sorted(own) if str(path) != chosen)]
    return b"\n".join(dict.fromkeys(parts))


@contextmanager
def bundle(pem: bytes, environ: Mapping[str, str]) -> Iterator[str]:
    """The path of a temporary file with ``pem`` (mitmproxy's CA) after the trusted CAs; removed at the end."""
    handle, path = tempfile.mkstemp(prefix="wiretape-ca-", suffix=".pem")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(trusted_pem(environ) + b"\n" + pem)
        Path(path).chmod(0o644)  # certificates are public, and the child may run as another user
        yield path
    finally:
        Path(path).unlink(missing_ok=True)


def _system_pem() -> bytes:
    paths = ssl.get_default_verify_paths()
    if paths.cafile and (pem := _read(Path(paths.cafile))):
        return pem
    folder = Path(paths.capath) if paths.capath else None
    files = sorted(folder.iterdir()) if folder and folder.is_dir() else []
    # The same certificate stands there under its name and under its hash.
    if parts := dict.fromkeys(pem for path in files if (pem := _read(path))):
        return b"\n".join(parts)
    import certifi

    return _read(Path(certifi.where()))


def _read(path: Path) -> bytes:
    # What is unreadable or no PEM would have been of no use to the child either.
    try:
        pem = path.read_bytes()
    except OSError:
        return b""
    return pem if _BEGIN in pem else b""
