"""Hashes of tokens, and how the file writes them. ``tokens`` uses it.

A token is 256 random bits: nobody can guess one, at any price. So a slow hash, or a salt, would protect nothing; and a
slow hash would let anybody who sends wrong tokens keep the proxy busy.
"""

import hashlib
import re

_TEXT = re.compile(r"sha256:([0-9a-f]{64})")


def digest(token: str) -> bytes:
    """Return the SHA-256 of a token, or of any other text."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def dumps(digest: bytes) -> str:
    """Return a digest as the file writes it."""
    return f"sha256:{digest.hex()}"


def loads(text: str) -> bytes:
    """Return the digest that a text of the file means. Raises ValueError, which does not repeat the text."""
    match = _TEXT.fullmatch(text)
    if not match:
        raise ValueError("is not sha256: and 64 hexadecimal digits: make the token anew with `wiretape token create`")
    return bytes.fromhex(match[1])
