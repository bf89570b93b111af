"""What editors are told is what a start checks."""

import json
import tomllib

import jsonschema
import pytest

from places import CONFIG
from wiretape import config
from wiretape.config import schema
from wiretape.config.tables import WIRETAPE_TOML

SCHEMA = json.loads(schema.text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def test_the_file_is_what_the_tables_say() -> None:
    assert (CONFIG / "wiretape.schema.json").read_text("utf-8") == schema.text(), (
        "python -m wiretape.config.schema > config/wiretape.schema.json"
    )


def test_it_is_a_schema_and_every_key_in_it_says_what_it_is_for() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert [*SCHEMA["properties"]] == [*WIRETAPE_TOML.names]
    for kind in SCHEMA["properties"].values():
        assert kind["description"]
        rows = kind.get("items") or kind.get("additionalProperties") or kind
        assert all(key["description"].endswith(".") for key in rows.get("properties", {}).values())


def test_the_example_names_it_and_is_right_by_it() -> None:
    text = (CONFIG / "wiretape.toml").read_text("utf-8")
    assert text.startswith("#:schema ./wiretape.schema.json\n")
    VALIDATOR.validate(tomllib.loads(text))
    code = [line[1:] for line in text.splitlines() if line.startswith("#") and line[1:2] not in ("", " ", ":")]
    VALIDATOR.validate(tomllib.loads("\n".join(code)))


WRONG = [
    "[sesion.a]",
    "[session.a]\nmodus = 'live'",
    "[session.a]\nmode = 'repaly'",
    "[session.a]\nlayers = []",
    "[session.a]\nlayers = ['b', 'b']",
    "[session.a]\nfrozen = 1",
    "[[tunnels]]",
    "[tunnels]\nallow = [1]",
    "[fault]\nstatus = 429",
    "[[fault]]\nstatus = 200",
    "[[fault]]\nshare = 0\nstall = 1",
    "[[fault]]\nnth = []\nstall = 1",
    "[[fault]]\ndelay = '1m'",
    "[[redact]]\npath = 'a'",
    "[[provider]]\nname = 'a'",
    "[endpoints.a]\n'POST /x' = { kind = 'sdk2' }",
]


@pytest.mark.parametrize("text", WRONG)
def test_what_it_refuses_a_start_refuses(text: str) -> None:
    assert not VALIDATOR.is_valid(tomllib.loads(text))
    with pytest.raises(ValueError, match=r"^team\.toml:"):
        config.loads("team.toml", text)
