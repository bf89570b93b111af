"""A wrong word in a team's file ends the start and names the right one: in every table, and as the name of one."""

import pytest

from places import CONFIG
from wiretape import config
from wiretape.codecs import misspelled
from wiretape.config.tables import WIRETAPE_TOML
from wiretape.exceptions import ConfigurationError
from wiretape.matching.rules import Kind, MatchRule, Replacement, Selector, Unordered

PROVIDER = '[[provider]]\nname = "a"\nhosts = ["a.example"]\nendpoints = ["openai"]\n'
FAULT = "[[fault]]\nstatus = 429\n"
RULE = '[[redact]]\nname = "a"\npath = "b"\n'
MATCH = '[[match]]\nname = "a"\n'

RULES_OF_MATCHING = r"""
[[match]]
name = "build"
reason = "The number of the build is in the prompt."
provider = ["openai", "anthr*"]
endpoint = "/v1/responses"
model = "gpt-*"
client = "ci/*"
session = "main"
ignore = ["$.metadata.build"]
ids = ["$.input[*].id"]
references = ["$.input[*].call_id"]
replace = [{ path = "$.instructions", pattern = 'build (\d+)', name = "build", tracked = true }, { pattern = "x" }]
kinds = ["dates", "hex-ids"]
paths = ["$.input[*].content"]
unordered = ["tools"]
numbers = true
whitespace = true
bind = false

[[match]]
name = "days"
kinds = ["dates"]
"""

WRONG = {
    "[[providers]]\n": "unknown table providers: did you mean provider?",
    "[sesion.main]\n": "unknown table sesion: did you mean session?",
    "[sessions.main]\n": "unknown table sessions: did you mean session?",
    "[Session.main]\n": "unknown table Session: did you mean session?",
    "[[Fault]]\n": "unknown table Fault: did you mean fault?",
    "[[faults]]\n": "unknown table faults: did you mean fault?",
    "[[redacts]]\n": "unknown table redacts: did you mean redact",
    "[redactions]\n": "unknown table redactions: did you mean redaction?",
    "[tunnel]\n": "unknown table tunnel: did you mean tunnels?",
    "[endpoint.house]\n": "unknown table endpoint: did you mean endpoints?",
    "[xyzzy]\n": "unknown table xyzzy; there are endpoints, fault, match",
    "[defaults]\nmode = 'replay'\n": "no table defaults: what holds for all sessions is said by options",
    "[[token]]\nname = 'a'\n": "tokens are in a file of their own, that of wiretape_tokens",
    "mode = 'replay'\n": "an option is given as --set wiretape_mode=...",
    "wiretape_pace = '2x'\n": "an option is given as --set wiretape_pace=...",
    "[session.main]\nmodus = 'replay'\n": "[session.main]: unknown key modus: did you mean modes?",
    "[session.main]\nlayer = ['a']\n": "[session.main]: unknown key layer: did you mean layers?",
    "[session.main]\nfrosen = true\n": "[session.main]: unknown key frosen: did you mean frozen?",
    "[session.main.extra]\nmode = 'live'\n": '[session."main.extra"]',
    "[session.main]\nmode = 'repaly'\n": "live, record, replay, record-if-missing",
    "[session]\nmode = 'replay'\n": "[session.mode]: is a table",
    f"{PROVIDER}host = ['b']\n": "unknown key host: did you mean hosts?",
    f"{PROVIDER}Base = '/v1'\n": "unknown key Base: did you mean base?",
    PROVIDER.replace('"openai"', '"opnai"'): "no [endpoints.opnai]",
    "[endpoints.house]\n'POST /x' = { kind = 'http', record = '/v1/models' }\n": "unknown key record: did you mean",
    "[endpoints.house]\n'POST /x' = { knid = 'http' }\n": "unknown key knid: did you mean kind?",
    "[tunnels]\nalow = []\n": "[tunnels]: unknown key alow: did you mean allow?",
    "[tunnels]\nallowonly = true\n": "[tunnels]: unknown key allowonly: did you mean allow_only?",
    f"{FAULT}modle = 'a'\n": "[[fault]] 1: unknown key modle: did you mean model?",
    f"{FAULT}retry-after = 1\n": "[[fault]] 1: unknown key retry-after: did you mean retry_after?",
    "[redaction]\nonsecret = 'keep'\n": "[redaction]: unknown key onsecret: did you mean on_secret?",
    f"{RULE}replaces = 'x'\n": "[[redact]] 1 (a): unknown key replaces: did you mean replace?",
    f"{MATCH}kind = ['dates']\n": "[[match]] 1 (a): unknown key kind: did you mean kinds?",
    f"{MATCH}kinds = ['date']\n": "[[match]] 1 (a): kinds: is one of dates, times",
    f"{MATCH}ignore = ['metadata']\n": "[[match]] 1 (a): ignore: 'metadata' is no JSONPath: it begins with $",
    f"{MATCH}ids = ['$']\n": "[[match]] 1 (a): ids: $ is the whole body",
    f"{MATCH}kinds = ['dates']\npaths = ['$.a[']\n": "[[match]] 1 (a): paths: '$.a['",
    f"{MATCH}replace = [{{ pattern = 'x*' }}]\n": "replace: pattern: 'x*' matches the empty text",
    f"{MATCH}replace = [{{ pattern = 'x', path = 'a' }}]\n": "replace: path: 'a' is no JSONPath",
    f"{MATCH}replace = [{{ patern = 'x' }}]\n": "replace: unknown key patern: did you mean pattern?",
    f"{MATCH}reason = 'x'\n": "nothing is taken out: it needs one of ignore, ids, replace, kinds, unordered, numbers, ",
    f"{MATCH}numbers = false\n": "nothing is taken out",
    f"{MATCH}numbers = true\nreferences = ['$.a']\n": "references needs ids",
    f"{MATCH}numbers = true\npaths = ['$.a']\n": "paths needs kinds",
    f"{MATCH}kinds = ['dates']\nprovider = ['open*', 'opnai']\n": "no provider is named 'opnai'; there are ",
    "[preset.mine]\nclient = ['a']\n": "[preset.mine]: unknown key client: did you mean clients?",
    "[[preset.mine.match]]\nname = 'a'\nclient = 'b'\n": "[[preset.mine.match]] 1 (a): unknown key client",
    "[preset.auto]\n": "[preset.auto]: auto is a word of wiretape_match: a preset has another name",
}


def read(text: str) -> None:
    """Read all of a file, as a start does."""
    known = config.loads("team.toml", text)
    known.sessions()
    known.tunnels()
    known.redaction()
    known.presets()
    known.matching(known.providers().names)
    known.faults(known.providers().names)


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_word_ends_it_and_the_right_one_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"^team\.toml:[0-9]+: ") as raised:
        read(text)
    assert WRONG[text] in str(raised.value)


@pytest.mark.parametrize("text", ["", PROVIDER, FAULT, RULE, "[session.main]\nmode = 'live'\n", "[tunnels]\n"])
def test_the_right_words_are_no_error(text: str) -> None:
    read(text)


def test_of_many_wrong_words_and_long_ones_little_is_said() -> None:
    names = [f"{number}{'x' * 10_000}" for number in range(1_000)]
    error = str(misspelled.unknown("here", names, WIRETAPE_TOML.names))
    assert "and others" in error
    assert len(error) < 400


PLACES = {
    "\n[session.main]\nmode = 'live'\npace = 'fast'\n": "team.toml:4: [session.main]: pace: 'fast' is no pace",
    "[session.'a b']\n": 'team.toml:1: [session."a b"]: ',
    "[session.a]\nlayers = ['b']\n[session.b]\nlayers = ['a']\n": "team.toml:2: [session.a]: layers go round",
    f"{FAULT}\n\n{FAULT}[fault.body]\nat = 2026-01-01\n": "team.toml:7: [[fault]] 2: body is no JSON",
    f"{FAULT}{FAULT}cut = 1\n": "team.toml:5: [[fault]] 2: has status and cut",
    f"{RULE}pattern = '''\n(?=x)'''\n": "team.toml:4: [[redact]] 1 (a): pattern: '(?=x)' is no pattern of RE2",
    f"{RULE}{RULE}": "team.toml:4: [[redact]] 2 (a): two rules have the name 'a'",
    f"{MATCH}kinds = ['dates']\n{MATCH}numbers = true": "team.toml:5: [[match]] 2 (a): two rules have the name 'a'",
    f"{MATCH}replace = [\n  {{ pattern = 'a' }},\n  {{ pattern = '(?=x)' }},\n]\n": (
        "team.toml:3: [[match]] 1 (a): replace: pattern: '(?=x)' is no pattern of RE2"
    ),
    f"{MATCH}[[match.replace]]\npattern = 'a'\n[[match.replace]]\npattern = '('\n": (
        "team.toml:6: [[match]] 1 (a): replace: pattern: '(' is no pattern of RE2"
    ),
    "[preset.'a b']\n[[preset.'a b'.match]]\nname = 'x'\nnumbers = true\n\nignore = ['x']\n": (
        """team.toml:6: [[preset."a b".match]] 1 (x): ignore: 'x' is no JSONPath"""
    ),
    f'{PROVIDER}skip = [\n  "/files",\n  "files",\n]\n': "team.toml:5: [[provider]] 1 (a): skip: 'files' is no path",
    "[endpoints.house]\n'POST /a' = { kind = 'http' }\n'POST b' = { kind = 'http' }\n": (
        'team.toml:3: [endpoints.house]: "POST b": a key is a method and a path'
    ),
    "[redaction]\nallow = ['a']\ndisable = ['telegam']\n": (
        "team.toml:3: [redaction]: disable: 'telegam' is no detector: did you mean telegram?"
    ),
    "tunnels.allow = ['*']\n": "team.toml:1: [tunnels]: allow: '*' is none",
    f"[[provider]]\nname = '{'x' * 1000}'\n": f"team.toml:1: [[provider]] 1 ({'x' * 40}): has no hosts",
    "[session.a]\nmode = 'live\n": "team.toml: not TOML: ",
}


@pytest.mark.parametrize("text", PLACES)
def test_an_error_tells_the_line_the_table_and_the_key(text: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(text)
    assert str(raised.value).startswith(PLACES[text])


def test_a_wrong_value_of_any_size_is_shown_in_part() -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(f"[session.a]\nmode = '{'x' * 100_000}'\n")
    assert len(str(raised.value)) < 300


def test_no_file_is_as_an_empty_one() -> None:
    empty = config.loads("team.toml", "")
    none = config.Configuration()
    assert none.providers().names == empty.providers().names
    assert none.sessions().names == ()
    assert none.tunnels() == empty.tunnels() == ((), False)
    assert none.redaction() == empty.redaction()
    assert not none.faults([])
    assert none.matching([]) == ()
    assert none.presets() == empty.presets()


def test_rules_of_matching_are_made_of_their_tables() -> None:
    known = config.loads("team.toml", RULES_OF_MATCHING)
    assert known.matching({"openai", "anthropic"}) == (
        MatchRule(
            "build",
            "The number of the build is in the prompt.",
            Selector(("openai", "anthr*"), ("/v1/responses",), ("gpt-*",), ("ci/*",), ("main",)),
            ignore=("$.metadata.build",),
            ids=("$.input[*].id",),
            references=("$.input[*].call_id",),
            replace=(Replacement(r"build (\d+)", "$.instructions", "build", is_tracked=True), Replacement("x")),
            kinds=(Kind.DATES, Kind.HEX_IDS),
            paths=("$.input[*].content",),
            unordered=(Unordered.TOOLS,),
            numbers=True,
            whitespace=True,
            bind=False,
        ),
        MatchRule("days", kinds=(Kind.DATES,)),
    )


def test_presets_of_a_team_add_to_those_that_are_built_in_or_replace_them() -> None:
    text = "[preset.codex]\ntried = ['9']\n[preset.mine]\n[[preset.mine.match]]\nname = 'a'\nnumbers = true\n"
    known = config.loads("team.toml", text).presets()
    assert {"claude-code", "codex", "mine"} <= known.keys()
    assert (known["codex"].tried, known["codex"].rules) == (("9",), ())
    assert known["mine"].rules == (MatchRule("mine/a", numbers=True),)


def test_the_example_is_right_and_all_of_it_is_read() -> None:
    known = config.read(CONFIG / "wiretape.toml")
    assert {"house", "house-vllm", "house-gateway"} <= known.providers().names
    assert known.sessions().names == ("checkout", "main", "demo")
    assert len(known.tunnels()[0]) == 3
    assert known.redaction().allow == ("sk-demo-0123456789abcdef0123", "/test-[a-z0-9]{8,}/")


def test_what_the_example_has_behind_a_hash_is_right_too() -> None:
    lines = (CONFIG / "wiretape.toml").read_text("utf-8").splitlines()
    code = [line[1:] for line in lines if line.startswith("#") and line[1:2] not in ("", " ", ":")]
    known = config.loads("wiretape.toml", "\n".join(code))
    assert [rule.name for rule in known.redaction().rules] == ["customer", "ticket"]
    assert [rule.name for rule in known.matching(known.providers().names)] == ["trace", "today", "in-logs"]
    assert known.presets()["house-bot"].clients == ("house-bot/*",)
    assert known.faults(known.providers().names)


@pytest.mark.parametrize(
    "text",
    [
        '[session.main]\nbudget = "5 USD"\npace = "fast"\n',
        '[[redact]]\nname = "a"\npattern = "("\n',
        '[[match]]\nname = "a"\nprovider = "opnai"\nkinds = ["dates"]\n',
        '[[fault]]\nstatus = 429\nprovider = "opnai"\n',
        '[[price]]\nprovider = "opnai"\ninput = 1\n',
        '[tunnels]\nallow = ["a b"]\n',
    ],
)
def test_what_is_wrong_in_a_name_or_a_value_is_found_by_a_check_of_all(text: str) -> None:
    read = config.loads("wiretape.toml", text)
    with pytest.raises(ConfigurationError, match=r"wiretape\.toml"):
        read.check()


def test_what_is_right_passes_a_check_of_all() -> None:
    config.loads("wiretape.toml", PROVIDER + FAULT + RULE + RULES_OF_MATCHING).check()
