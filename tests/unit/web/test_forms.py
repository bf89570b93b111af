"""Whether a page of ours has sent a form, by what browsers say of it."""

import pytest

from wiretape.web.forms import fields, is_ours

HOST = {"host": "127.0.0.1:9090"}


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, True),
        ({"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:9090"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": "http://127.0.0.1:9090"}, True),
        ({"origin": "https://127.0.0.1:9090"}, True),
        ({"origin": "http://127.0.0.1:3000"}, False),
        ({"origin": "http://127.0.0.1"}, False),
        ({"origin": "http://localhost:9090"}, False),
        ({"origin": "http://127.0.0.1:9090.evil.example"}, False),
        ({"origin": "file://127.0.0.1:9090"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"origin": "http://", "host": ""}, False),
        ({}, False),
    ],
)
def test_only_a_page_of_this_origin_sends_a_form(headers: dict[str, str], ours: bool) -> None:
    assert is_ours({**HOST, **headers}) is ours


def test_a_form_has_many_values_and_no_end_of_them() -> None:
    assert fields(b"accepted=a&accepted=b&source=one+two%C3%A9") == {"accepted": ["a", "b"], "source": ["one twoé"]}
    assert fields(b"\xff=\xff") == {"\ufffd": ["\ufffd"]}
    with pytest.raises(ValueError, match="fields"):
        fields(b"a=1&" * 6000)
