"""What tells of a person, where a team wishes that it is taken out."""

import pytest

from wiretape.redaction import RedactionPolicy, Redactor

REDACTOR = Redactor(RedactionPolicy(pii=True), environment={})

PERSONAL = """
jane.doe@example.org
j@example.com
jane+news@mail.example.co.uk
4111111111111111
4111 1111 1111 1111
4111-1111-1111-1111
378282246310005
3782-822463-10005
6011000990139424
4222222222222
+4930901820
+49 30 901820
+1 (415) 555-0123
+1.415.555.0123
(415) 555-0123
415-555-0123
415.555.0123
"""
ORDINARY = """
jane@localhost
@decorator
4111111111111112
0000000000000000
41111111111111111111
1234567890123456
2026-11-28T01:02:03Z
192.168.100.200
+1234567
+1234567890123456
415-555-01234
1415-555-0123
"""


@pytest.mark.parametrize("text", PERSONAL.strip().splitlines())
def test_what_tells_of_a_person_is_taken_out_whole(text: str) -> None:
    assert REDACTOR.text(f"It is {text}, she says") == "It is __redacted__, she says"


@pytest.mark.parametrize("text", ORDINARY.strip().splitlines())
def test_other_numbers_stay(text: str) -> None:
    assert REDACTOR.text(f"It is {text}, she says") == f"It is {text}, she says"


def test_it_is_off_unless_it_is_wished() -> None:
    text = "jane.doe@example.org, 4111111111111111, +49 30 901820"
    assert Redactor(environment={}).text(text) == text


def test_an_address_ends_before_a_hyphen() -> None:
    assert REDACTOR.text("jane@example.org- or") == "__redacted__- or"
