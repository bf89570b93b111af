"""Tokens: who may use which session, and how. Text in, values out.

A token is ``wt_`` and 32 random bytes. Only its hash is kept (``token_hash``), as ``[[token]]`` in a TOML file
(``token_file``). The token itself is in no file, no log and no ``repr``.
"""

import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from wiretape import redaction
from wiretape.codecs import toml_text
from wiretape.sessions import token_hash
from wiretape.sessions.model import TOKEN_PREFIX, Role, check_name, parse_role

EVERY = "*"
"""The session of a token that is good for all sessions."""

_RANKS = {Role.READ: 0, Role.WRITE: 1, Role.ADMIN: 2}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was just made. Neither ``str`` nor ``repr`` shows it: the caller has to ask for the text."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """What is kept of a token."""

    name: str
    session: str
    """The name of a session, or ``*`` for all sessions."""
    role: Role
    created: datetime
    """When it was made, with a time zone."""
    digest: bytes = field(repr=False)
    """The SHA-256 of the token."""

    def serves(self, session: str) -> bool:
        """Tell whether the token is good for a session."""
        return self.session in (EVERY, session)

    def allows(self, role: Role, session: str) -> bool:
        """Tell whether the token is good for what a role may do in a session; in all of them where that is ``*``."""
        return self.serves(session) and _RANKS[self.role] >= _RANKS[role]


class Tokens:
    """The tokens of a proxy. They do not change, so any number of threads may ask."""

    def __init__(self, entries: Iterable[TokenEntry] = ()) -> None:
        self.entries = tuple(entries)
        self._having: dict[bytes, list[TokenEntry]] = {}
        for entry in self.entries:
            self._having.setdefault(entry.digest, []).append(entry)

    def __len__(self) -> int:
        return len(self.entries)

    def check(self, session: str, token: str) -> TokenEntry | None:
        """Return the entry of a token that is good for a session, or None.

        It takes as long whatever is wrong (a session that nobody knows, a token that nobody has, the token of another
        session, no token at all), and with one token as with a thousand. A client cannot choose which digest is looked
        for, and digests are compared in constant time.
        """
        return next((entry for entry in self.having(token) if entry.serves(session)), None)

    def having(self, token: str) -> tuple[TokenEntry, ...]:
        """Return all entries of a token, whatever session they are good for: several where it is good for several."""
        digest = token_hash.digest(token)
        return tuple(entry for entry in self._having.get(digest, ()) if hmac.compare_digest(entry.digest, digest))

    def create(self, session: str, role: Role, name: str = "", now: datetime | None = None) -> "tuple[Token, Tokens]":
        """Make a token. Return it, for the one who asked for it, and the tokens with its entry as the last.

        ``session`` may be ``*``. Without a name, the token is called after session and role. Raises ValueError for a
        wrong name, or one that is taken.
        """
        if session != EVERY:
            check_name(session)
        names = {entry.name for entry in self.entries}
        if not name:
            subject = session
            if session == EVERY:
                subject = "all"
            base = f"{subject}-{role}"[:60]
            name = next(each for each in _numbered(base) if each not in names)
        if name in names:
            raise ValueError(f"there is a token named {name!r} already: remove it first, or choose another name")
        token = Token(TOKEN_PREFIX + secrets.token_urlsafe(32))
        created = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
        entry = TokenEntry(_token_name(name), session, role, created, token_hash.digest(token.text))
        return token, Tokens((*self.entries, entry))

    def without(self, name: str) -> "Tokens":
        """Return the tokens but for one. Raises ValueError, which lists all names, where there is none of that name."""
        names = [entry.name for entry in self.entries]
        if name not in names:
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
    if redaction.DEFAULT.spans(name):
        # It would appear in the file, in captures and in the log.
        raise ValueError("the name of a token looks like a key or a token itself: choose another name")
    return name


# -- the file ----------------------------------------------------------------------------------------------------------

_HEAD = """\
# Who may use which session of a wiretape proxy. Made by `wiretape token create`; the tokens themselves are not here.
# role: read (replay alone), write (every mode that the session allows), admin.
"""
_KEYS = ("name", "session", "role", "created", "hash")


def dumps(tokens: Tokens) -> str:
    """Return the text of the file."""
    lines = []
    for entry in tokens.entries:
        created = entry.created.isoformat().replace("+00:00", "Z")
        lines += ["", "[[token]]", f'name = "{entry.name}"', f'session = "{entry.session}"', f'role = "{entry.role}"']
        lines += [f"created = {created}", f'hash = "{token_hash.dumps(entry.digest)}"']
    return _HEAD + "".join(f"{line}\n" for line in lines)


def loads(file: str, text: str) -> Tokens:
    """Parse the text of a file. Raises ValueError, which tells the file, the entry and the right
    values, never a hash.
    """
    table = toml_text.loads(file, text)
    entries = table.pop("token", [])
    if table or not isinstance(entries, list):
        raise ValueError(f"{file}: a token begins with [[token]], and there is nothing else in the file")
    read: dict[str, TokenEntry] = {}
    for number, each in enumerate(entries, 1):
        try:
            entry = _entry(each)
        except ValueError as e:
            raise ValueError(f"{file}: token {number}: {e}") from e
        if entry.name in read:
            raise ValueError(f"{file}: token {number}: another is named {entry.name!r} too")
        read[entry.name] = entry
    return Tokens(read.values())


def _entry(table: Any) -> TokenEntry:
    if not isinstance(table, Mapping) or sorted(table) != sorted(_KEYS):
        raise ValueError(f"is a table of {', '.join(_KEYS)}")
    created = table["created"]
    if not isinstance(created, datetime) or created.tzinfo is None:
        raise ValueError("created is a time with its zone, such as 2026-01-31T12:00:00Z, without quotes")
    for key in ("name", "session", "role", "hash"):
        if not isinstance(table[key], str):
            raise ValueError(f"{key} is a text")  # noqa: TRY004  a value from outside
    session = table["session"]
    if session != EVERY:
        check_name(session)
    try:
        digest = token_hash.loads(table["hash"])
    except ValueError as e:
        raise ValueError(f"hash {e}") from e
    return TokenEntry(_token_name(table["name"]), session, parse_role(table["role"]), created, digest)
