"""The secrets of a machine's environment are found as they are; what may stand in a text by itself is none."""

import base64
import json
import pickle
from urllib.parse import quote

import pytest

from drawn import draw
from wiretape.redaction import REDACTED, Redactor

VALUE = draw("{a8}+/{a8}=%{a4}")


@pytest.mark.parametrize("name", ["HOUSE_API_KEY", "DEPLOY_TOKEN", "X_SECRET", "DB_PASSWORD", "SIGNING_KEY", "GH_PAT"])
def test_a_value_is_found_in_every_place_and_spelling(name: str) -> None:
    redactor = Redactor(environment={name: VALUE})
    for text in (VALUE, f"it is{VALUE}here", f"https://x.org/{quote(VALUE, safe='')}", json.dumps({"a": VALUE})):
        cleaned = redactor.text(text)
        assert REDACTED in cleaned
        assert VALUE not in cleaned
        assert quote(VALUE, safe="") not in cleaned
    assert [found.detector for found in redactor.find({"a": f"x{VALUE}x"})] == ["environment"]


@pytest.mark.parametrize("before", ["", "a", "ab", "abc:", "user:"])
@pytest.mark.parametrize("after", ["", "z", "zz", "\x00\xff\x00"])
def test_a_value_is_found_in_base64_of_more(before: str, after: str) -> None:
    redactor = Redactor(environment={"A_TOKEN": VALUE})
    encoded = base64.b64encode((before + VALUE + after).encode("latin-1"))
    cleaned = redactor.text(f"basic={encoded.decode()}")
    assert REDACTED in cleaned or VALUE.encode() not in base64.b64decode(cleaned.removeprefix("basic=") + "==")


ORDINARY = [
    "password",
    "test",
    "changeme",
    "development",
    "/run/secrets/token",
    "12345678",
    "true",
    "test-key-1",
    "a" * 20,
]
OTHERS = {"PATH": VALUE, "PUBLIC_KEY": VALUE, "KEY_ID": VALUE, "TOKEN_FILE": VALUE, "MAX_TOKENS": VALUE, "PWD": VALUE}


@pytest.mark.parametrize("value", ORDINARY)
def test_a_value_that_may_stand_by_itself_is_no_secret(value: str) -> None:
    text = f"a question about {value}, and more"
    assert Redactor(environment={"APP_SECRET_KEY": value}).text(text) == text


def test_a_variable_that_names_no_secret_is_none() -> None:
    assert Redactor(environment=OTHERS).text(f"it is {VALUE}") == f"it is {VALUE}"


def test_the_password_of_a_url_is_one() -> None:
    redactor = Redactor(environment={"DATABASE_URL": f"postgres://me:{quote(VALUE, safe='')}@db/x"})
    assert redactor.text(f"connect with {VALUE}") == f"connect with {REDACTED}"


def test_a_value_is_in_no_text_that_a_redactor_gives_of_itself() -> None:
    redactor = Redactor(environment={"A_TOKEN": VALUE})
    assert VALUE not in repr(redactor) + str(vars(redactor).get("_parts")) + repr(redactor.policy)
    assert VALUE.encode() not in pickle.dumps(redactor.policy)


def test_many_values_and_odd_ones_do_no_harm() -> None:
    environment = {f"A{number}_KEY": draw("{a20}", number) for number in range(500)}
    environment |= {"B_KEY": "(" * 12 + "\\E[a1", "C_KEY": "\udcff" * 5 + "a1b2c3d4"}
    redactor = Redactor(environment=environment)
    assert redactor.text(f"x {environment['A7_KEY']} y") == f"x {REDACTED} y"
