"""What becomes of secrets, and what a team counts as one. From ``wiretape.toml``, before the redactor."""

from dataclasses import dataclass
from enum import StrEnum


class OnSecret(StrEnum):
    """What becomes of an exchange in which a secret was found."""

    REDACT = "redact"
    """The secret is replaced, the rest is recorded."""
    REFUSE = "refuse"
    """The exchange passes and is not recorded."""
    KEEP = "keep"
    """It is recorded as it is."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a team says of secrets. Its fields can be written as JSON."""

    on_secret: OnSecret = OnSecret.REDACT


DEFAULT_POLICY = Policy()
"""What holds where nobody says anything else."""
