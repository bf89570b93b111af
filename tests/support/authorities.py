"""Certificates for tests of what looks at them: of authorities and of others, of any time."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


class Certificate:
    """A certificate that has signed itself, with its key."""

    def __init__(
        self, begins: datetime | None = None, ends: datetime | None = None, *, is_authority: bool | None = True
    ) -> None:
        """``is_authority`` is None for one that does not tell."""
        now = datetime.now(UTC)
        begins = begins or now - timedelta(days=1)
        ends = ends or now + timedelta(days=365)
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "of a test")])
        serial = x509.random_serial_number()
        builder = x509.CertificateBuilder(name, name, self.key.public_key(), serial, begins, ends)
        if is_authority is not None:
            builder = builder.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        self.certificate = builder.sign(self.key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key, as mitmproxy keeps it."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
