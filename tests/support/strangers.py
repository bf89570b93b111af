"""Credentials of somebody who has none: whatever bytes a header can have, and what looks right but is not."""

import base64
import random
from collections.abc import Iterator

RIGHT = "wt_" + "A" * 43
"""In the form of a token, and none."""


def headers(count: int, seed: int = 7) -> Iterator[bytes]:
    """Values of ``Proxy-Authorization``, as they stand on the wire: none has a line's end in it."""
    chance = random.Random(seed)
    for number in range(count):
        made = _KINDS[number % len(_KINDS)](chance)
        yield made.replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b"")


def _some(chance: random.Random, most: int = 60) -> bytes:
    return chance.randbytes(chance.randrange(most))


def _text(chance: random.Random) -> str:
    ranges = ((0x20, 0x7F), (0x80, 0x250), (0x400, 0x500), (0x660, 0x66A), (0xFF00, 0xFFEF), (0x1F300, 0x1F600))
    return "".join(chr(chance.randrange(*chance.choice(ranges))) for _ in range(chance.randrange(30)))


def _credentials(chance: random.Random) -> bytes:
    user = chance.choice(
        ("", "checkout", "*", "default", "checkout+live", "%63heckout", "checkout%00", "..", RIGHT, _text(chance))
    )
    token = chance.choice(("", RIGHT, RIGHT.lower(), "wt_", "*", f"{RIGHT}:", "%77t_" + "A" * 43, _text(chance)))
    return f"{user}{chance.choice((':', '', '::'))}{token}".encode()


def _basic(chance: random.Random, credentials: bytes) -> bytes:
    scheme = chance.choice((b"Basic ", b"basic ", b"BASIC  ", b"Basic\t", b"Bearer ", b"Basic", b"Digest ", b" Basic "))
    return scheme + credentials


_KINDS = (
    _some,
    lambda chance: b"Basic " + _some(chance),
    lambda chance: _basic(chance, base64.b64encode(_credentials(chance))),
    lambda chance: _basic(chance, base64.b64encode(_some(chance))),
    lambda chance: _basic(chance, base64.b64encode(_credentials(chance))[: -chance.randrange(1, 4)]),
    lambda chance: _basic(chance, base64.urlsafe_b64encode(_credentials(chance) + _some(chance))),
    lambda chance: _basic(chance, base64.b64encode(_credentials(chance)) + b", Basic " + base64.b64encode(b"a:b")),
    lambda chance: _basic(chance, _credentials(chance)),
    lambda chance: _basic(chance, _text(chance).encode()),
    lambda chance: _basic(chance, base64.b64encode(_credentials(chance)).replace(b"=", b"%3D")),
    lambda chance: _basic(chance, base64.b64encode(_text(chance).encode("utf-16"))),
    lambda chance: _basic(chance, base64.b64encode(b"a" * chance.randrange(9000) + b":" + RIGHT.encode())),
)
