"""What never reaches a disk: keys, tokens and what the team's rules name. Before anything is compared or written.

Read in this order:

``words``       whether a text is made of words, as identifiers are
``members``     whether a name is a secret's
``values``      whether what such a name has is one
``forms``       the table's greater part: keys that are known by how they begin
``structures``, ``context``   what is known by how it is built, and by what stands before it
``detectors``   the table; ``pii``: what is in it if somebody wishes
``scanner``     a text -> where the secrets of the table are
``environment`` a text -> where this machine's own are
``paths``, ``pseudonyms``     where a team's rule applies, what stands in the place of a name
``rules``       the policy: the team's own rules, what is allowed, what becomes of a secret
``spans``, ``positions``      where something stands in a text, and in what the text is written in
``encodings``   secrets in JSON, base64 and percent-encoding in a text
``redactor``    a text or a JSON value -> where its secrets are, or the same without them
``channels``    which texts of a stream are one: deltas, tokens
``streams``     what is to go of them, put where it stands
``bodies``      the bytes of a live answer, piece by piece
``recorded``    a recording that is there already
``logs``        lines of the log, crash texts
"""

from wiretape.redaction.redactor import DEFAULT, Finding, Redactor
from wiretape.redaction.rules import REDACTED, OnSecret, RedactionPolicy, RedactionRule, RefusedError
from wiretape.redaction.spans import Span

__all__ = [
    "DEFAULT",
    "REDACTED",
    "Finding",
    "OnSecret",
    "RedactionPolicy",
    "RedactionRule",
    "Redactor",
    "RefusedError",
    "Span",
]
