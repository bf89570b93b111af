"""Detectors of what tells of a person: card numbers, e-mail addresses, telephone numbers. They are off by default."""

import re

from wiretape.redaction.detectors import Detector

_ADDRESS = re.compile(rb"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_NUMBERS = range(13, 20)
"""How many digits the number of a card may have."""


def _email(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    host = _ADDRESS.match(data, end)
    if not host:
        return None
    return start, end + len(host[0].rstrip(b"-"))


def _card(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    digits = [digit - 48 for digit in data[start:end] if 48 <= digit <= 57]
    if len(digits) not in _NUMBERS or data[end : end + 1].isdigit() or len(set(digits)) == 1:
        return None
    # Luhn: every second digit from the right is doubled, and the digits of the result are added.
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    if (sum(digits[-1::-2]) + sum(doubled)) % 10 != 0:
        return None
    return start, end


def _phone(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    digits = sum(48 <= byte <= 57 for byte in data[start:end])
    if 8 <= digits <= 15 and not data[end : end + 1].isalnum():
        return start, end
    return None


DETECTORS = (
    Detector(
        "pii email",
        r"\b[A-Za-z0-9._%+-]{1,64}@",
        _email,
        ("«jane.doe+news@mail.example.org»", "mailto:«j@example.com»"),
        ("@decorator", "user@host", "a @ b.c"),
    ),
    Detector(
        "pii card",
        r"\b[0-9](?:[ -]?[0-9]){12,18}",
        _card,
        ("«4111 1111 1111 1111»", "«4111111111111111»", "«3782-822463-10005»"),
        ("4111 1111 1111 1112", "1234567890123456", "2024-01-01 10:00:00", "0000000000000000"),
    ),
    Detector(
        "pii phone",
        r"\+[0-9](?:[ ().-]{0,2}[0-9]){7,14}|\(?\b[0-9]{3}\)?[-. ][0-9]{3}[-. ][0-9]{4}\b",
        _phone,
        ("«+49 30 901820»", "«+14155550123»", "«(415) 555-0123»", "«415-555-0123»"),
        ("+1", "2024-01-01", "192.168.100.200", "1+2345"),
    ),
)
