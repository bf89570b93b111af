"""Whether the value of a member is a secret, given the member's name and the object that it stands in.

Between ``members``, which judges a name, and ``values``, which judges a text. Some names settle it (``api_key``);
others are also those of harmless things (``token``), so the value decides. A member that is called ``value`` is named
by what stands beside it: ``{"name": "API_KEY", "value": "..."}``.
"""

from collections.abc import Mapping
from typing import Any

from wiretape.redaction import members, values
from wiretape.redaction.members import Strength
from wiretape.redaction.rules import REDACTED
from wiretape.redaction.team_rules import AllowedTexts


class SecretMembers:
    """Knows members by their names, unless that detector is off."""

    def __init__(self, allowed: AllowedTexts, *, is_on: bool) -> None:
        self._allowed = allowed
        self._is_on = is_on

    def is_secret(self, name: str, beside: Mapping[str, Any]) -> bool:
        """Tell whether a member names a secret, given the object that it stands in."""
        if not self._is_on:
            return False
        if name == "value":
            label = members.naming(beside, "")
            return members.strength(label) is Strength.SURE or self._may_be_secret(label, beside, name)
        match members.strength(name):
            case Strength.SURE:
                return True
            case Strength.LIKELY:
                return self._may_be_secret(name, beside, name)
        if not members.is_constant_key(name):
            return False
        item = beside[name]
        return isinstance(item, str) and values.is_secret(item, values.Writing.QUOTED)

    def is_harmless(self, name: str, text: str) -> bool:
        """Tell whether the text of a member that names a secret only stands in for one, or is allowed."""
        if text in ("", REDACTED) or values.is_about_secret(text):
            return True
        return text in self._allowed or values.is_directory(name, text)

    @staticmethod
    def _may_be_secret(label: str, beside: Mapping[str, Any], name: str) -> bool:
        item = beside[name]
        if members.strength(label) is Strength.NONE or not isinstance(item, str):
            return False
        # What a model calls a token stands beside its probability.
        return "logprob" not in beside and values.may_be_secret(item)
