"""No text takes a redactor longer than in proportion to its length, whatever it is and whatever patterns a team has."""

from collections.abc import Callable

import pytest

from costs import cost
from drawn import draw
from wiretape.redaction import RedactionPolicy, RedactionRule, Redactor
from wiretape.redaction.detectors import DETECTORS
from wiretape.redaction.forms import FORMS

KEY = "PRIVATE KEY-----"
HEAD = draw("eyJhbGciOiJIUzI1NiJ9")

ADVERSARIAL = {
    "PEM without an end": f"-----BEGIN RSA {KEY} ",
    "PEM, a header in a header": f"-----BEGIN {KEY}\nAbc: ",
    "PEM, short lines": f"-----BEGIN {KEY}\nAAAA\n",
    "PEM, spaces": f"-----BEGIN {KEY}" + " " * 40,
    "heads of JSON web tokens": HEAD,
    "such heads, divided": f"-{HEAD}.",
    "beginnings": "sk-",
    "beginnings behind names": "a-sk-",
    "beginnings of what is none": "xoxb-xxxxx%20",
    "names": "token=",
    "names and quotes": 'token=\\"',
    "names with digits": "token=1",
    "headers": "Authorization: ",
    "cookies": "Cookie: a=b1;",
    "options": " --token ",
    "sentences": "password is ",
    "URLs": "://a:",
    "URLs with passwords": "://a:b@",
    "backslashes": "token=\\\\\\\\\\\\\\\\",
    "digits": "7",
    "addresses": "a@a.",
    "nothing": "a",
    "spaces": " ",
    "a piece of a secret of the environment": "aab4aab9aab1aab",
}
PATTERNS = ("a.*b|a", "(a+)+x", "[a-z ]*q|e", "(?s)t.*~|token", r"\w+\W+\w+!", "(x|xx|xxx)+y|-")

TABLE = Redactor(environment={"X_API_KEY": "aab4aab9aab1aab1"})
TEAM = Redactor(
    RedactionPolicy(pii=True, rules=tuple(RedactionRule(f"r{n}", pattern=p) for n, p in enumerate(PATTERNS))),
    environment={},
)


def assert_linear(look: Callable[[str], object], piece: str, size: int) -> None:
    text = piece * (size // len(piece) + 1)
    short = cost(look, text)
    if short < 0.002:  # Too little to compare; where it is quadratic, this is sixteen times as much.
        text *= 4
        short = cost(look, text)
    assert cost(look, text * 4) < 8 * max(short, 0.002)


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_the_table_is_linear(name: str) -> None:
    assert_linear(TABLE._plain_spans, ADVERSARIAL[name], 4000)


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_patterns_of_a_team_are_linear(name: str) -> None:
    assert_linear(TEAM._plain_spans, ADVERSARIAL[name], 1500)


def test_every_beginning_of_the_table_is_linear() -> None:
    starts = [start for form in FORMS for start in form.starts]
    assert_linear(TABLE._plain_spans, " ".join(starts) + " ", 4000)
    assert_linear(TABLE._plain_spans, "%20".join(f"{start}xxxxxxxxxx" for start in starts), 4000)


def test_what_is_found_many_times_is_linear() -> None:
    examples = [example for each in DETECTORS for example in each.examples]
    assert_linear(TABLE._plain_spans, "\n".join(draw(example) for example in examples).replace("«", ""), 4000)


def test_a_long_secret_is_taken_out_whole() -> None:
    for secret in (draw("sk-{s9000}"), draw("ghp_{a9000}"), f"{HEAD}." + draw("eyJ{a90000}.{s9000}x")):
        assert TABLE.text(f"a {secret} b") == "a __redacted__ b"
    value = draw("{a40}") * 500
    assert TABLE.text(f"API_KEY={value}\nb") == "API_KEY=__redacted__\nb"
    assert TABLE.text(f"Cookie: a={value}\nb") == "Cookie: __redacted__\nb"
    key = "\n".join([f"-----BEGIN {KEY}", *[draw("{a64}", seed) for seed in range(900)]])
    assert TABLE.text(f"a {key} b") == "a __redacted__ b"


def test_a_match_of_a_team_is_found_whole_wherever_it_stands() -> None:
    rule = RedactionRule("a", pattern="<[^>]{1,900}>", replace="X")
    redactor = Redactor(RedactionPolicy(rules=(rule,)), environment={})
    for before in range(0, 5000, 397):
        for length in (1, 40, 600):
            text = "é" * before + f"<{'ü' * (length // 2)}{'y' * (length - length // 2)}> end"
            assert redactor.text(text) == "é" * before + "X end", (before, length)


def test_a_pattern_that_matches_nothing_at_some_places_comes_to_an_end() -> None:
    rule = RedactionRule("a", pattern=r"\b[0-9]*", replace="X")
    redactor = Redactor(RedactionPolicy(rules=(rule,)), environment={})
    assert redactor.text("aé 12 été 34 é") == "aé X été X é"
