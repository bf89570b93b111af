from wiretape.matching.ordering import sorted_lists
from wiretape.matching.rules import Unordered


def test_a_body_without_lists_stays() -> None:
    body = {"model": "m"}
    assert sorted_lists(body, Unordered.TOOLS) is body
