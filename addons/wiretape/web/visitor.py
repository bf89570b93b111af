"""Who looks at the page, and what that lets be done. Values in, values out."""

from dataclasses import dataclass

from wiretape.sessions.model import Role
from wiretape.sessions.tokens import TokenEntry


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks for a page."""

    entries: tuple[TokenEntry, ...] | None
    """What the token is good for; None where none is asked for."""

    def may(self, role: Role, session: str) -> bool:
        """Return whether a session is open for what a role may do."""
        return self.entries is None or any(entry.allows(role, session) for entry in self.entries)

    def may_read(self, session: str) -> bool:
        """Return whether a session may be looked at."""
        return self.may(Role.READ, session)

    @property
    def is_admin(self) -> bool:
        """Whether there is a session that may be changed."""
        return self.entries is None or any(entry.role is Role.ADMIN for entry in self.entries)
