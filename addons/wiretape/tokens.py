"""Tokens: who may use which session, and how. Beside the data's way: text in, values out.

A token is ``wt_`` and 32 random bytes. Only its hash is kept (``tokenhash``), as ``[[token]]`` in a TOML file
(``tokenfile``); the token itself is in no file, no log and no ``repr``.
"""

import hmac
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from wiretape import tokenhash, tomltext
from wiretape.session import TOKEN_PREFIX, Role, check_name, parse_role
from wiretape.tokenhash import Scheme, new_scheme

EVERY = "*"
"""The session of a token that is good for all."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")

_REMEMBERED = 4096
"""Pairs of session and token that are not hashed again."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was just made. Whoever shows it has to say so: neither ``str`` nor ``repr`` does."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept of a token."""

    name: str
    session: str
    """A session's name, or ``*`` for all."""
    role: Role
    created: datetime
    """With a time zone."""
    scheme: Scheme = field(repr=False)
    digest: bytes = field(repr=False)

    def serves(self, session: str) -> bool:
        """Whether the token is good for a session."""
        return self.session in (EVERY, session)


class Tokens:
    """The tokens of a proxy. For any number of threads.

    All that are created together have one salt, so that one hash tells which of them a token is: an answer takes as
    long for one token as for a thousand. The salt of a password defeats tables made beforehand, and there are none
    of 256 random bits.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries = tuple(entries)
        # Without entries there is as much to do as with them.
        self._schemes = tuple(dict.fromkeys(entry.scheme for entry in self.entries)) or (new_scheme(),)
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, Entry] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.entries)

    def check(self, session: str, token: str) -> Entry | None:
        """The entry of a token that is good for a session.

        Whatever is wrong, a session that nobody knows, a token that nobody has, another session's token, no token at
        all: it takes as long. What was right is remembered, by a keyed hash, and is then told at once.
        """
        asked = f"{len(session)} {session} {token}".encode("utf-8", "surrogatepass")
        key = hmac.digest(self._key, asked, "sha256")
        with self._lock:
            if known := self._known.get(key):
                self._known.move_to_end(key)
                return known
        digests = {scheme: scheme.digest(token) for scheme in self._schemes}
        found: Entry | None = None
        for entry in self.entries:
            # To the end, and the digests first: how long it takes says nothing of which entry it was.
            is_it = hmac.compare_digest(digests[entry.scheme], entry.digest)
            if is_it & entry.serves(session) and found is None:
                found = entry
        if found:
            with self._lock:
                self._known[key] = found
                if len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
        return found

    def create(self, session: str, role: Role, name: str = "", now: datetime | None = None) -> "tuple[Token, Tokens]":
        """A new token, for the one who asked for it and nobody else, and the tokens with its entry as the last.

        ``session`` may be ``*``; without a name it is called after session and role. Raises ValueError for a wrong
        name, or one that is taken.
        """
        if session != EVERY:
            check_name(session)
        names = {entry.name for entry in self.entries}
        if not name:
            base = f"{'all' if session == EVERY else session}-{role}"[:60]
            name = next(each for each in _numbered(base) if each not in names)
        if name in names:
            raise ValueError(f"there is a token named {name!r} already: remove it first, or choose another name")
        token = Token(TOKEN_PREFIX + secrets.token_urlsafe(32))
        scheme = self._schemes[-1]
        created = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
        entry = Entry(_token_name(name), session, role, created, scheme, scheme.digest(token.text))
        return token, Tokens((*self.entries, entry))

    def without(self, name: str) -> "Tokens":
        """The tokens but for one. Raises ValueError, which names all, where there is none of that name."""
        if name not in (names := [entry.name for entry in self.entries]):
            raise ValueError(f"there is no token named {name!r}; there are {', '.join(names) or 'none'}")
        return Tokens(entry for entry in self.entries if entry.name != name)


def _numbered(base: str) -> Iterable[str]:
    yield base
    yield from (f"{base}-{number}" for number in range(2, 1000))


def _token_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name of a token: 1 to 64 of letters, digits, '.', '_', '@' and '-', "
            "the first a letter or a digit"
        )
    return name


# -- the file ----------------------------------------------------------------------------------------------------------

_HEAD = """\
# Who may use which session of a wiretape proxy. Made by `wiretape token create`; the tokens themselves are not here.
# role: read (replay alone), write (every mode that the session allows), admin.
"""
_KEYS = ("name", "session", "role", "created", "hash")


def dumps(tokens: Tokens) -> str:
    """The text of a file."""
    lines = []
    for entry in tokens.entries:
        created = entry.created.isoformat().replace("+00:00", "Z")
        lines += ["", "[[token]]", f'name = "{entry.name}"', f'session = "{entry.session}"', f'role = "{entry.role}"']
        lines += [f"created = {created}", f'hash = "{tokenhash.dumps(entry.scheme, entry.digest)}"']
    return _HEAD + "".join(f"{line}\n" for line in lines)


def loads(file: str, text: str) -> Tokens:
    """The tokens of a file's text. Raises ValueError, naming the file, the entry and the right values; never a hash."""
    table = tomltext.loads(file, text)
    entries = table.pop("token", [])
    if table or not isinstance(entries, list):
        raise ValueError(f"{file}: a token begins with [[token]], and there is nothing else in the file")
    read: dict[str, Entry] = {}
    for number, each in enumerate(entries, 1):
        try:
            entry = _entry(each)
        except ValueError as e:
            raise ValueError(f"{file}: token {number}: {e}") from e
        if entry.name in read:
            raise ValueError(f"{file}: token {number}: another is named {entry.name!r} too")
        read[entry.name] = entry
    return Tokens(read.values())


def _entry(table: Any) -> Entry:
    if not isinstance(table, Mapping) or sorted(table) != sorted(_KEYS):
        raise ValueError(f"is a table of {', '.join(_KEYS)}")
    created = table["created"]
    if not isinstance(created, datetime) or created.tzinfo is None:
        raise ValueError("created is a time with its zone, such as 2026-01-31T12:00:00Z, without quotes")
    for key in ("name", "session", "role", "hash"):
        if not isinstance(table[key], str):
            raise ValueError(f"{key} is a text")  # noqa: TRY004  a value from outside
    session = table["session"] if table["session"] == EVERY else check_name(table["session"])
    try:
        scheme, digest = tokenhash.loads(table["hash"])
    except ValueError as e:
        raise ValueError(f"hash {e}") from e
    return Entry(_token_name(table["name"]), session, parse_role(table["role"]), created, scheme, digest)
