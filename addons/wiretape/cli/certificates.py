"""The CAs that the child trusts: those that it would trust anyway, and mitmproxy's. PEM text in, temporary files out.

Most programs read a PEM file that a variable names. Java reads a store of its own, and PHP a file that its
configuration names: they get those as well.
"""

import os
import ssl
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12
from mitmproxy.options import CONF_DIR

from wiretape.cli.environment import CA_VARIABLES

CA_WITH_KEY = "mitmproxy-ca.pem"
"""The file of mitmproxy's CA with its key."""

CA_ALONE = "mitmproxy-ca-cert.pem"
"""The file of its CA without the key: what clients get."""

_PEM = "ca.pem"
_JAVA = "java.p12"
_PHP = "php"
_INI = "wiretape.ini"

_BEGIN = b"-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class TrustFiles:
    """The trusted CAs, in each form that programs read."""

    pem: str
    java: str
    """A store of type PKCS12, without a password."""
    php: str
    """A folder with a configuration file that names the PEM file."""


def trusted_pem(environ: Mapping[str, str]) -> bytes:
    """Return the CAs of the machine and of the user, as PEM.

    Hosts that are not LLM providers pass through the proxy with their own certificates. So the CA of a company must
    stay trusted, whichever variable names it.
    """
    own = {Path(environ[name]) for name in CA_VARIABLES if environ.get(name)}
    chosen = environ.get("SSL_CERT_FILE")
    base = b""
    if chosen:
        base = _read(Path(chosen))
    parts = [base or _system_pem(), *(_read(path) for path in sorted(own) if str(path) != chosen)]
    return b"\n".join(dict.fromkeys(parts))


@contextmanager
def trusted_file(environ: Mapping[str, str]) -> Iterator[str]:
    """Give a temporary file with the trusted CAs alone, for the proxy, which connects in place of the child."""
    with tempfile.NamedTemporaryFile(prefix="wiretape-ca-", suffix=".pem") as file:
        file.write(trusted_pem(environ))
        file.flush()
        yield file.name


@contextmanager
def trust_files(pem: bytes, environ: Mapping[str, str]) -> Iterator[TrustFiles]:
    """Give temporary files with the trusted CAs and ``pem``, which is mitmproxy's CA."""
    with tempfile.TemporaryDirectory(prefix="wiretape-ca-") as name:
        folder = Path(name)
        files = write_trust_files(folder, trusted_pem(environ) + b"\n" + pem)
        folder.chmod(0o755)  # Certificates are public, and the child may run as another user.
        yield files


def write_trust_files(folder: Path, trusted: bytes, used_in: str = "") -> TrustFiles:
    """Write these CAs into a folder, in each form that programs read. Raises OSError.

    What is there already is replaced, and is whole at any time for who reads it meanwhile. ``used_in`` is the path
    under which programs see the folder, where that is another one.
    """
    files = placed_in(used_in or str(folder))
    settings = f'curl.cainfo = "{files.pem}"\nopenssl.cafile = "{files.pem}"\n'
    php = folder / _PHP
    php.mkdir(parents=True, exist_ok=True)
    put(folder / _PEM, trusted)
    put(folder / _JAVA, _java_store(trusted))
    put(php / _INI, settings.encode())
    php.chmod(0o755)
    return files


def placed_in(folder: str) -> TrustFiles:
    """Return where the files of a folder are."""
    return TrustFiles(f"{folder}/{_PEM}", f"{folder}/{_JAVA}", f"{folder}/{_PHP}")


def put(path: Path, data: bytes) -> None:
    """Write a file that everybody may read, in one step for who reads it. Raises OSError."""
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    temporary.write_bytes(data)
    temporary.chmod(0o644)
    temporary.replace(path)


def confdir(settings: Sequence[str] = ()) -> Path:
    """Return the folder in which mitmproxy keeps its CA, by settings as ``name=value``."""
    chosen = next((each.partition("=")[2] for each in reversed(settings) if each.startswith("confdir=")), CONF_DIR)
    return Path(chosen).expanduser()


def hashed_folder(trust: TrustFiles) -> str:
    """Make a folder of the trusted CAs beside the other files, each where OpenSSL looks for it, and return it.

    Of the file that ``SSL_CERT_FILE`` names a client reads all CAs when it is made, which takes as long as ten hits. Of
    the folder that ``SSL_CERT_DIR`` names it reads the one that it needs.
    """
    from OpenSSL import crypto

    folder = Path(trust.pem).with_name("hashed")
    folder.mkdir(mode=0o755)
    seen: Counter[int] = Counter()
    for block in Path(trust.pem).read_bytes().split(_BEGIN)[1:]:
        try:
            number = crypto.load_certificate(crypto.FILETYPE_PEM, _BEGIN + block).subject_name_hash()
        except crypto.Error:
            continue  # OpenSSL could not read it there either.
        folder.joinpath(f"{number:08x}.{seen[number]}").write_bytes(_BEGIN + block)
        seen[number] += 1
    return str(folder)


def check_confdir(settings: Sequence[str]) -> None:
    """Raise OSError, which tells what to do, where mitmproxy cannot keep its CA: it would end with a traceback."""
    folder = confdir(settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / CA_WITH_KEY).exists():
            with tempfile.TemporaryFile(dir=folder):
                pass
    except OSError as e:
        text = f"{folder}: mitmproxy's CA cannot be kept there: {e.strerror or e}. Let HOME, or --set confdir=, name a"
        raise OSError(f"{text} folder that can be written") from e


def _java_store(pem: bytes) -> bytes:
    """Return the certificates of a PEM text as a store that Java reads without a password."""
    certificates: dict[bytes, pkcs12.PKCS12Certificate] = {}
    for block in pem.split(_BEGIN)[1:]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # It warns of old CAs, which systems trust nevertheless.
            try:
                certificate = x509.load_pem_x509_certificate(_BEGIN + block)
            except ValueError:
                continue  # Java could not read it either.
        name = str(len(certificates)).encode()
        certificates.setdefault(certificate.tbs_certificate_bytes, pkcs12.PKCS12Certificate(certificate, name))
    if not certificates:
        return b""
    return pkcs12.serialize_java_truststore(list(certificates.values()), NoEncryption())


def _system_pem() -> bytes:
    paths = ssl.get_default_verify_paths()
    # Not that of SSL_CERT_FILE, which the caller has looked at.
    pem = _read(Path(paths.openssl_cafile))
    if pem:
        return pem
    if paths.capath and Path(paths.capath).is_dir():
        # The same certificate is there under its name and under its hash.
        parts = dict.fromkeys(filter(None, map(_read, sorted(Path(paths.capath).iterdir()))))
        if parts:
            return b"\n".join(parts)
    import certifi

    return _read(Path(certifi.where()))


def _read(path: Path) -> bytes:
    # The child could not have read it either.
    try:
        pem = path.read_bytes()
    except OSError:
        return b""
    if _BEGIN in pem:
        return pem
    return b""
