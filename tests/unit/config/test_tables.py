"""The tables of ``wiretape.toml``: each key that there is, what it takes, and what it does not."""

import tomllib

import pytest

from places import ROOT
from wiretape import config
from wiretape.config.description import Table
from wiretape.config.tables import (
    ENDPOINT,
    FAULT,
    MATCH,
    PRESET,
    PRICE,
    PROVIDER,
    REDACTION,
    REPLACEMENT,
    RULE,
    SESSION,
    TUNNELS,
    WIRETAPE_TOML,
)
from wiretape.exceptions import ConfigurationError
from wiretape.pricing.rates import KINDS

TEXT = ["1", "true", "[]"]
TEXTS = ["1", "'a'", "[1]"]
FLAG = ["1", "'true'"]
PATTERN = ["''", "1", "['a']"]
TIME = ["'1'", "'1m'", "'-1s'", "'1.s'", "1", "'٣s'"]  # The digits of other scripts are none.
PATTERNS = (["'a'", "['a', 'b-*']"], [*PATTERN[:2], "[]", "['']", "[1]"])
JSON_PATHS = (["[]", "['$.metadata']"], TEXTS)
CHUNK = ["-1", "1.0", "'1'", "true"]

HEADS = {
    "[session.a]": (
        SESSION,
        {
            "layers": (["['b']", "['b', 'c']"], ["[]", "['b', 'b']", "'b'", "[1]"]),
            "mode": (["'live'", "'record'", "'replay'", "'record-if-missing'"], ["'off'", "'Live'", "['live']"]),
            "modes": (["['live']", "['replay', 'live']"], ["[]", "['live', 'live']", "['off']", "'live'"]),
            "pace": (["'instant'", "'2x'"], ["2"]),
            "takes": (["'first'", "'last'", "'sequence'", "'cycle'"], ["'all'", "1"]),
            "format": (["'2025-09'", "'2026'"], ["'2027'", "2026", "2026-01-01"]),
            "frozen": (["true", "false"], FLAG),
            "budget": (["'5 USD'", "'0.5 USD per day'"], [*TEXT, "'5'", "'5 EUR'", "'5 USD per year'"]),
            "max_age": (["'90d'", "'12h'", "'1.5w'", "'30m'"], ["'90'", "'1y'", "'-1d'", "'٣d'", "90", "''"]),
            "on_expiry": (["'warn'", "'fail'", "'rerecord'"], ["'die'", "true"]),
        },
    ),
    "[tunnels]": (
        TUNNELS,
        {
            "allow": (["[]", "['git.corp.example:443']"], TEXTS),
            "allow_only": (["true", "false"], FLAG),
        },
    ),
    "[redaction]": (
        REDACTION,
        {
            "on_secret": (["'redact'", "'refuse'", "'keep'"], ["'drop'", "true"]),
            "pii": (["true", "false"], FLAG),
            "allow": (["[]", "['a']"], TEXTS),
            "disable": (["[]", "['a']"], TEXTS),
        },
    ),
    "[[redact]]\nname = 'a'": (
        RULE,
        {
            "name": ([], []),
            "path": (["'metadata.*'"], TEXT),
            "pattern": (["'a+'"], TEXT),
            "replace": (["'{n}'"], TEXT),
            "allow": (["['a']"], TEXTS),
        },
    ),
    "[[provider]]\nhosts = ['a.example']": (
        PROVIDER,
        {
            "name": (["'a'"], TEXT),
            "hosts": ([], []),
            "base": (["'/v1'"], TEXT),
            "endpoints": (["['openai']"], TEXTS),
            "scheme": (["'http'", "'https'"], ["'ftp'", "'HTTPS'", "1"]),
            "hide": (["'https://house'"], TEXT),
            "skip": (["['GET /files/*']"], TEXTS),
            "ignore": (["['/health']"], TEXTS),
            "api_key": (["['OPENAI_API_KEY']", "['A', 'B']"], [*TEXTS, "['a b']", "['']"]),
            "api_key_header": (["'x-api-key'"], [*TEXT, "'a b'", "''"]),
            "headers": (["{ anthropic-version = '2023-06-01' }"], ["1", "'a: b'"]),
        },
    ),
    "[endpoints.a.'POST /x']\nkind = 'sdk'": (
        ENDPOINT,
        {"kind": ([], []), "recorded": (["'/v1/x'"], TEXT), "falls_back": (["['codex*']"], TEXTS)},
    ),
    "[[match]]\nname = 'a'": (
        MATCH,
        {
            "name": ([], []),
            "reason": (["'Because.'"], TEXT),
            "provider": PATTERNS,
            "endpoint": PATTERNS,
            "model": PATTERNS,
            "client": PATTERNS,
            "session": PATTERNS,
            "ignore": JSON_PATHS,
            "ids": JSON_PATHS,
            "references": JSON_PATHS,
            "replace": (["[]", "[{ pattern = 'a' }]"], ["'a'", "{ pattern = 'a' }"]),
            "kinds": (["['dates', 'hex-ids']"], ["'dates'", "['date']", "[1]"]),
            "paths": JSON_PATHS,
            "unordered": (["['tools', 'tool-results']"], ["'tools'", "['messages']"]),
            "numbers": (["true", "false"], FLAG),
            "whitespace": (["true", "false"], FLAG),
            "bind": (["true", "false"], FLAG),
        },
    ),
    "[[match]]\nname = 'a'\n[[match.replace]]\npattern = 'a'": (
        REPLACEMENT,
        {
            "pattern": ([], []),
            "path": (["'$.a'"], TEXT),
            "name": (["'home'"], [*TEXT, "''", "'a b'", r'"a\r\nb"', "'é'"]),
            "tracked": (["true", "false"], FLAG),
        },
    ),
    "[[price]]": (
        PRICE,
        {
            "provider": (["'openai'", "'*'"], PATTERN),
            "model": (["'gpt-*'"], PATTERN),
            **dict.fromkeys(KINDS, (["0", "1.25", "1_000_000"], ["-1", "'1'", "true", "nan", "inf"])),
        },
    ),
    "[preset.a]": (
        PRESET,
        {
            "clients": (["[]", "['codex_*']"], [*TEXTS, "['']"]),
            "commands": (["['codex']"], TEXTS),
            "tried": (["['1.0']"], TEXTS),
            "ignore_requests": (
                ["['POST a.example/x*', '* *.example/*']"],
                [*TEXTS, "['a.example/x']", "['GET /x']", "['GET a.example/x?y']"],
            ),
            "match": (["[]", "[{ name = 'a', kinds = ['dates'] }]"], ["'a'", "{ name = 'a' }"]),
        },
    ),
    "[[fault]]": (
        FAULT,
        {
            "session": (["'main'", "'*'"], PATTERN),
            "provider": (["'openai'"], PATTERN),
            "endpoint": (["'/v1/*'"], PATTERN),
            "model": (["'gpt-*'"], PATTERN),
            "share": (["1", "0.01"], ["0", "0.0", "1.1", "-1", "'1'", "true", "nan", "inf"]),
            "seed": (["0", "-1"], ["1.5", "'1'", "true"]),
            "nth": (["1", "[1, 5]"], ["0", "[]", "[0]", "1.0", "'1'", "true"]),
            "status": (["400", "599"], ["399", "600", "429.0", "'429'"]),
            "body": (["'text'", "{ error = 1 }"], ["1", "['a']"]),
            "retry_after": (["0", "'Wed, 21 Oct 2026 07:28:00 GMT'"], ["-1", "''", r'"a\r\nb: c"', "'é'", "1.5"]),
            "delay": (["'300ms'", "'1.5s'", "'24s'"], TIME),
            "stall": (["0", "3"], CHUNK),
            "cut": (["0", "3"], CHUNK),
            "how": (["'reset'", "'end'"], ["'fin'", "1"]),
            "garble": (["1"], ["0", *CHUNK]),
            "slow": (["'50ms'"], TIME),
        },
    ),
}
"""Beginnings of tables -> the table, and for each of its keys what is right and what is wrong."""

VALUES = [
    (f"{head}\n{key} = {value}\n", is_right)
    for head, (_, keys) in HEADS.items()
    for key, (right, wrong) in keys.items()
    for is_right, values in ((True, right), (False, wrong))
    for value in values
]


@pytest.mark.parametrize(("text", "is_right"), VALUES)
def test_a_value_is_right_or_ends_the_start(text: str, is_right: bool) -> None:
    tables = tomllib.loads(text)
    if is_right:
        WIRETAPE_TOML.check(tables, ())
        return
    with pytest.raises(ConfigurationError) as raised:
        WIRETAPE_TOML.check(tables, ())
    assert raised.value.path[-1] == text.splitlines()[-1].partition(" = ")[0], "the error is at the key"


@pytest.mark.parametrize(("table", "keys"), [*HEADS.values()], ids=[head.splitlines()[0] for head in HEADS])
def test_there_are_these_keys_and_each_is_in_the_documentation(table: Table, keys: dict[str, object]) -> None:
    assert [*table.names] == [*keys]
    page = "guides/faults.md" if table is FAULT else "reference/config-file.md"
    text = (ROOT / "docs" / page).read_text("utf-8")
    assert [key for key in keys if f"`{key}`" not in text and f"{key} = " not in text] == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[provider]]\nname = 'a'\n", "has no hosts"),
        ("[[redact]]\npath = 'a'\n", "has no name"),
        ("[[match]]\nkinds = ['dates']\n", "has no name"),
        ("[[match]]\nname = 'a b'\n", "is a name of letters, digits, ., _ and -, not 'a b'"),
        ("match = [{ name = 'a', replace = [{ path = '$.a' }] }]\n", "has no pattern"),
        ("[match]\n", "is no table of its own: each rule is a [[match]]"),
        ("[[preset]]\n", "is [preset.NAME]: each preset has a name"),
        ("[preset.a.match]\n", "is no table of its own: each rule is a [[preset.NAME.match]]"),
        ("[endpoints.a]\n'POST /x' = {}\n", "has no kind"),
        ("[endpoints.a]\n'POST /x' = { kind = 'SDK' }\n", "is one of http, sdk, not 'SDK': did you mean sdk?"),
        ("[[tunnels]]\n", "is one table, in single brackets"),
        ("[[redaction]]\n", "is one table, in single brackets"),
        ("[fault]\n", "is no table of its own: each fault is a [[fault]]"),
        ("[provider]\n", "is no table of its own: each provider is a [[provider]]"),
        ("[redact]\n", "is no table of its own: each rule is a [[redact]]"),
        ("[[session]]\n", "is [session.NAME]: each session has a name"),
        ("[[endpoints]]\n", "is [endpoints.NAME]: each set has a name"),
    ],
)
def test_a_table_of_another_shape_is_told_the_right_one(text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^team\.toml:[12]: ") as raised:
        config.loads("team.toml", text)
    assert says in str(raised.value)
