"""A certificate authority as a proxy has it: PEM text -> what is to be known of it. No key is in it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
_KEY = b"PRIVATE KEY-----"

_SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that may sign others."""

    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        """The certificate, and nothing else that stood beside it."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the certificate, written as ``openssl x509 -fingerprint -sha256`` writes it."""
        return self.certificate.fingerprint(SHA256()).hex(":").upper()

    @property
    def digest(self) -> str:
        """The beginning of the same, as the name of a folder."""
        return self.certificate.fingerprint(SHA256()).hex()[:16]

    def begins_after(self, moment: datetime) -> bool:
        """Tell whether it is not valid yet."""
        return self.certificate.not_valid_before_utc > moment

    def ends_before(self, moment: datetime) -> bool:
        """Tell whether it is valid no more."""
        return self.certificate.not_valid_after_utc < moment

    @property
    def ends_soon(self) -> bool:
        """Whether it is valid for less than 30 days from now."""
        return self.ends_before(datetime.now(UTC) + _SOON)

    @property
    def ends_on(self) -> str:
        """The day on which it ends."""
        return f"{self.certificate.not_valid_after_utc:%Y-%m-%d}"

    def is_in(self, pem: bytes) -> bool:
        """Tell whether a bundle holds it."""
        # Of a bundle with all CAs of a system, no other certificate need be read.
        wanted = b"".join(self.pem.splitlines()[1:-1])
        return wanted in b"".join(pem.split())


def parse(pem: bytes) -> Authority:
    """Return the one authority of a PEM text. Raises ValueError where it is anything else than one that holds now."""
    count = pem.count(_CERTIFICATE)
    if _KEY in pem:
        raise ValueError("a private key came with it, which nobody but the proxy may have")
    if count != 1:
        raise ValueError(f"it holds {count} certificates, and a proxy has one")
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError as e:
        raise ValueError("it cannot be read as a certificate") from e
    return checked(certificate)


def checked(certificate: x509.Certificate) -> Authority:
    """Return an authority that holds now. Raises ValueError, which tells why it is none."""
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        is_authority = constraints.ca
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        is_authority = False
    if not is_authority:
        raise ValueError("it is the certificate of no authority: it may sign no other")
    authority = Authority(certificate)
    now = datetime.now(UTC)
    if authority.ends_before(now):
        raise ValueError(f"it has expired on {authority.ends_on}")
    if authority.begins_after(now):
        raise ValueError(
            f"it is valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on, which is still to come: one "
            "of the two clocks is wrong"
        )
    return authority


def read(path: Path) -> Authority:
    """Read the authority of a file. Raises OSError, and ValueError as ``parse``."""
    return parse(path.read_bytes())
