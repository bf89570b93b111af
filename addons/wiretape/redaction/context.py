"""Secrets that are known by what stands before them: ``KEY=value``, ``Authorization: Bearer ...``, ``--password ...``.

This is a part of the table. A hook finds a name that ends in a word such as *token* and the sign that divides it from
its value; a function of this module looks at the value. Whether that is a secret depends on the name, on the value, and
on how it is written: in source code such names are everywhere, and behind them stand other names.

All of it is linear. What is looked at before and behind a name is bounded, except for a value that is taken out, and
what was taken out is not looked at again.
"""

import base64
import binascii
import re

from wiretape.redaction import values
from wiretape.redaction.members import Strength, is_constant, is_constant_key, strength
from wiretape.redaction.values import Writing

_WORDS = "key|token|secret|passw(?:or)?d|passphrase|pwd|pass|credentials?|cookie|authorization|auth|jwt|pat"
_NAME = rf"(?i:{_WORDS})[A-Za-z0-9_-]{{0,16}}"
_QUOTE = r"""\\{0,7}["'`]"""

ASSIGNMENT = (
    # The end of a name, and perhaps a quote behind it, as in os.environ["X_KEY"].
    rf"{_NAME}(?:{_QUOTE})?[\])*]{{0,2}}[ \t]{{0,8}}"
    # The sign that divides it from the value. A type may stand there: `token: str = "..."`.
    r"(?:=>|:=|={1,3}|:(?:[ \t]{0,2}[A-Za-z][A-Za-z0-9_.\[\]]{0,20}[ \t]{1,2}=[ \t])?|>|\|[ \t])"
    # A name and a value in a list: ("X-Api-Key", "...").
    rf"|{_NAME}{_QUOTE}[ \t]{{0,4}},"
)
OPTION = rf"(?:^|[\s\"'`(\[=])--[a-z-]{{0,24}}?(?:{_WORDS})[ \t]"
TOLD = (
    rf"\b(?i:{_WORDS})[ \t](?:(?:for|of|to)[ \t](?:(?:the|my|our|your)[ \t])?[A-Za-z0-9_.-]{{1,20}}[ \t])?(?:is|was)"
    r"[ \t]*:?[ \t]"
)
FOLLOWED = rf"(?i:{_WORDS})[ \t][\"']?[A-Za-z0-9_/+.=-]{{16}}"
FOLLOWED_BY = 16
LOGIN = r"(?:^|[ \t])(?:-u|--user)[ =][\"']?[A-Za-z0-9_.@-]{1,64}:"
ATTRIBUTE = rf"[\"'][A-Za-z0-9_.:-]{{0,40}}?(?i:{_WORDS})[A-Za-z0-9_]{{0,16}}[\"'][ \t]{{1,4}}value="
COOKIES = r"[ \t](?:-b|--cookie)[ =][\"'][A-Za-z0-9_.-]{1,32}="
SHORT_OPTION = r"[ \t]-p[ \t]?[\"']?[A-Za-z0-9]"
NETRC = r"\blogin[ \t][^\s]{1,40}[ \t]password[ \t]{1,4}"
CLIENT = r"\b(?:Client(?:V2)?|Mistral(?:Client)?|Together|Pinecone|DeepgramClient)\([ \t]{0,4}[\"'][A-Za-z0-9]"
SCHEME = r"\b(?i:bearer|basic)[ \t]{1,4}"

_BEFORE = 64
"""How many bytes before the hook may belong to the name."""
_JUDGED = 128
"""How many bytes of a value are looked at to judge it."""
_LONGEST = 16384
"""How many bytes a quoted value has at most."""

_NAME_BACKWARDS = re.compile(rb"[A-Za-z0-9_.-]{0,64}(?: [A-Za-z]{1,12})?")
_NAME_FORWARDS = re.compile(rb"[A-Za-z0-9_-]{0,32}")
_OPENING = re.compile(rb"\*{0,2}[ \t]{0,8}(?:[bBrRuU]{0,2}(\\{0,7}[\"'`]))?")
_BARE = re.compile(rb"[^\s\"'`<>(){}\[\],;|&\\]+")
_QUOTED_NAME = re.compile(rb"[\"']([A-Za-z0-9_.:-]+)[\"']")
_ON_LINE = re.compile(rb"[^\s\"'`\\]+")
_TO_LINE_END = re.compile(rb"[^\r\n\\<>'`]+")
_TO_END = re.compile(rb"[^\r\n\"'`\\<>]+")
_CREDENTIALS = re.compile(
    rb"(?i)(bearer|basic|token|apikey|api-key)[ \t]+|(digest|aws4-[a-z0-9-]+|[a-z]{2,16})[ \t]+(?=[A-Za-z]+=)"
)
_LINE_START = re.compile(rb"(?:^|[\r\n]|\\n|\\r)[ \t]*(?:[-+>#*][ \t]+)?(?:(?i:export|setx?|env|arg)[ \t]+|\$env:)?$")
_LINE_END = re.compile(rb"[ \t]*(?:[\r\n\"'`]|$|\\[nr\"]|#)")
_PARAMETER = re.compile(r'[A-Za-z0-9_.-]{1,64}="?([^\s;,"]{4,})')
"""A part of a header: a cookie, or one of the parts of a signature."""
_NAME_OF_KIND = re.compile(rb"(?:::|\barn:[^\s\"']{0,60}:)\Z")
"""Stands before the last part of ``AWS::IAM::AccessKey`` and of ``arn:aws:secretsmanager:...:secret:...``."""
_DEFINED = re.compile(rb"\bdefine\([ \t]{0,4}[\"']\Z")
_COMMAND = re.compile(rb"(?:--set(?:-string)?[ =]|=)\Z")
"""Stands before a name to which a command gives a value."""
_PASSWORD_COMMAND = re.compile(rb"\b(?:sshpass|mysql[a-z]{0,8}|mariadb)\b[^\n]{0,80}\Z")
_PASSWORDS = ("password", "passwd", "passphrase", "pwd", "pass")


def assignment(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Return where the value of a name stands, if it is a secret. The hook stands from ``start`` to ``end``."""
    name, before = _name(data, start, end)
    level = strength(name)
    words = name.split(" ")[-1]
    if level is Strength.NONE and not is_constant_key(words):
        return None
    if _NAME_OF_KIND.search(data, max(0, before - _BEFORE), before):
        return None
    opened = _OPENING.match(data, end)
    assert opened
    at = opened.end()
    last = name.lower().rpartition(" ")[2]
    delimiter = opened[1]
    if delimiter:
        close = _closing(data, at, delimiter)
        if close is not None:
            writing = Writing.QUOTED
            if data[end - 1 : end] == b"," and not _DEFINED.search(data, max(0, before - 32), before):
                writing = Writing.BARE
            return _judged(data, at, close, last, writing)
    elif data[end - 1 : end] == b",":
        return None  # It is a list of names.
    if last.endswith(("authorization", "cookie")):
        return _header(data, at, _run(_TO_END, data, at), last)
    if _LINE_START.search(data[max(0, before - 32) : before]):
        line = _run(_ON_LINE, data, at)
        if _LINE_END.match(data, line) and data[line - 1 : line] not in (b",", b";"):
            return _taken(data, at, line, _ON_LINE, _writing_of_line(data, at, end, line, last))
    return _within_line(data, at, before, end, name)


def _writing_of_line(data: bytes, at: int, end: int, line: int, last: str) -> Writing:
    """Return how a value is written that goes to the end of its line, behind the hook that ends at ``end``."""
    # Source code has spaces around its "=", and names behind it.
    is_code = data[end - 2 : end - 1].isspace() and data[at:line].replace(b"_", b"").isalnum()
    writing = _plain(last)
    return Writing.BARE if is_code and writing is Writing.PLAIN else writing


def _within_line(data: bytes, at: int, before: int, end: int, name: str) -> tuple[int, int] | None:
    """Return where a value stands that neither quotes nor a line's end bound, if it is a secret."""
    words = name.rsplit(" ", maxsplit=1)[-1]
    last = name.lower().rpartition(" ")[2]
    stop = _run(_BARE, data, at)
    sign = data[end - 1 : end + 1]
    is_enclosed = sign[:1] == b">" and data[stop : stop + 1] == b"<"
    is_tight = (
        sign[:1] == b"=" and not sign.isspace() and not sign[1:].isspace() and not data[end - 2 : end - 1].isspace()
    )
    # Such as X_PASSWORD=... make, and Server=...;Password=...;
    is_command = words.startswith("--") or _COMMAND.search(data, max(0, before - 16), before)
    is_set = is_tight and (is_constant(words) or is_command or data[stop : stop + 1] == b";")
    if is_enclosed or data[before - 1 : before] in (b"?", b"&", b";") or (is_set and data[stop : stop + 1] != b"("):
        return _taken(data, at, stop, _BARE, _plain(last))
    stop = _before_mark(data, at, stop)
    writing = Writing.BARE
    if sign == b": " and _plain(last) is Writing.PASSWORD and _LINE_END.match(data, stop):
        writing = Writing.PASSWORD
    return _taken(data, at, stop, _BARE, writing)


def _plain(name: str) -> Writing:
    if name.endswith(_PASSWORDS):
        return Writing.PASSWORD
    return Writing.PLAIN


def _name(data: bytes, start: int, end: int) -> tuple[str, int]:
    """Return the whole name, of which the hook has the end, and where it begins."""
    backwards = _NAME_BACKWARDS.match(data[max(0, start - _BEFORE) : start][::-1])
    forwards = _NAME_FORWARDS.match(data, start, end)
    assert backwards
    assert forwards
    name = backwards[0][::-1] + forwards[0]
    # The line may begin right before the name: the words before that are no part of it then.
    own = len(name) - (name.rfind(b" ") + 1)
    return name.decode("ascii"), forwards.end() - own


def _run(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    """Return where a value may end, as far as it is looked at to judge it."""
    match = pattern.match(data, at, at + _JUDGED)
    if not match:
        return at
    return match.end()


def _before_mark(data: bytes, at: int, stop: int) -> int:
    """Return where a value ends without the mark that ends the sentence behind it."""
    return at + len(data[at:stop].rstrip(b".:!?"))


def _taken(
    data: bytes, at: int, stop: int, pattern: re.Pattern[bytes], writing: Writing = Writing.PLAIN
) -> tuple[int, int] | None:
    """Return where a value stands, to its very end, if it is a secret."""
    text = data[at:stop].decode("ascii", "replace")
    if not values.is_secret(text, writing):
        return None
    if stop - at == _JUDGED:
        stop = _end(data, stop, pattern)
    return at, stop


def _closing(data: bytes, at: int, delimiter: bytes) -> int | None:
    """Return where a quoted value ends, or None where it does not end on its line."""
    place = data.find(delimiter, at, at + _LONGEST)
    while place > 0 and data[place - 1 : place] == b"\\":  # That quote is escaped.
        place = data.find(delimiter, place + 1, at + _LONGEST)
    if place < 0 or data.find(b"\n", at, place) >= 0:
        return None
    return place


def _judged(data: bytes, at: int, close: int, name: str, writing: Writing = Writing.QUOTED) -> tuple[int, int] | None:
    """Return where a quoted value stands, if it is a secret."""
    if name.endswith(("authorization", "cookie")):
        return _header(data, at, min(close, at + _JUDGED), name, close=close, writing=writing)
    text = data[at : min(close, at + _JUDGED)].decode("utf-8", "replace")
    if writing is Writing.QUOTED and name.endswith(_PASSWORDS):
        writing = Writing.PASSWORD
    if not values.is_secret(text, writing):
        return None
    return at, close


def _header(
    data: bytes, at: int, stop: int, name: str, *, close: int | None = None, writing: Writing = Writing.PLAIN
) -> tuple[int, int] | None:
    """Return where the credentials stand in the value of a header, or where its cookies stand."""
    text = data[at:stop].decode("ascii", "replace")
    scheme = _CREDENTIALS.match(data, at, stop)
    start = at
    if scheme:
        start = scheme.end()
    if scheme and scheme[2] and close is None:
        stop = _run(_TO_LINE_END, data, at)
        text = data[at:stop].decode("ascii", "replace")
    if name.endswith("cookie") or (scheme and scheme[2]):
        if not any(map(values.is_secret, _PARAMETER.findall(text))):
            return None
        if close is not None:
            return start, close
        to_end = _TO_END
        if scheme:
            to_end = _TO_LINE_END
        return start, _end(data, stop, to_end)
    stop = _run(_BARE, data, start)
    if scheme and scheme[1].lower() == b"basic" and _is_basic(data[start:stop]):
        return start, stop
    if writing is not Writing.BARE:
        writing = Writing.PLAIN
    return _taken(data, start, stop, _BARE, writing)


def _end(data: bytes, at: int, pattern: re.Pattern[bytes]) -> int:
    """Return where a value ends that was looked at up to ``at``."""
    rest = pattern.match(data, at)
    if not rest:
        return at
    return rest.end()


def _is_basic(credentials: bytes) -> bool:
    """Tell whether the credentials are a name and a password in base64."""
    try:
        return b":" in base64.b64decode(credentials[: len(credentials) // 4 * 4], validate=True)
    except binascii.Error:
        return False


def option(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Return where the value of a command's option stands, if it is a secret."""
    name = data[start:end].strip(b" \t\r\n\"'`([=").strip(b"-").decode("ascii")
    if strength(name) is Strength.NONE:
        return None
    opened = _OPENING.match(data, end)
    assert opened
    if opened[1]:
        close = _closing(data, opened.end(), opened[1])
        if close is not None:
            return _judged(data, opened.end(), close, name)
    return _taken(data, opened.end(), _run(_BARE, data, opened.end()), _BARE, _plain(name))


def told(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Return where a secret stands that a sentence tells: "the password is ..."."""
    name, _ = _name(data, start, end)
    if strength(name) is Strength.NONE:
        return None
    opened = _OPENING.match(data, end)
    assert opened
    at = opened.end()
    return _taken(data, at, _before_mark(data, at, _run(_BARE, data, at)), _BARE, _plain(name.lower()))


def followed(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Return where a key stands that directly follows its name: "token ...", "password ..."."""
    name, _ = _name(data, start, end)
    if strength(name) is Strength.NONE and not is_constant_key(name.split(" ")[-1]):
        return None
    return _taken(data, end, _before_mark(data, end, _run(_BARE, data, end)), _BARE, Writing.BARE)


def login(data: bytes, _: int, end: int) -> tuple[int, int] | None:
    """Return where the password stands that a command is given together with a name: ``curl -u me:...``."""
    return _taken(data, end, _run(_BARE, data, end), _BARE, Writing.PASSWORD)


def attribute(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Return where the value stands whose name is in the attribute before it: ``key="ApiKey" value="..."``."""
    name = _QUOTED_NAME.search(data, start, end)
    opened = _OPENING.match(data, end)
    if not name or not opened or not opened[1] or strength(name[1].decode("ascii")) is Strength.NONE:
        return None
    close = _closing(data, opened.end(), opened[1])
    if close is None:
        return None
    return _judged(data, opened.end(), close, name[1].decode("ascii").lower())


def cookies(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Return where the cookies stand that a command is given."""
    quote = max(data.rfind(b'"', start, end), data.rfind(b"'", start, end))
    close = _closing(data, quote + 1, data[quote : quote + 1])
    if close is None:
        return None
    return _judged(data, quote + 1, close, "cookie")


def short_option(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Return where a password stands behind ``-p``, for commands whose ``-p`` is followed by one."""
    if not _PASSWORD_COMMAND.search(data[max(0, start - 96) : start]):
        return None
    is_apart = data[start + 3 : start + 4].isspace()
    if is_apart and b"sshpass" not in data[max(0, start - 8) : start]:
        return None  # The command will ask for it; what follows is the name of a database.
    return _taken(data, end - 1, _run(_BARE, data, end - 1), _BARE, Writing.PASSWORD)


def client(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Return where a key stands that is the first argument of a provider's client."""
    return _taken(data, end - 1, _run(_BARE, data, end - 1), _BARE, Writing.BARE)


def scheme(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Return where the credentials behind ``Bearer`` or ``Basic`` stand, in any text."""
    at = end
    stop = _run(_BARE, data, at)
    if data[start : start + 5].lower() == b"basic":
        credentials = data[at:stop]
        if len(credentials) >= 12 and _is_basic(credentials):
            return at, stop
        return None
    return _taken(data, at, _before_mark(data, at, stop), _BARE, Writing.BARE)
