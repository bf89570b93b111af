"""Tokens: made once, kept as hashes, told right from wrong in a time that says nothing."""

import hashlib
import hmac
import re
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wiretape.sessions.model import Role
from wiretape.sessions.tokens import Token, Tokens, dumps, loads

NOW = datetime(2026, 1, 31, 12, 0, 0, 5, UTC)


def made(session: str = "checkout", role: Role = Role.WRITE, name: str = "ci") -> tuple[str, Tokens]:
    token, tokens = Tokens().create(session, role, name, NOW)
    return token.text, tokens


def test_a_token_is_32_random_bytes() -> None:
    token, _ = made()
    assert re.fullmatch(r"wt_[A-Za-z0-9_-]{43}", token)
    assert made()[0] != token


def test_a_token_opens_its_session_alone() -> None:
    token, tokens = made()
    entry = tokens.check("checkout", token)
    assert entry
    assert (entry.name, entry.role) == ("ci", Role.WRITE)
    for session, text in [("other", token), ("checkout", token[:-1]), ("checkout", ""), ("", token), ("*", token)]:
        assert tokens.check(session, text) is None


def test_a_token_for_all_opens_every_session() -> None:
    token, tokens = made("*", Role.ADMIN)
    assert all(tokens.check(session, token) for session in ("checkout", "other"))
    assert tokens.check("checkout", token + "x") is None


def test_all_entries_of_a_token_are_found_whatever_their_session_is() -> None:
    token, tokens = made()
    twice = Tokens((*tokens.entries, replace(tokens.entries[0], name="again", session="other")))
    assert [entry.name for entry in twice.having(token)] == ["ci", "again"]
    assert twice.having(token + "x") == twice.having("") == ()


def test_who_has_several_is_told_apart() -> None:
    tokens = Tokens()
    texts = []
    for number, role in enumerate([*Role] * 2):
        token, tokens = tokens.create("checkout", role, f"t{number}")
        texts.append(token.text)
    assert [entry.name for text in texts if (entry := tokens.check("checkout", text))] == [f"t{n}" for n in range(6)]


def test_the_token_is_nowhere_but_with_who_asked() -> None:
    token, tokens = Tokens().create("checkout", Role.READ)
    assert token.text not in dumps(tokens)
    assert token.text[3:] not in repr((token, tokens.entries)) + str(token) + f"{token}"
    assert "hash" not in repr(tokens.entries[0])
    assert repr(Token("wt_x")) == "Token()"


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True) | st.just("*"),
            st.sampled_from(Role),
            st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)),
        ),
        max_size=4,
    )
)
def test_a_file_says_what_was_written(wanted: list[tuple[str, Role, datetime]]) -> None:
    tokens = Tokens()
    texts = []
    for session, role, created in wanted:
        token, tokens = tokens.create(session, role, "", created)
        texts.append(token.text)
    again = loads("tokens.toml", dumps(tokens))
    assert again.entries == tokens.entries
    assert dumps(again) == dumps(tokens)
    for text, entry in zip(texts, tokens.entries, strict=True):
        assert again.check("a" if entry.session == "*" else entry.session, text) == entry


@settings(deadline=None, max_examples=30)
@given(st.text(max_size=80), st.text(max_size=80))
def test_no_other_text_opens(session: str, text: str) -> None:
    assert _ONE.check(session, text) is None
    assert Tokens().check(session, text) is None


_ONE = made()[1]


def test_a_hash_is_the_plain_one_of_256_random_bits() -> None:
    token, tokens = made()
    assert f'hash = "sha256:{hashlib.sha256(token.encode()).hexdigest()}"' in dumps(tokens)


def test_digests_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    token, tokens = made()
    compared: list[bytes] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert tokens.check("checkout", token) is None
    assert compared == [hashlib.sha256(token.encode()).digest()]


def test_a_token_that_stands_there_twice_is_good_for_both_sessions() -> None:
    token, tokens = made("one", name="first")
    again = dumps(tokens).partition("[[token]]")[2].replace('"first"', '"second"').replace('"one"', '"two"')
    both = loads("f", f"{dumps(tokens)}[[token]]{again}")
    assert [entry.name for name in ("one", "two") if (entry := both.check(name, token))] == ["first", "second"]


def test_threads() -> None:
    token, tokens = made("*")
    wrong: list[object] = []

    def ask(number: int) -> None:
        for each in range(20):
            if not tokens.check(f"s{each}", token) or tokens.check(f"s{each}", f"{token}{number}"):
                wrong.append(each)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# -- names and files ---------------------------------------------------------------------------------------------------


def test_a_name_by_default() -> None:
    tokens = Tokens()
    for session in ("checkout", "checkout", "*", "x" * 64):
        _, tokens = tokens.create(session, Role.WRITE)
    names = [entry.name for entry in tokens.entries]
    assert names == ["checkout-write", "checkout-write-2", "all-write", "x" * 60]


@pytest.mark.parametrize(
    ("session", "name", "says"),
    [
        ("checkout", "ci", "there is a token named 'ci' already"),
        ("../x", "new", "no session name"),
        ("checkout", 'a"\nrole = "admin', "no name of a token"),
        ("checkout", "-x", "no name of a token"),
        ("checkout", "x" * 65, "no name of a token"),
    ],
)
def test_what_is_no_token(session: str, name: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        made()[1].create(session, Role.READ, name)


def test_without() -> None:
    token, tokens = made()
    assert tokens.without("ci").check("checkout", token) is None
    with pytest.raises(ValueError, match="no token named 'cd'; there are ci"):
        tokens.without("cd")


GOOD = dumps(made()[1])
(HASH,) = re.findall(r'hash = "(.+)"', GOOD)
SHORTER = HASH[:-4]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[[token]]", "[token]", r"begins with \[\[token\]\]"),
        ("[[token]]", "[[tokens]]", r"begins with \[\[token\]\]"),
        ("[[token]]", "[[token", "not TOML"),
        ('role = "write"\n', "", "is a table of name, session, role, created, hash"),
        ('role = "write"', 'role = "root"', "the roles are read, write, admin"),
        ('role = "write"', "role = 1", "role is a text"),
        ('session = "checkout"', 'session = "../x"', "no session name"),
        ('name = "ci"', 'name = ""', "no name of a token"),
        ("created = 2026-01-31T12:00:00Z", 'created = "2026-01-31T12:00:00Z"', "a time with its zone"),
        ("created = 2026-01-31T12:00:00Z", "created = 2026-01-31T12:00:00", "a time with its zone"),
        (HASH, "wt_plain", "hexadecimal digits: make the token anew with `wiretape token create`"),
        (HASH, SHORTER, "hash is not sha256: and 64 hexadecimal digits"),
        (HASH, HASH.upper(), "hash is not sha256: and 64 hexadecimal digits"),
    ],
    # Every run has its own hash, and test names are to be the same in each worker.
    ids=lambda text: text.replace(HASH, "HASH").replace(SHORTER, "SHORTER").replace(HASH.upper(), "UPPER"),
)
def test_a_wrong_file_is_told_what_is_right(old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(ValueError, match=says) as raised:
        loads("tokens.toml", GOOD.replace(old, new))
    assert str(raised.value).startswith("tokens.toml: ")
    assert HASH[7:] not in str(raised.value)


def test_a_name_stands_once() -> None:
    with pytest.raises(ValueError, match="token 2: another is named 'ci' too"):
        loads("tokens.toml", GOOD + GOOD)
