"""Keys for tests: they have the form of real ones, and are nobody's. Made from the templates of the table."""

import re
from itertools import count

_ALPHABETS = {
    "a": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    "t": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "l": "abcdefghijklmnopqrstuvwxyz0123456789",
    "u": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    "h": "0123456789abcdef",
    "d": "123456789",
    "s": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_",
}
_PLACE = re.compile(r"\{([atluhds])([0-9]+)\}")


def draw(template: str, seed: int = 1) -> str:
    """Return the text of a template: ``{a48}`` becomes 48 letters and digits. The same ones for the same seed."""
    places = count(1)

    def drawn(match: re.Match[str]) -> str:
        alphabet, state = _ALPHABETS[match[1]], seed * 2654435761 + next(places) * 40503
        characters = []
        for _ in range(int(match[2])):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            characters.append(alphabet[(state >> 33) % len(alphabet)])
        return "".join(characters)

    return _PLACE.sub(drawn, template)


def parts(template: str, seed: int = 1) -> tuple[str, str]:
    """Return the text of a template, and the secret in it, which stands between « and » or is all of it."""
    text = draw(template, seed)
    if "«" not in text:
        return text, text
    return text.replace("«", "").replace("»", ""), text[text.index("«") + 1 : text.index("»")]
