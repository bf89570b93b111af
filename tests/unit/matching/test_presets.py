"""Presets: whose requests they are for, and what the built-in ones say."""

import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from places import CONFIG
from wiretape.config.tables import WIRETAPE_TOML
from wiretape.matching import choice, presets, reduction
from wiretape.matching.built_in import BUILT_IN
from wiretape.matching.presets import Preset
from wiretape.matching.rules import Loose, MatchContext, MatchPolicy, MatchRule, Places

KNOWN = presets.parse(
    {
        "one": {"clients": ["one/*", "uno/*"], "match": [{"name": "a", "numbers": True}]},
        "two": {"clients": ["two/*"], "match": [{"name": "a", "whitespace": True}]},
        "nameless": {"match": [{"name": "a", "kinds": ["dates"]}]},
    }
)
OWN = MatchRule("own", numbers=True)


def policy(text: str) -> MatchPolicy:
    return presets.policy(choice.parse(text, KNOWN), KNOWN, (OWN,), Places(cwd=("/w",)))


def held(text: str, client: str) -> list[str]:
    """The names of the rules that hold for a request of a client, without those that are built in."""
    rules = policy(text).rules_for(MatchContext("openai", ("/v1/responses",), "gpt-5", client, "main"))
    return [rule.name for rule in rules if rule not in BUILT_IN]


@pytest.mark.parametrize(
    ("text", "client", "names"),
    [
        ("auto", "one/2.1 (cli)", ["one/a", "own"]),
        ("auto", "uno/2.1", ["one/a", "own"]),
        ("auto", "two/1", ["two/a", "own"]),
        ("auto", "OpenAI/Python 2.20.0", ["own"]),
        ("auto", "", ["own"]),
        ("auto", "not-one/1", ["own"]),
        ("two", "one/1", ["two/a", "own"]),
        ("two", "", ["two/a", "own"]),
        ("auto,two", "one/1", ["one/a", "two/a", "own"]),
        ("auto,nameless", "", ["nameless/a", "own"]),
        ("position", "one/1", ["own"]),
        ("exact", "one/1", []),
    ],
)
def test_which_rules_hold_for_whom(text: str, client: str, names: list[str]) -> None:
    assert held(text, client) == names


def test_exact_has_no_rule_at_all() -> None:
    exact = policy("exact")
    assert replace(exact, choice="") == MatchPolicy(places=Places(cwd=("/w",)))


def test_what_is_built_in_comes_first_and_the_own_rules_last() -> None:
    rules = policy("auto,position").rules
    assert rules[: len(BUILT_IN)] == BUILT_IN
    assert rules[-1] == OWN
    assert policy("auto,position").loose == (Loose.POSITION,)
    assert policy("auto,position").places == Places(cwd=("/w",))


def test_own_presets_add_and_replace() -> None:
    known = presets.load({"codex": {"tried": ["9"]}, "mine": {}})
    assert known["codex"] == Preset("codex", (), ("9",), (), ())
    assert known.keys() == {*presets.built_in(), "mine"}


# -- those of other packages -------------------------------------------------------------------------------------------


@pytest.fixture(name="package")
def _package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package with entry points; the test writes its module."""
    told = tmp_path / "acme-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[wiretape.matchers]\nacme = acme_rules:RULES\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "acme_rules", raising=False)
    return tmp_path / "acme_rules.py"


RULES = """
from wiretape.matching.rules import MatchRule, Replacement
RULES = [MatchRule("acme/build", "Because.", replace=(Replacement(r"build ([0-9]+)"),))]
"""


def test_rules_of_a_package_are_a_preset_that_is_chosen_by_its_name(package: Path) -> None:
    package.write_text(RULES)
    assert presets.choose("auto", KNOWN)[1] is KNOWN
    assert "acme_rules" not in sys.modules
    chosen, known = presets.choose("auto, acme", KNOWN)
    policy = presets.policy(chosen, known, (OWN,), Places())
    names = [rule.name for rule in policy.rules_for(MatchContext(client="curl/8"))]
    assert names == ["acme/build", "own"]
    with pytest.raises(ValueError, match="no preset"):
        presets.choose("acne", KNOWN)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 / 0", "the rules of acme_rules:RULES .* cannot be loaded: ZeroDivisionError"),
        ("RULES = ['a']", "is no list of MatchRule"),
        (RULES.replace("acme/build", r"a\r\nb: c"), "is no list of MatchRule, each with a name of letters"),
        (RULES.replace("([0-9]+)", "(?=x)"), "a rule of acme_rules:RULES .*is no pattern of RE2"),
    ],
)
def test_rules_of_a_package_that_cannot_be_used_end_the_start(package: Path, text: str, said: str) -> None:
    package.write_text(text)
    with pytest.raises(ValueError, match=said):
        presets.choose("acme", KNOWN)


# -- those that are built in -------------------------------------------------------------------------------------------


def test_the_file_is_of_the_form_that_a_team_has() -> None:
    tables = tomllib.loads((CONFIG / "presets.toml").read_text("utf-8"))
    assert tables.keys() == {"preset"}
    WIRETAPE_TOML.check(tables, ())


def test_each_names_the_versions_it_was_tried_with_and_its_reasons() -> None:
    built_in = presets.built_in()
    assert {"claude-code", "codex", "gemini-cli", "opencode", "aider"} <= built_in.keys()
    for preset in built_in.values():
        assert preset.tried, preset.name
        assert all(rule.reason.endswith(".") for rule in preset.rules), preset.name
        reduction.Reducer(preset.rules)


@pytest.mark.parametrize(
    ("client", "name"),
    [
        ("claude-cli/2.1.197 (external, sdk-cli)", "claude-code"),
        ("codex_exec/0.171.0 (Debian 12.0.0; x86_64) dumb (codex_exec; 0.171.0)", "codex"),
        ("codex_cli_rs/0.171.0 (Debian 12.0.0; x86_64)", "codex"),
        ("GeminiCLI-tui/0.61.0/gemini-2.5-pro (linux; x64; terminal)", "gemini-cli"),
        ("opencode/1.18.33 (linux 6.8.0-51-generic; x64) ai-sdk/provider-utils/4.0.40 runtime/bun/1.3.14", "opencode"),
        ("OpenAI/Python 2.20.0", ""),
        ("Anthropic/JS 1.14.0", ""),
        ("google-genai-sdk/3.6.0 gl-python/3.12", ""),
        ("curl/8.9", ""),
        ("", ""),
    ],
)
def test_a_client_has_the_preset_of_its_program_and_no_other_has_one(client: str, name: str) -> None:
    known = presets.built_in()
    rules = presets.policy(choice.parse("auto", known), known, (), Places()).rules[len(BUILT_IN) :]
    context = MatchContext("openai", ("/v1/responses",), "gpt-5", client, "main")
    held = {rule.name.partition("/")[0] for rule in MatchPolicy(rules).rules_for(context)}
    assert held == ({name} if name else set())


def test_a_program_without_a_name_of_its_own_is_known_by_its_command() -> None:
    assert presets.named_after("aider") == ("aider",)
    assert presets.named_after("codex") == ()  # It is known by its User-Agent.
    assert presets.named_after("") == ()


def test_the_rules_of_each_choice_are_made_once() -> None:
    policies = presets.MatchPolicies(presets.built_in())
    exact, auto = policies.of(("exact",)), policies.of(("auto",))
    assert exact.rules == ()
    assert auto.rules
    assert policies.of(("auto",)) is auto
    # The same rules by their names, for other clients.
    assert policies.of(("auto", "codex")).choice != auto.choice
    with pytest.raises(ValueError, match="no way to match"):
        policies.of(("nobody",))
