"""The token of a browser, in a cookie."""

import pytest

from wiretape.web import cookies


def test_a_cookie_stands_for_a_header() -> None:
    assert cookies.authorization({cookies.NAME: "wt_abc-DEF_9"}) == "Bearer wt_abc-DEF_9"
    assert cookies.authorization({"other": "wt_abc"}) is None


@pytest.mark.parametrize("text", ["", "a b", "a\r\nx: y", "x" * 201, "ü"])
def test_what_can_be_no_token_is_in_no_header(text: str) -> None:
    assert not cookies.is_token(text)
    assert cookies.authorization({cookies.NAME: text}) is None
