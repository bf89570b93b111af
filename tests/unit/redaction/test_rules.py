"""What a team says of secrets: the tables of its file, its rules, pseudonyms, what is allowed, what is refused."""

import json
import stat
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from drawn import draw
from wiretape import config, redaction
from wiretape.redaction import (
    REDACTED,
    OnSecret,
    RedactionPolicy,
    RedactionRule,
    Redactor,
    RefusedError,
    pseudonyms,
)

KEY = draw("sk-{a48}")


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(pseudonyms.VARIABLE, draw("{a32}"))
    pseudonyms.key.cache_clear()
    yield
    pseudonyms.key.cache_clear()


def redactor(text: str) -> Redactor:
    return Redactor(config.loads("wiretape.toml", text).redaction(), environment={})


def test_a_policy_is_read_and_goes_to_another_process_as_json() -> None:
    policy = config.loads(
        "wiretape.toml",
        """  # noqa: E501
        [redaction]
        on_secret = "refuse"
        pii = true
        allow = ["abc", "/demo-[0-9]+/"]
        disable = ["telegram", "environment"]

        [[redact]]
        name = "customer"
        path = "metadata.customer"
        pattern = "C-[0-9]+"
        replace = "customer-{n}"
        allow = ["C-0"]
        """,
    ).redaction()
    rule = RedactionRule("customer", "metadata.customer", "C-[0-9]+", "customer-{n}", ("C-0",))
    assert policy == RedactionPolicy(
        OnSecret.REFUSE, True, ("abc", "/demo-[0-9]+/"), ("telegram", "environment"), (rule,)
    )
    assert RedactionPolicy.from_json(json.loads(json.dumps(asdict(policy)))) == policy
    assert config.loads("wiretape.toml", "[session.main]").redaction() == RedactionPolicy()


WRONG = {
    "redaction = 1": "wiretape.toml:1: [redaction]: is one table, in single brackets, not 1",
    '[redaction]\non_secret = "drop"': "[redaction]: on_secret: is one of redact, refuse, keep, not 'drop'",
    "[redaction]\npii = 1": "[redaction]: pii: is true or false, not 1",
    "[redaction]\nallow = [1]": "[redaction]: allow: is a text, not 1",
    "[redaction]\nallow = ['']": "[redaction]: allow: holds an empty text",
    "[redaction]\nallow = ['/(/']": "[redaction]: allow: '(' is no pattern of RE2",
    "[redaction]\ndisable = ['x']": "[redaction]: disable: 'x' is no detector: they are 1password, ",
    "[redaction]\nredact = true": "[redaction]: unknown key redact; there are on_secret, pii, allow, disable",
    "[redact]\nname = 'a'": "[redact]: is no table of its own: each rule is a [[redact]]",
    "[[redact]]\npattern = 'a'": "[[redact]] 1: has no name",
    "[[redact]]\nname = 'a'": "[[redact]] 1 (a): has neither a path nor a pattern",
    "[[redact]]\nname = 'a'\npattern = '(?=x)'": "[[redact]] 1 (a): pattern: '(?=x)' is no pattern of RE2",
    "[[redact]]\nname = 'a'\npattern = 'x*'": "[[redact]] 1 (a): pattern: 'x*' matches the empty text",
    "[[redact]]\nname = 'a'\npattern = 1": "[[redact]] 1 (a): pattern: is a text, not 1",
    "[[redact]]\nname = 'a'\npath = 'a..b'": "[[redact]] 1 (a): path: 'a..b' is no path",
    "[[redact]]\nname = 'a'\npath = 'a[x]'": "[[redact]] 1 (a): path: 'a[x]' is no path",
    "[[redact]]\nname = 'a'\npath = 'a'\nreplace = ''": "[[redact]] 1 (a): replace: is empty",
    "[[redact]]\nname = 'a'\npath = 'a'\nflags = 'i'": "[[redact]] 1 (a): unknown key flags; there are name, path",
    "[[redact]]\nname='a'\npath='a'\n[[redact]]\nname='a'\npath='b'": "two rules have the name 'a'",
    "[redaction": "wiretape.toml: ",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_in_it_is_said_with_its_place(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011  its text is looked at
        config.loads("wiretape.toml", text).redaction()
    assert WRONG[text] in str(raised.value)
    assert str(raised.value).startswith("wiretape.toml")
    assert capfd.readouterr() == ("", "")


def test_a_pattern_takes_out_what_it_matches_or_its_group() -> None:
    plain = redactor("[[redact]]\nname = 'ticket'\npattern = 'TICKET-[0-9]+'\nreplace = 'TICKET'\nallow = ['TICKET-1']")
    assert plain.clean({"a": ["über TICKET-12, TICKET-1 und TICKET-345"]}) == {
        "a": ["über TICKET, TICKET-1 und TICKET"]
    }
    group = redactor("[[redact]]\nname = 'who'\npattern = 'from ([A-Z][a-z]+)'\nreplace = 'X'")
    assert group.text("a letter from Jane, from Ümit, from Joe") == "a letter from X, from Ümit, from X"
    assert [(found.path, found.detector) for found in group.find({"a": ["from Jane"]})] == [("a[0]", "who")]


PATHS: dict[str, Any] = {
    "metadata.customer_id": {"metadata": {"customer_id": "x", "other": "x"}, "customer_id": "x"},
    "messages[*].content": {"messages": [{"content": "x", "role": "x"}], "content": "x"},
    "messages[1].name": {"messages": [{"name": "y"}, {"name": "x"}]},
    "user.*": {"user": {"name": "x", "id": 7, "is_new": True, "tags": ["x"], "none": None}},
    "a.**.id": {"a": {"id": "x", "b": [{"c": {"id": "x"}}]}, "id": "y"},
}
CLEANED: dict[str, Any] = {
    "metadata.customer_id": {"metadata": {"customer_id": "-", "other": "x"}, "customer_id": "x"},
    "messages[*].content": {"messages": [{"content": "-", "role": "x"}], "content": "x"},
    "messages[1].name": {"messages": [{"name": "y"}, {"name": "-"}]},
    "user.*": {"user": {"name": "-", "id": "-", "is_new": True, "tags": ["-"], "none": None}},
    "a.**.id": {"a": {"id": "-", "b": [{"c": {"id": "-"}}]}, "id": "y"},
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_names_a_place_at_whatever_level_it_begins(path: str) -> None:
    made = redactor(f"[[redact]]\nname = 'a'\npath = '{path}'\nreplace = '-'")
    assert made.clean(PATHS[path]) == CLEANED[path]
    # As it stands in a recording.
    assert made.clean({"request": {"body": PATHS[path]}}) == {"request": {"body": CLEANED[path]}}
    assert made.clean(CLEANED[path]) is CLEANED[path]
    found = [each.path for each in made.find({"request": {"body": PATHS[path]}})]
    assert len(found) == json.dumps(CLEANED[path]).count('"-"')
    assert all(each.startswith("request.body.") for each in found)
    assert [*made.find(CLEANED[path])] == []


def test_a_pseudonym_is_the_same_for_the_same_value_in_every_process() -> None:
    text = "[[redact]]\nname = 'customer'\npath = 'customer'\npattern = '[A-Z][a-z]+'\nreplace = 'customer-{n}'"
    one, other = redactor(text), redactor(text)
    asked = {"customer": "Jane", "also": [{"customer": "Jane and Joe"}]}
    cleaned = one.clean(asked)
    assert cleaned == other.clean(asked)
    jane = cleaned["customer"]
    assert cleaned["also"][0]["customer"].startswith(f"{jane} and customer-")
    assert "Joe" not in str(cleaned)
    assert len(jane) == len("customer-") + 15
    assert one.clean(cleaned) is cleaned
    assert [*one.find(cleaned)] == []


def test_pseudonyms_of_another_key_or_rule_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "[[redact]]\nname = '{}'\npattern = 'Jane'\nreplace = 'N{{n}}'"
    first = redactor(text.format("a")).text("Jane")
    assert redactor(text.format("b")).text("Jane") != first
    monkeypatch.setenv(pseudonyms.VARIABLE, draw("{a32}", 2))
    pseudonyms.key.cache_clear()
    assert redactor(text.format("a")).text("Jane") != first


def test_without_a_key_the_machine_draws_its_own_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(pseudonyms.VARIABLE)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = redactor("[[redact]]\nname = 'a'\npattern = 'Jane'\nreplace = 'N{n}'")
    first = made.text("Jane")
    (file,) = (tmp_path / "state").rglob("*.*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    pseudonyms.key.cache_clear()
    assert made.text("Jane") == first
    (warning,) = made.warnings()
    assert str(file) in warning
    assert file.read_text() not in warning


def test_a_key_that_is_too_short_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(pseudonyms.VARIABLE, "secret1")
    pseudonyms.key.cache_clear()
    with pytest.raises(ValueError, match="WIRETAPE_PSEUDONYM_KEY is too short") as raised:
        Redactor(environment={}).use(
            config.loads("f", "[[redact]]\nname = 'a'\npath = 'a'\nreplace = '{n}'").redaction()
        )
    assert "secret1" not in str(raised.value)


def test_what_is_allowed_or_disabled_stays() -> None:
    allowed = redactor(f"[redaction]\nallow = ['{KEY}', '/hunter[0-9]+/']")
    assert allowed.clean({"a": KEY, "password": "hunter22"}) == {"a": KEY, "password": "hunter22"}
    assert allowed.clean({"password": "hunter22x"}) == {"password": REDACTED}
    disabled = redactor("[redaction]\ndisable = ['sk', 'member']")
    assert disabled.clean({"a": f"{KEY}", "password": "x"}) == {"a": KEY, "password": "x"}
    assert disabled.text(draw("ghp_{a36}")) == REDACTED


def test_personal_data_is_taken_out_where_that_is_wished() -> None:
    text = "write to jane@example.org, pay with 4111 1111 1111 1111, call +49 30 901820"
    assert Redactor(environment={}).text(text) == text
    cleaned = redactor("[redaction]\npii = true").text(text)
    assert cleaned == f"write to {REDACTED}, pay with {REDACTED}, call {REDACTED}"


def test_what_is_refused_says_where_it_was_and_not_what() -> None:
    made = redactor("[redaction]\non_secret = 'refuse'")
    asked = {"messages": [{"content": f"my key is {KEY}"}]}
    with pytest.raises(RefusedError) as raised:
        made.check(asked, made.recorder.clean(asked), "request.body")
    assert str(raised.value).startswith("a secret is in it, at request.body.messages[0].content (sk), and on_secret is")
    assert KEY not in str(raised.value)
    harmless = {"a": 1}
    made.check(harmless, made.recorder.clean(harmless), "request.body")


def test_what_is_kept_is_recorded_and_still_no_line_of_the_log() -> None:
    made = redactor("[redaction]\non_secret = 'keep'")
    asked = {"messages": [{"content": f"my key is {KEY}"}]}
    assert made.recorder.clean(asked) is asked
    assert made.text(KEY) == REDACTED
    assert any('on_secret is "keep"' in warning for warning in made.warnings())


def test_a_policy_is_taken_on_by_what_has_the_redactor_already() -> None:
    made = Redactor(environment={})
    made.use(config.loads("f", "[[redact]]\nname = 'a'\npattern = 'Jane'\nreplace = 'X'").redaction())
    assert made.text("Jane") == "X"
    made.use(RedactionPolicy())
    assert made.text("Jane") == "Jane"
    assert redaction.DEFAULT.policy == RedactionPolicy()


def test_what_is_remembered_of_short_texts_is_bounded_and_goes_with_its_policy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("wiretape.redaction.redactor._REMEMBERED", 3)
    made = Redactor(environment={})
    value = {"Jane Doe": ["Jane Doe", "a harmless text", KEY], "other": ["one more text", "and another one"]}
    expected = {**value, "Jane Doe": ["Jane Doe", "a harmless text", REDACTED]}
    assert made.clean(value) == made.clean(value) == expected
    assert len(made._parts.harmless) <= 3
    made.use(config.loads("f", "[[redact]]\nname = 'a'\npattern = 'Jane'\nreplace = 'X'").redaction())
    assert made.clean({"Jane Doe": "Jane Doe"}) == {"X Doe": "X Doe"}
