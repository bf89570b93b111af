"""A wrong word in a team's file ends the start and names the right one: in every table, and as the name of one."""

from collections.abc import Callable

import pytest

from wiretape import config
from wiretape.codecs import misspelled
from wiretape.network import egress
from wiretape.providers import routing
from wiretape.redaction import rules
from wiretape.replay import faults
from wiretape.sessions import config as session_config

READERS: list[Callable[[str, str], object]] = [
    config.check_tables,
    lambda file, text: routing.parse([(file, text), (routing.BUILTIN, routing.builtin())]),
    session_config.parse,
    egress.parse,
    lambda file, text: faults.parse(file, text, {"openai"}),
    rules.parse,
]
"""Those that a start has read it, in their order."""

PROVIDER = '[[provider]]\nname = "a"\nhosts = ["a.example"]\nendpoints = ["openai"]\n'
FAULT = "[[fault]]\nstatus = 429\n"
RULE = '[[redact]]\nname = "a"\npath = "b"\n'

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
    "[xyzzy]\n": "unknown table xyzzy; there are endpoints, fault, provider",
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
    f"{FAULT}modle = 'a'\n": "fault 1: unknown key modle: did you mean model?",
    f"{FAULT}retry-after = 1\n": "fault 1: unknown key retry-after: did you mean retry_after?",
    "[redaction]\nonsecret = 'keep'\n": "[redaction]: unknown key onsecret: did you mean on_secret?",
    f"{RULE}replaces = 'x'\n": "[[redact]] 1: unknown key replaces: did you mean replace?",
}


def read(text: str) -> None:
    for reader in READERS:
        reader("team.toml", text)


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_word_ends_it_and_the_right_one_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"^team\.toml: ") as raised:
        read(text)
    assert WRONG[text] in str(raised.value)


@pytest.mark.parametrize("text", ["", PROVIDER, FAULT, RULE, "[session.main]\nmode = 'live'\n", "[tunnels]\n"])
def test_the_right_words_are_no_error(text: str) -> None:
    read(text)


def test_of_many_wrong_words_and_long_ones_little_is_said() -> None:
    names = [f"{number}{'x' * 10_000}" for number in range(1_000)]
    error = str(misspelled.unknown("here", names, config.TABLES))
    assert "and others" in error
    assert len(error) < 400
