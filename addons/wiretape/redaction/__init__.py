"""Redaction: keys, tokens and whatever the rules of a team name never reach a disk.

It happens before anything is compared or written. How texts are replaced where they stand, ``rewriting`` knows. Read
the modules in this order:

``words``           tells whether a text is made of words, as identifiers are
``members``         tells whether a name is that of a secret
``values``          tells whether the value that has such a name is a secret
``forms``           the greater part of the table: keys that are known by how they begin
``structures``      secrets that are known by how they are built
``context``         secrets that are known by what stands before them
``detectors``       the table, put together; ``pii`` adds what tells of a person, where that is asked for
``scanner``         finds the secrets of the table in a text
``environment``     finds the secrets of this machine's environment in a text
``rules``           the policy: the rules of a team, what is allowed, what becomes of a secret
``paths``           where in a value a rule applies; ``pseudonyms``: what replaces a name
``team_rules``      the rules of a team, ready for use
``encodings``       finds secrets in what a text encodes: JSON, base64, percent-encoding
``secret_members``  tells whether a member of an object is a secret
``redactor``        takes secrets out of a text or a JSON value
``streams``         finds secrets that are cut up over a stream
``bodies``          takes secrets out of the bytes of a live answer
``recorded``        takes secrets out of a recording that exists already
``logs``            takes secrets out of the lines of the log
"""

from wiretape.redaction.redactor import DEFAULT, Finding, Redactor
from wiretape.redaction.rules import REDACTED, OnSecret, RedactionPolicy, RedactionRule, RefusedError
from wiretape.rewriting.spans import Span

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
