"""The control API as a table of what can be asked, and as the document of OpenAPI that is made of it.

The app has a route for each line of the table, and ``api`` a method of its name: there is no other list of either.
Source: OpenAPI Specification 3.1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import wiretape
from wiretape.control.refusal import CODES
from wiretape.control.schemas import NUMBER, SCHEMAS, TEXT, Schema, ref, rows, table, told

EVENTS = "text/event-stream"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Parameter:
    """What can stand behind the question mark."""

    name: str
    text: str
    schema: Schema


@dataclass(frozen=True, slots=True)
class Operation:
    """What can be asked."""

    method: str
    path: str
    name: str
    """The name of the method of ``Api``."""
    summary: str
    answer: Schema
    text: str = ""
    parameters: Sequence[Parameter] = ()
    body: str = ""
    """The name of its body's schema; empty for none."""
    status: int = 200
    content_type: str = _JSON
    errors: Sequence[int] = ()
    """Beside those that all have."""

    @property
    def in_path(self) -> Iterator[str]:
        """The names that stand in the path."""
        for part in self.path.split("/"):
            if part.startswith("{"):
                yield part.strip("{}")


_SESSION = Parameter("session", "Calls of this session alone.", TEXT)
_SCOPE = Parameter("scope", "Calls of the scope with this id alone.", TEXT)
_SINCE = Parameter("since", "The id of the call after which they begin, or a time of RFC 3339 from which on.", TEXT)
_LIMIT = Parameter("limit", "How many at most.", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1000})
_RUN = Parameter("run", "A run, as a call tells it; by default that of the proxy.", TEXT)

OPERATIONS: Sequence[Operation] = (
    Operation("GET", "/v1/status", "status", "What the proxy is, and what it has counted.", ref("Status")),
    Operation(
        "GET",
        "/v1/calls",
        "calls",
        "What became of calls, the oldest first.",
        table({"calls": rows(ref("Call")), "next": told(NUMBER, "the `since` of what comes next")}),
        "Without `since` they are the newest. The log is on this machine's disk, and has the newest 100,000 of all "
        "workers and of the runs before.",
        (_SESSION, _SCOPE, _SINCE, _LIMIT),
        errors=(400,),
    ),
    Operation(
        "GET",
        "/v1/calls/events",
        "events",
        "Calls as they come, as Server-Sent Events.",
        ref("Call"),
        "The data of each event is a call, and its id that of the call. With `Last-Event-ID`, or `since`, it goes on "
        "after that one; else it begins now. A comment at least every 15 seconds shows that it is alive, and it ends "
        "with the proxy.",
        (_SESSION, _SCOPE, _SINCE),
        content_type=EVENTS,
        errors=(400,),
    ),
    Operation(
        "GET",
        "/v1/calls/{id}",
        "call",
        "A call with its request and its answer, as far as they are kept.",
        ref("KeptCall"),
        "They are those of its recording, or of a miss that was kept.",
        errors=(404,),
    ),
    Operation(
        "GET",
        "/v1/sessions/{name}/recordings",
        "recordings",
        "The recordings of a session, and which of them were asked for.",
        table({"session": TEXT, "run": TEXT, "recordings": rows(ref("AskedRecording"))}),
        parameters=(_RUN,),
        errors=(400, 422),
    ),
    Operation(
        "PUT",
        "/v1/sessions/{name}",
        "put_session",
        "What holds for a session from the answer on, until the proxy ends.",
        ref("Override"),
        "What is left out is as it is configured: a second PUT takes the place of the first one. The answer is what is "
        "in force beside the configuration.",
        body="Override",
        errors=(400, 409, 413, 422),
    ),
    Operation(
        "DELETE",
        "/v1/sessions/{name}",
        "delete_session",
        "A session is as it is configured again.",
        ref("Override"),
        errors=(422,),
    ),
    Operation(
        "POST",
        "/v1/rewind",
        "rewind",
        "Every sequence of takes begins again, and what faults count.",
        table({}),
    ),
    Operation(
        "POST",
        "/v1/scopes",
        "post_scope",
        "A scope begins: from the answer on, the requests of a client are in it.",
        ref("Scope"),
        "The client is the user of the proxy's URL, as `gw0` in `http://gw0@127.0.0.1:8080`. It holds for all workers, "
        "and in connections that are open. A client has one scope at a time: a second one ends the first.",
        body="NewScope",
        status=201,
        errors=(400, 409, 413, 422),
    ),
    Operation("GET", "/v1/scopes", "scopes", "The scopes that are open.", table({"scopes": rows(ref("Scope"))})),
    Operation("GET", "/v1/scopes/{id}", "scope", "The account of a scope so far.", ref("Account"), errors=(404,)),
    Operation(
        "PATCH",
        "/v1/scopes/{id}",
        "patch_scope",
        "Another mode or pace, or other faults, for the rest of a scope.",
        ref("Scope"),
        "What is left out stays; what is null is as the session has it.",
        body="ScopeChange",
        errors=(400, 404, 413, 422),
    ),
    Operation(
        "DELETE",
        "/v1/scopes/{id}",
        "delete_scope",
        "A scope ends.",
        ref("Account"),
        "The account has every call that was answered before. Of a scope that has ended before, it is that of its end. "
        "Its recordings are those of its test alone (`isolated`), or all of its session where it is of no test.",
        errors=(404,),
    ),
)


def document() -> dict[str, Any]:
    """Return the document of OpenAPI."""
    paths: dict[str, dict[str, Any]] = {}
    for each in OPERATIONS:
        paths.setdefault(each.path, {})[each.method.lower()] = _described(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "wiretape: the control API",
            "version": wiretape.__version__,
            "description": "What a running proxy is asked and told. See docs/reference/control-api.md.",
        },
        "paths": paths,
        "components": {
            "schemas": dict(SCHEMAS),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        # Without tokens the proxy is open, on its own machine.
        "security": [{}, {"token": []}],
    }


def _described(operation: Operation) -> dict[str, Any]:
    parameters = [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in operation.in_path]
    parameters += [
        {"name": each.name, "in": "query", "required": False, "description": each.text, "schema": each.schema}
        for each in operation.parameters
    ]
    content = {operation.content_type: {"schema": operation.answer}}
    answers: dict[str, Any] = {str(operation.status): {"description": operation.summary, "content": content}}
    for status in errors(operation):
        answers[str(status)] = {
            "description": CODES[status],
            "content": {_JSON: {"schema": ref("Error")}},
        }
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": parameters,
        "responses": answers,
    }
    if operation.text:
        described["description"] = operation.text
    if operation.body:
        described["requestBody"] = {"required": True, "content": {_JSON: {"schema": ref(operation.body)}}}
    return described


def errors(operation: Operation) -> list[int]:
    """Return the statuses of errors that an operation has."""
    return sorted({*operation.errors, 401, 403, 421, 500, 503})
