"""Who asks, and what it may: a header and the tokens of the proxy in, a caller out."""

from pathlib import Path

import pytest

from wiretape.control import authorization
from wiretape.control.authorization import OPEN, caller
from wiretape.control.refusal import ApiError
from wiretape.sessions import token_file
from wiretape.sessions.model import Role
from wiretape.sessions.token_file import TokenFile
from wiretape.sessions.tokens import Tokens


def test_an_open_proxy_lets_everybody_do_everything() -> None:
    assert caller(None, None) is caller(None, "Bearer x") is OPEN
    assert OPEN.is_anybody
    assert OPEN.may(Role.ADMIN, "*")


@pytest.mark.parametrize(
    ("role", "session", "may"),
    [
        (Role.READ, "a", {"read a"}),
        (Role.WRITE, "a", {"read a", "write a"}),
        (Role.ADMIN, "a", {"read a", "write a", "admin a"}),
        (Role.READ, "*", {"read a", "read b", "read *"}),
        (Role.ADMIN, "*", {f"{role} {session}" for role in Role for session in ("a", "b", "*")}),
    ],
)
def test_a_role_may_what_those_below_it_may_in_its_sessions(
    tmp_path: Path, role: Role, session: str, may: set[str]
) -> None:
    token, content = Tokens().create(session, role)
    token_file.write(tmp_path / "tokens.toml", content)
    made = caller(TokenFile(tmp_path / "tokens.toml"), f"Bearer {token.text}")
    assert not made.is_anybody
    assert {f"{role} {session}" for role in Role for session in ("a", "b", "*") if made.may(role, session)} == may
    if not made.may(Role.READ, "b"):
        with pytest.raises(ApiError, match="needs a token of the role read or more for session b") as raised:
            made.need(Role.READ, "b")
        assert raised.value.status == 403


def test_a_token_that_was_taken_back_is_nobodys(tmp_path: Path) -> None:
    token, content = Tokens().create("a", Role.READ, "one")
    file = tmp_path / "tokens.toml"
    token_file.write(file, content)
    tokens = TokenFile(file)
    caller(tokens, f"Bearer {token.text}")
    token_file.write(file, content.without("one"))
    with pytest.raises(ApiError) as raised:
        caller(tokens, f"Bearer {token.text}")
    assert raised.value.status == 401
    assert token.text not in str(raised.value)


def test_tokens_that_cannot_be_read_are_no_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token_file.write(tmp_path / "tokens.toml", Tokens())
    tokens = TokenFile(tmp_path / "tokens.toml")

    def fail(_: str) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(tokens, "having", fail)
    with pytest.raises(ApiError) as raised:
        authorization.caller(tokens, "Bearer wt_x")
    assert raised.value.status == 503
