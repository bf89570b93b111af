"""Rules of matching, made of tables. What is right and wrong in a file is in ``config/test_config``."""

import pytest

from wiretape.exceptions import ConfigurationError
from wiretape.matching import rule_tables
from wiretape.matching.rules import MatchRule, Replacement, Selector


def test_a_text_and_a_list_of_texts_select_alike() -> None:
    one, two = rule_tables.parse(
        ("match",),
        [
            {"name": "one", "numbers": True, "client": "a/*"},
            {"name": "two", "numbers": True, "client": ["a/*"]},
        ],
    )
    assert one.applies == two.applies == Selector(clients=("a/*",))


def test_names_of_a_preset_tell_whose_they_are() -> None:
    (rule,) = rule_tables.parse(("match",), [{"name": "a", "replace": [{"pattern": "x"}]}], prefix="mine/")
    assert rule == MatchRule("mine/a", replace=(Replacement("x"),))


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ({"name": "a"}, ("match", 0)),
        ({"name": "a", "ignore": ["$", "$.a"]}, ("match", 0, "ignore")),
        ({"name": "a", "replace": [{"pattern": "a"}, {"pattern": "b*"}]}, ("match", 0, "replace", 1, "pattern")),
        ({"name": "a", "replace": [{"pattern": "a", "path": "b"}]}, ("match", 0, "replace", 0, "path")),
    ],
)
def test_an_error_has_the_place(entry: dict[str, object], path: tuple[str | int, ...]) -> None:
    with pytest.raises(ConfigurationError) as raised:
        rule_tables.parse(("match",), [entry])
    assert raised.value.path == path


def test_a_rule_is_for_providers_that_there_are() -> None:
    rules = (MatchRule("a"), MatchRule("b", applies=Selector(providers=("open*", "x"))))
    rule_tables.check_providers(("match",), rules, ["openai", "x"])
    with pytest.raises(ConfigurationError, match="no provider is named 'x'; there are openai") as raised:
        rule_tables.check_providers(("match",), rules, ["openai"])
    assert (raised.value.path, raised.value.at) == (("match", 1), "provider")
