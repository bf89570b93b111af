from wiretape.matching.built_in import BUILT_IN


def test_each_rule_says_why() -> None:
    assert all(rule.reason for rule in BUILT_IN)
