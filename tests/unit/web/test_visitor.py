"""Who looks at the page, and what a token lets be done."""

from datetime import UTC, datetime

from wiretape.sessions.model import Role
from wiretape.sessions.tokens import TokenEntry
from wiretape.web.visitor import Visitor


def entry(session: str, role: Role) -> TokenEntry:
    return TokenEntry("anna", session, role, datetime.now(UTC), b"")


def test_without_tokens_everybody_may() -> None:
    assert Visitor(None).may(Role.ADMIN, "main")
    assert Visitor(None).is_admin


def test_a_role_counts_for_its_session() -> None:
    visitor = Visitor((entry("main", Role.READ), entry("mine", Role.ADMIN)))
    assert visitor.may_read("main")
    assert not visitor.may(Role.WRITE, "main")
    assert visitor.may(Role.ADMIN, "mine")
    assert not visitor.may_read("another")
    assert visitor.is_admin
    assert not Visitor((entry("*", Role.WRITE),)).is_admin
