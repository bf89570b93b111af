"""Whether the value of a member is a secret, by its name and by what stands beside it."""

from typing import Any

import pytest

from wiretape.redaction.secret_members import SecretMembers
from wiretape.redaction.team_rules import AllowedTexts

DRAWN = "kX92mQz7Lr41VtB8wYp3"
MEMBERS = SecretMembers(AllowedTexts(["hunter2", "/demo-.*/"]), is_on=True)

SECRETS: list[tuple[str, dict[str, Any]]] = [
    ("password", {"password": "x"}),
    ("api_key", {"api_key": 7}),
    ("token", {"token": DRAWN}),
    ("X_KEY", {"X_KEY": DRAWN}),
    ("value", {"name": "API_KEY", "value": "x"}),
    ("value", {"name": "token", "value": DRAWN}),
]
NONE: list[tuple[str, dict[str, Any]]] = [
    ("content", {"content": DRAWN}),
    ("token", {"token": "hello"}),
    ("token", {"token": 7}),
    ("token", {"token": DRAWN, "logprob": -1.0}),
    ("max_tokens", {"max_tokens": DRAWN}),
    ("X_KEY", {"X_KEY": "some words here"}),
    ("X_KEY", {"X_KEY": None}),
    ("value", {"name": "colour", "value": DRAWN}),
    ("value", {"value": DRAWN}),
    ("value", {"name": "token", "value": "hello"}),
]


@pytest.mark.parametrize(("name", "beside"), SECRETS)
def test_it_is_one(name: str, beside: dict[str, Any]) -> None:
    assert MEMBERS.is_secret(name, beside)
    assert not SecretMembers(AllowedTexts([]), is_on=False).is_secret(name, beside)


@pytest.mark.parametrize(("name", "beside"), NONE)
def test_it_is_none(name: str, beside: dict[str, Any]) -> None:
    assert not MEMBERS.is_secret(name, beside)


@pytest.mark.parametrize(
    ("name", "text", "is_so"),
    [
        ("password", "", True),
        ("password", "__redacted__", True),
        ("password", "${PASSWORD}", True),
        ("password", "hunter2", True),
        ("password", "demo-1", True),
        ("PWD", "/home/jane", True),
        ("password", "/home/jane", False),
        ("password", "hunter3", False),
        ("password", DRAWN, False),
    ],
)
def test_what_stands_in_for_a_secret_or_is_allowed_is_harmless(name: str, text: str, *, is_so: bool) -> None:
    assert MEMBERS.is_harmless(name, text) is is_so
