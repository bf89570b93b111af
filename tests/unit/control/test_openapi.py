"""The document says what the app has, and what it answers: every answer and every body is held against it."""

import json
from collections.abc import Iterator
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from controlling import Told, ask, served, told
from samples import CHAT
from wiretape.call_log.call import Call, MissTold, Outcome
from wiretape.control import api, openapi, schemas
from wiretape.control.authorization import OPEN
from wiretape.control.openapi import OPERATIONS, Operation
from wiretape.control.server import WebServer
from wiretape.metrics.counters import Counters
from wiretape.providers.usage import Usage

DOCUMENT = openapi.document()
SCOPE = {"client": "gw0", "session": "default", "test_id": "a", "isolated": True, "mode": None, "pace": "2x"}
FAULTS = [{"delay": "1s", "endpoint": "*"}]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    with told(tmp_path_factory.mktemp("document")) as proxy:
        _fill(proxy)
        with served(proxy) as server:
            yield server


def _fill(proxy: Told) -> None:
    proxy.ledger.of("default").hits = 1
    proxy.ledger.of("default").rules["today"] = 1
    proxy.tell(recording=CHAT.stem, recorded_in="default", usage=Usage(1, None, 2), cost_usd=Decimal("0.01"))
    proxy.tell(Outcome.MISS, miss=MissTold("ab", "cd", "x differs"), why=("w",), status=400, total_ms=1.5)


def validator(schema: Any) -> Draft202012Validator:
    # References of a schema are to parts of the document.
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


ASKED: list[tuple[str, str, Any, int]] = [
    ("status", "/v1/status", None, 200),
    ("calls", "/v1/calls?session=default&since=0&limit=10", None, 200),
    ("calls", "/v1/calls?since=x", None, 400),
    ("call", "/v1/calls/1", None, 200),
    ("call", "/v1/calls/2", None, 200),
    ("call", "/v1/calls/3000", None, 404),
    ("events", "/v1/calls/events?since=x", None, 400),
    ("recordings", "/v1/sessions/default/recordings", None, 200),
    ("recordings", "/v1/sessions/UP/recordings", None, 422),
    ("put_session", "/v1/sessions/a", {"mode": "record", "takes": None, "match": ["auto"], "faults": FAULTS}, 200),
    ("put_session", "/v1/sessions/a", {"mode": "reply"}, 422),
    ("delete_session", "/v1/sessions/a", None, 200),
    ("rewind", "/v1/rewind", None, 200),
    ("post_scope", "/v1/scopes", SCOPE, 201),
    ("post_scope", "/v1/scopes", {"client": "gw1", "faults": FAULTS}, 201),
    ("post_scope", "/v1/scopes", {}, 422),
    ("scopes", "/v1/scopes", None, 200),
    ("scope", "/v1/scopes/{id}", None, 200),
    ("patch_scope", "/v1/scopes/{id}", {"mode": "record", "pace": None, "faults": FAULTS}, 200),
    ("delete_scope", "/v1/scopes/{id}", None, 200),
    ("delete_scope", "/v1/scopes/none", None, 404),
]
"""Everything that can be asked, with what is right and with what is wrong."""


def test_every_answer_and_every_body_is_as_the_document_has_it(server: WebServer) -> None:
    scope = ""
    for name, path, body, status in ASKED:
        operation = next(each for each in OPERATIONS if each.name == name)
        content = None if body is None else json.dumps(body).encode()
        answer, text = ask(server.address, path.format(id=scope), operation.method, content)
        assert answer.status == status, (path, text)
        described = DOCUMENT["paths"][operation.path][operation.method.lower()]
        content_type = answer.getheader("content-type") or ""
        schema = described["responses"][str(status)]["content"][content_type]["schema"]
        validator(schema).validate(json.loads(text))
        if body is not None and status < 400:
            validator(described["requestBody"]["content"]["application/json"]["schema"]).validate(body)
        if status == 201 and not scope:
            scope = json.loads(text)["id"]
    assert {name for name, *_ in ASKED} == {operation.name for operation in OPERATIONS}


def test_an_event_is_a_call_of_the_document(tmp_path: Path) -> None:
    with told(tmp_path) as proxy:
        _fill(proxy)
        found = api.Api(proxy).answer(OPERATIONS[1], api.Request(OPEN))
    for call in found["calls"]:
        validator(schemas.ref("Call")).validate(call)


def test_the_document_itself_is_sound() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert name == "Error" or f"#/components/schemas/{name}" in json.dumps(DOCUMENT), name
    for reference in {*_references(DOCUMENT)}:
        assert reference.removeprefix("#/components/schemas/") in DOCUMENT["components"]["schemas"]
    assert DOCUMENT["openapi"].startswith("3.1.")


def _references(value: Any) -> Iterator[str]:
    match value:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for each in value.values():
                yield from _references(each)
        case list():
            for each in value:
                yield from _references(each)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_has_its_method(operation: Operation) -> None:
    assert callable(getattr(api.Api, operation.name, None)) or operation.content_type == openapi.EVENTS
    assert len({each.name for each in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize(
    ("kind", "schema"), [(Call, "Call"), (MissTold, "Miss"), (Usage, "Usage"), (Counters, "Counters")]
)
def test_every_member_of_a_value_is_described(kind: Any, schema: str) -> None:
    assert {each.name for each in fields(kind)} == {*schemas.SCHEMAS[schema]["properties"]}
