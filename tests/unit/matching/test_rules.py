import pytest

from wiretape.matching.rules import MatchContext, MatchPolicy, MatchRule, Places, Selector, parse_places


def test_a_rule_is_chosen_by_whose_request_it_is() -> None:
    rule = MatchRule("own", applies=Selector(clients=("claude-cli/*",), sessions=("main",)))
    policy = MatchPolicy((rule,))
    assert policy.rules_for(MatchContext(client="claude-cli/2.1", session="main")) == (rule,)
    assert policy.rules_for(MatchContext(client="claude-cli/2.1", session="other")) == ()
    assert policy.rules_for(MatchContext(client="curl/8", session="main")) == ()


def test_places_are_read_from_an_option() -> None:
    assert parse_places('{"cwd": "/w"}') == Places(cwd=("/w",))
    assert parse_places('{"tmp": ["/tmp", "/private/tmp"]}') == Places(tmp=("/tmp", "/private/tmp"))
    assert parse_places("") == Places()


@pytest.mark.parametrize("text", ["cwd=/w", "[]", '{"cdw": "/w"}', '{"cwd": 1}', '{"cwd": ["/w", 1]}'])
def test_what_names_no_directories_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="wd"):
        parse_places(text)


def test_what_was_chosen_is_kept_for_a_thousand_contexts() -> None:
    rule = MatchRule("own", applies=Selector(clients=("a*",)))
    policy = MatchPolicy((rule,))
    for number in range(2500):
        assert policy.rules_for(MatchContext(client=f"a{number}")) == (rule,)
        assert policy.rules_for(MatchContext(client=f"b{number}")) == ()
    assert len(policy._chosen) <= 1000
    assert policy == MatchPolicy((rule,))
