"""What a web page is told: whether it may ask, and whether it may read."""

import pytest

from wiretape.network.cors import allowance, is_origin, method_asked_for, permission

PAGE = "http://localhost:3000"
ASKS = {"origin": PAGE, "access-control-request-method": "POST"}


@pytest.mark.parametrize(
    ("method", "headers", "asked_for"),
    [
        ("OPTIONS", ASKS, "POST"),
        ("OPTIONS", {**ASKS, "access-control-request-method": "DELETE"}, "DELETE"),
        ("OPTIONS", {**ASKS, "origin": "null"}, "POST"),
        ("POST", ASKS, ""),
        ("OPTIONS", {"origin": PAGE}, ""),
        ("OPTIONS", {"access-control-request-method": "POST"}, ""),
        ("OPTIONS", {**ASKS, "origin": "x\r\nset-cookie: a"}, ""),
        ("OPTIONS", {**ASKS, "origin": "caf\u00e9"}, ""),
        ("OPTIONS", {**ASKS, "access-control-request-method": "POST\r\nx: y"}, ""),
        ("OPTIONS", {**ASKS, "access-control-request-method": "A" * 10_000}, ""),
        ("OPTIONS", {**ASKS, "origin": "x" * 10_000}, ""),
    ],
)
def test_a_preflight_asks_for_a_method(method: str, headers: dict[str, str], asked_for: str) -> None:
    assert method_asked_for(method, headers) == asked_for


def test_a_preflight_is_granted_what_it_asks_for() -> None:
    assert dict(permission(ASKS)) == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "POST",
        "vary": "origin",
    }
    more = {"access-control-request-headers": "authorization, x-a", "access-control-request-private-network": "true"}
    granted = dict(permission({**ASKS, **more}))
    assert granted["access-control-allow-headers"] == "authorization, x-a"
    assert granted["access-control-allow-private-network"] == "true"


@pytest.mark.parametrize("names", ["a\r\nset-cookie: b", "a" * 10_000, "caf\u00e9", "a;b"])
def test_what_cannot_be_names_of_headers_is_not_repeated(names: str) -> None:
    assert "access-control-allow-headers" not in dict(permission({**ASKS, "access-control-request-headers": names}))


def test_an_answer_names_who_may_read_it_and_what() -> None:
    assert dict(allowance("null", ["Content-Type", "X-B", "retry-after", "access-control-allow-origin"])) == {
        "access-control-allow-origin": "null",
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "retry-after, x-b",
        "vary": "origin",
    }
    assert "access-control-expose-headers" not in dict(allowance(PAGE, ["content-length"]))


@pytest.mark.parametrize("text", ["", " ", "a b", "a\n", "\u00e9", "x" * 5000])
def test_what_is_no_origin(text: str) -> None:
    assert not is_origin(text)
