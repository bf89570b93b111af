"""Hashes of tokens: which, at what cost, and as text. Below ``tokens``."""

import base64
import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass

# The password hashes' usual cost makes guessing dear where few guesses are needed. 256 random bits cannot be guessed at
# any price, so the cost protects nothing here; it would only let whoever sends wrong tokens keep the proxy busy. These
# take about a millisecond.
_ARGON2_KIB, _ARGON2_PASSES, _ARGON2_LANES = 1024, 1, 1
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 512, 8, 1
_SALT = 16
_DIGEST = 32
_MOST_KIB = 1 << 16
"""What a hash in the file may ask for, in KiB of memory."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """How tokens are hashed: equal schemes make equal hashes of equal tokens."""

    name: str
    """``argon2id`` or ``scrypt``."""
    costs: tuple[int, int, int]
    """KiB, passes, lanes; of scrypt N, r, p."""
    salt: bytes

    def digest(self, token: str) -> bytes:
        """32 bytes. Raises ValueError for costs that are none, and for argon2id where argon2-cffi is missing."""
        data = token.encode("utf-8", "surrogatepass")
        one, two, three = self.costs
        if self.name == "scrypt":
            return hashlib.scrypt(data, salt=self.salt, n=one, r=two, p=three, dklen=_DIGEST, maxmem=_MOST_KIB << 10)
        try:
            from argon2.exceptions import HashingError
            from argon2.low_level import Type, hash_secret_raw
        except ImportError as e:
            raise ValueError("a hash of argon2id needs the package argon2-cffi: install wiretape[team]") from e
        try:
            return hash_secret_raw(data, self.salt, two, one, three, _DIGEST, Type.ID)
        except HashingError as e:
            raise ValueError(f"no costs of argon2id: {e}") from e


def new_scheme() -> Scheme:
    """A scheme with a salt of its own: argon2id, or scrypt where argon2-cffi is not installed."""
    salt = secrets.token_bytes(_SALT)
    try:
        import argon2  # noqa: F401
    except ImportError:
        return Scheme("scrypt", (_SCRYPT_N, _SCRYPT_R, _SCRYPT_P), salt)
    return Scheme("argon2id", (_ARGON2_KIB, _ARGON2_PASSES, _ARGON2_LANES), salt)


# The form of the Password Hashing Competition: what argon2's own tools read.
_ARGON2 = re.compile(r"\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")
_SCRYPT = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")


def dumps(scheme: Scheme, digest: bytes) -> str:
    """The text of a hash, as a file has it."""
    one, two, three = scheme.costs
    costs = f"v=19$m={one},t={two}" if scheme.name == "argon2id" else f"ln={one.bit_length() - 1},r={two}"
    parts = (base64.b64encode(each).decode().rstrip("=") for each in (scheme.salt, digest))
    return "$".join(("", scheme.name, f"{costs},p={three}", *parts))


def loads(text: str) -> tuple[Scheme, bytes]:
    """Scheme and digest of a hash's text. Raises ValueError, which does not repeat it, where it is no use here."""
    match = _ARGON2.fullmatch(text) or _SCRYPT.fullmatch(text)
    if not match:
        raise ValueError("is none of argon2id or scrypt as `wiretape token create` writes it")
    name = "argon2id" if match.re is _ARGON2 else "scrypt"
    one, two, three = int(match[1]), int(match[2]), int(match[3])
    one = one if name == "argon2id" else 1 << one
    try:
        salt, digest = (base64.b64decode(each + "=" * (-len(each) % 4), validate=True) for each in match.group(4, 5))
    except binascii.Error as e:
        raise ValueError(f"is no base64: {e}") from e
    memory = one if name == "argon2id" else one * two // 8
    if len(digest) != _DIGEST or len(salt) < _SALT // 2 or memory > _MOST_KIB or two > 1 << 6 or three > 1 << 4:
        raise ValueError(f"has a digest of {_DIGEST} bytes, and costs of at most {_MOST_KIB} KiB, where it is one")
    scheme = Scheme(name, (one, two, three), salt)
    scheme.digest("")  # What cannot be done is told now, not when somebody comes with a token.
    return scheme, digest
