"""The CA of this machine: there, readable, valid, its key nobody else's."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from wiretape.cli.authority import Authority
from wiretape.cli.certificates import CA_ALONE, CA_WITH_KEY
from wiretape.cli.doctor.finding import Finding, fault, ok, warning

_OTHERS = 0o077
"""What nobody but the owner may do."""

_ANEW = "remove both files and start a proxy, which makes them anew; then have all programs trust the new one"


def findings(folder: Path) -> Iterator[Finding]:
    """Look at the CA in a folder of mitmproxy's."""
    with_key = folder / CA_WITH_KEY
    try:
        data = with_key.read_bytes()
        mode = stat.S_IMODE(with_key.stat().st_mode)
    except FileNotFoundError:
        yield ok("ca", f"there is none in {folder} yet: the first proxy that is started makes it")
        return
    except OSError as e:
        advice = "let this user read it, or name another folder with --confdir and --set confdir="
        yield fault("ca", f"{with_key} cannot be read: {e.strerror}", advice)
        return
    try:
        key = load_pem_private_key(data, None)
        authority = Authority(x509.load_pem_x509_certificate(data))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        yield fault("ca", f"{with_key} does not hold a key and a certificate", _ANEW)
        return
    if _public(key.public_key()) != _public(authority.certificate.public_key()):
        yield fault("ca", f"{with_key}: the key is not that of the certificate", _ANEW)
    yield from _times(authority, with_key)
    yield from _alone(authority, folder / CA_ALONE)
    if os.name == "posix" and mode & _OTHERS:
        said = f"{with_key} has the mode {mode:o}: who reads its key can be any server for those who trust it"
        yield fault("ca key", said, f"chmod 600 {with_key}")
    else:
        yield ok("ca key", "its owner's alone")


def _times(authority: Authority, file: Path) -> Iterator[Finding]:
    now = datetime.now(UTC)
    if authority.ends_before(now):
        yield fault("ca", f"{file} has expired on {authority.ends_on}", _ANEW)
    elif authority.begins_after(now):
        begins = f"{authority.certificate.not_valid_before_utc:%Y-%m-%d %H:%M}"
        yield fault("ca", f"{file} is valid from {begins} UTC on, which is still to come", "set the clock right")
    elif authority.ends_soon:
        yield warning("ca", f"{file} expires on {authority.ends_on}", _ANEW)
    else:
        yield ok("ca", f"valid until {authority.ends_on}; SHA-256 fingerprint {authority.fingerprint}")


def _alone(authority: Authority, file: Path) -> Iterator[Finding]:
    """Look at the file that clients get: it is written once, and stays when somebody puts another CA beside it."""
    try:
        given = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        yield fault(
            "ca",
            f"{file} cannot be read, and is what programs get",
            f"write the certificate of the CA: {_out_of(file)}",
        )
        return
    if given != authority.certificate:
        yield fault("ca", f"{file}, which programs get, is another CA than the one that signs", _out_of(file))


def _out_of(file: Path) -> str:
    return f"openssl x509 -in {file.with_name(CA_WITH_KEY)} -out {file}"


def _public(key: object) -> bytes:
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
    return encoded
