"""What never reaches a disk: keys, tokens and what the team's rules name. Before anything is compared or written.

Read in this order:

``detectors``   the table: what a secret looks like, with examples and look-alikes
``rules``       the policy: the team's own rules, what is allowed, what becomes of a secret
``redactor``    a text or a JSON value -> where its secrets are, or the same without them
"""

from wiretape.redaction.redactor import DEFAULT, REDACTED, Finding, Redactor
from wiretape.redaction.rules import OnSecret, Policy
from wiretape.redaction.spans import Span

__all__ = ["DEFAULT", "REDACTED", "Finding", "OnSecret", "Policy", "Redactor", "Span"]
