"""Secrets that are known by how they are built: private keys, tokens in parts, passwords in URLs. A part of the table.

All of it is linear. What is looked at is bounded, except for what is taken out, and that is not looked at again.
"""

import base64
import re
from collections.abc import Iterator

import re2

from wiretape.redaction.words import is_placeholder, is_spelled, reads_as_words, share_of_words

PRIVATE_KEY = r"----[- ]BEGIN [A-Z]"
JSON_WEB = r"\b(?:eyJ|eyA|ewo|ew0K)[A-Za-z0-9_-]"
USER_INFO = r"://[^\s/?#@:\"'<>\\`]{0,80}:"
GOOGLE_REFRESH = r"\b1//0[A-Za-z0-9_-]"
TELEGRAM = r"\b[0-9]{8,10}:A[A-Za-z0-9_-]"
DISCORD = r"\b[MNO][A-Za-z0-9]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]"
HOOK_URL = (
    r"hooks\.slack\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/webhooks/[0-9]{5,20}/"
    r"|\.webhook\.office\.com/webhookb2/"
)
AZURE_ENTRA = r"[0-9]Q~"
TERRAFORM = r"\.atlasv1\."
AZURE_RESOURCE = r"JQQJ99"
ZHIPU = r"\b[a-f0-9]{32}\.[A-Za-z0-9]"
FAL = r"-[a-f0-9]{12}:[a-f0-9]"
SIGNATURE = r"[?&;](?:sig|X-Amz-Signature|X-Goog-Signature|X-Amz-Security-Token)="

_BREAK = (
    rb"(?:[ \t]{0,8}(?:\r?\n|(?:\\{1,7}r)?\\{1,7}n)[ \t>]{0,16}|[ \t]{1,8}"
    # A text in a program: of a line each, in quotes.
    rb"|(?:\\{1,7}n)?[\"'][ \t]{0,4}[+,\\]?[ \t]{0,4}\r?\n[ \t]{0,64}[+]?[ \t]{0,4}[\"'])"
)
_BEGIN = re.compile(
    rb"----[- ]BEGIN (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?[- ]----"
    rb"(?:" + _BREAK + rb"(?:[A-Z][A-Za-z-]{2,24}: [^\r\n\\]{0,200})){0,6}"
)
_LINE = re.compile(_BREAK + rb"{0,3}([A-Za-z0-9+/]{1,16384}={0,3})")
_END = re.compile(
    rb"(?:"
    + _BREAK
    + rb"{0,3}=[A-Za-z0-9+/]{4})?"
    + _BREAK
    + rb"{0,3}----[- ]END (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?[- ]----"
)
_SHORTEST_LINE = 16
"""How many characters each line of a private key has at least, if the end of the key was cut off."""

_PARTS = re.compile(rb"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){1,4}")
_HEAD = re.compile(rb"[A-Za-z0-9_-]{8,2048}(?=\.)")
_ALGORITHM = re.compile(rb'"(?:alg|enc)"\s{0,4}:')
# Whoever has a "#" in a password forgets to encode it. Behind a number is a port, and it begins a part of the URL.
_PASSWORD = re.compile(rb"(?![0-9]{1,5}#)[^\s/?\"'<>\\`|,;]{1,256}@")
_ESCAPED = re.compile(rb"%[0-9A-Fa-f]{2}")
_TEMPLATE = re.compile(rb"[${}%()\[\]*]|\.\.\.|__redacted__")
_REFRESH = re.compile(rb"1//0[A-Za-z0-9_-]{40,512}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*")
_AROUND = 48
"""How many bytes around a secret are looked at to tell whether it is a part of something else."""
_TELEGRAM = re.compile(rb"[0-9]{8,10}:A[A-Za-z0-9_-]{34}")
_TOKEN = re.compile(rb"[A-Za-z0-9_-]{24,256}")
_HOOK_PATH = re.compile(rb"[A-Za-z0-9_/@.-]{20,512}")
_RESOURCE = re.compile(rb"[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}(?![A-Za-z0-9])")
_ENTRA = re.compile(rb"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~-])")
_TERRAFORM = re.compile(rb"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}(?![A-Za-z0-9])")
_ZHIPU = re.compile(rb"[a-f0-9]{32}\.[A-Za-z0-9]{16}(?![A-Za-z0-9._/-])")
_FAL = re.compile(rb"[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}:[a-f0-9]{32}(?![A-Za-z0-9])")
_BEFORE_FAL = 23
"""How many characters of a UUID stand before its last hyphen."""
_SIGNED = re.compile(rb"[A-Za-z0-9%+/=_-]{40,}")

_AWS_SECRET = re.compile(rb"(?:^|[^A-Za-z0-9+/=])([A-Za-z0-9+/]{40})(?![A-Za-z0-9+/=])")
_MAY_BE_AWS_SECRET = re2.compile(rb"[A-Za-z0-9+/]{40}")
_BESIDE = 120
"""How many bytes may stand between an access key of AWS and its secret."""
_SHORTEST_PASSWORD = 4
_NO_PASSWORDS = frozenset(
    b"""password pass passwd pwd secret token key user username xxx xxxx test foo bar baz pw p credentials apikey
    api_key mypassword yourpassword your_password your-password port host x guest""".split()
)
"""Stands in the place of a password in a text that explains a URL."""


def _is_ended(data: bytes, at: int) -> bool:
    return not data[at : at + 1].isalnum()


def _is_inside(data: bytes, at: int) -> bool:
    """Tell whether a token that seems to begin here is a part of a longer one."""
    if not at:
        return False
    return data[at - 1 : at] in (b"-", b"_")


def _span_from(pattern: re.Pattern[bytes], data: bytes, at: int) -> tuple[int, int] | None:
    """Return the span of a match that begins at this place; None where there is none, or where it is
    before the text.
    """
    if at < 0:
        return None
    match = pattern.match(data, at)
    if not match:
        return None
    return match.span()


def private_key(data: bytes, start: int, _: int) -> tuple[int, int] | None:
    """Return where a private key in PEM, or of PGP, stands, as far as it goes. Its end may have been cut off.

    A line that is shorter than those of keys belongs to the key only where the end follows: otherwise it may be a word.
    """
    header = _BEGIN.match(data, start)
    if not header:
        return None
    stop = header.end()
    lines = 0
    while line := _LINE.match(data, stop):
        end = _END.match(data, line.end())
        if end:
            return start, end.end()
        if len(line[1]) < _SHORTEST_LINE:
            break
        stop = line.end()
        lines += 1
    if not lines:
        return None
    return start, stop


def token_in_parts(data: bytes, start: int, _: int) -> tuple[int, int] | None:
    """Return where a JSON web token stands, signed or encrypted. Its first part names the algorithm."""
    head = _HEAD.match(data, start)
    if not head or _is_inside(data, start):
        return None
    try:
        told = base64.urlsafe_b64decode(head[0] + b"=" * (-len(head[0]) % 4))
    except ValueError:
        return None
    if not _ALGORITHM.search(told):
        return None
    parts = _PARTS.match(data, start)
    assert parts
    token = parts[0].rstrip(b".")
    if token.count(b".") >= 1:
        return start, start + len(token)
    return None


def user_info(data: bytes, _: int, end: int) -> tuple[int, int] | None:
    """Return where the password in a URL stands."""
    match = _PASSWORD.match(data, end)
    if not match:
        return None
    password = match[0][:-1]
    if (
        len(password) < _SHORTEST_PASSWORD
        or password.lower() in _NO_PASSWORDS
        or _TEMPLATE.search(_ESCAPED.sub(b"", password))
    ):
        return None
    return end, end + len(password)


def google_refresh(data: bytes, start: int, _: int) -> tuple[int, int] | None:
    """Return where a refresh token of Google stands. In base64 of something else, more base64 stands around it."""
    match = _REFRESH.match(data, start)
    if not match or _is_base64(data, start, match.end()):
        return None
    return match.span()


def _is_base64(data: bytes, start: int, end: int) -> bool:
    """Tell whether the text is a part of more base64. It may also be a part of a path."""
    before = _BASE64.match(data[max(0, start - _AROUND) : start][::-1])
    after = _BASE64.match(data, end, end + _AROUND)
    assert before
    assert after
    runs = []
    if before[0].startswith((b"+", b"/")):
        runs.append(before[0][::-1])
    if after[0].startswith((b"+", b"/")):
        runs.append(after[0])
    return any(len(run) >= _AROUND // 2 and share_of_words(run.decode("ascii")) < 0.45 for run in runs)


def telegram(data: bytes, start: int, _: int) -> tuple[int, int] | None:
    """Return where the token of a Telegram bot stands."""
    match = _TELEGRAM.match(data, start)
    if match and _is_ended(data, match.end()):
        return match.span()
    return None


def discord(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Return where the token of a Discord bot stands."""
    match = _TOKEN.match(data, end - 1)
    if not match:
        return None
    return start, match.end()


def hook_url(data: bytes, _: int, end: int) -> tuple[int, int] | None:
    """Return where the path of a web hook stands, with which anybody may write into a channel."""
    match = _HOOK_PATH.match(data, end)
    if match and any(map(str.isdigit, match[0].decode())):
        return match.span()
    return None


def azure_entra(data: bytes, start: int, _: int) -> tuple[int, int] | None:
    """Return where the secret of an application in Azure Entra stands."""
    return _span_from(_ENTRA, data, start - 3)


def terraform(data: bytes, start: int, _: int) -> tuple[int, int] | None:
    """Return where a token of Terraform stands."""
    return _span_from(_TERRAFORM, data, start - 14)


def azure_resource(data: bytes, start: int, _: int) -> tuple[int, int] | None:
    """Return where the key of an Azure service stands: 84 characters."""
    span = _span_from(_RESOURCE, data, start - 52)
    if not span or data[start - 53 : start - 52].isalnum():
        return None
    return span


def zhipu(data: bytes, start: int, _: int) -> tuple[int, int] | None:
    """Return where a key of Zhipu stands: an id and a secret. A file name of a hash and a word looks alike."""
    match = _ZHIPU.match(data, start)
    if not match or _is_inside(data, start):
        return None
    secret = data[start + 33 : match.end()].decode("ascii")
    is_mixed = any(map(str.isupper, secret)) and any(map(str.islower, secret))
    is_name = reads_as_words(secret) or is_spelled(secret) or is_placeholder(secret)
    if is_mixed and not is_name:
        return match.span()
    return None


def fal(data: bytes, start: int, _: int) -> tuple[int, int] | None:
    """Return where a key of fal.ai stands: an id and a secret."""
    span = _span_from(_FAL, data, start - _BEFORE_FAL)
    if not span or data[start - _BEFORE_FAL - 1 : start - _BEFORE_FAL].isalnum():
        return None
    return span


def aws_secrets(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where secrets of AWS stand near the access key at this place."""
    first = max(0, start - _BESIDE)
    beside = data[first : end + _BESIDE]
    if not _MAY_BE_AWS_SECRET.search(beside):
        return
    for match in _AWS_SECRET.finditer(beside):
        text = match[1].decode()
        is_mixed = any(map(str.isupper, text)) and any(map(str.islower, text)) and any(map(str.isdigit, text))
        if is_mixed and not reads_as_words(text) and not is_placeholder(text):
            yield first + match.start(1), first + match.end(1)


def signature(data: bytes, _: int, end: int) -> tuple[int, int] | None:
    """Return where the signature of a URL stands, which grants access to anybody who has it."""
    match = _SIGNED.match(data, end)
    if not match:
        return None
    return match.span()
