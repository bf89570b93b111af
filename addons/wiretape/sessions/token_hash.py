"""Hashes of tokens, and their text in the file. Below ``tokens``.

A token is 256 random bits: nobody can guess one, at whatever price. So there is nothing that a slow hash could protect,
and nothing that a salt could; a slow hash would only let whoever sends wrong tokens keep the proxy busy.
"""

import hashlib
import re

_TEXT = re.compile(r"sha256:([0-9a-f]{64})")


def digest(token: str) -> bytes:
    """Return the SHA-256 of a token, whatever text it is."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def dumps(digest: bytes) -> str:
    """Return the text of a digest, as a file has it."""
    return f"sha256:{digest.hex()}"


def loads(text: str) -> bytes:
    """Return the digest that a text of a file says. Raises ValueError, which does not repeat the text."""
    if match := _TEXT.fullmatch(text):
        return bytes.fromhex(match[1])
    raise ValueError("is not sha256: and 64 hexadecimal digits: make the token anew with `wiretape token create`")
