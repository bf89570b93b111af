"""What the answers of the control API look like, as JSON Schema. Beside ``openapi``, which puts the document together.

Members that are values of classes of ours have their names from the classes: what is told of each stands here.
"""

from collections.abc import Mapping
from typing import Any

from wiretape.call_log.call import Outcome
from wiretape.config.overrides import SCOPE, SCOPE_CHANGE, SESSION_OVERRIDE
from wiretape.metrics import prometheus
from wiretape.metrics.counters import AMOUNTS
from wiretape.policy import Mode

type Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
WHEN: Schema = {"type": "string", "format": "date-time"}
MONEY: Schema = {"type": "string", "description": "US dollars, as a decimal number"}
MODE: Schema = {"type": "string", "enum": [*Mode]}
TEXTS: Schema = {"type": "array", "items": {"type": "string"}}


def ref(name: str) -> Schema:
    """Return a schema by its name in the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def told(schema: Schema, description: str) -> Schema:
    """Return a schema with what is told of it."""
    return {**schema, "description": description}


def maybe(schema: Schema) -> Schema:
    """Return a schema that is also that of null."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    kinds: Schema = {"type": [schema["type"], "null"]}
    if "enum" in schema:
        kinds["enum"] = [*schema["enum"], None]
    return {**schema, **kinds}


def with_nulls(schema: Schema) -> Schema:
    """Return the schema of an object whose members may be null, where they are not needed: as if they were left out."""
    needed = schema.get("required", [])
    members = {name: each if name in needed else maybe(each) for name, each in schema["properties"].items()}
    return {**schema, "properties": members}


def table(members: Mapping[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    """Return the schema of an object, which has all of these members but the optional ones, and no other."""
    needed = [name for name in members if name not in optional]
    return {"type": "object", "properties": dict(members), "required": needed, "additionalProperties": False}


def rows(schema: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


# -- values of classes -------------------------------------------------------------------------------------------------

_KINDS_OF_TOKENS: Mapping[str, str] = {
    "input": "all that was read",
    "cached": "of the input: what came from a cache",
    "output": "all that was written, with what was thought",
    "reasoning": "of the output: what was thought and not said",
    "cache_write": "of the input: what was written to a cache",
    "cache_write_1h": "of that: what the cache keeps for an hour",
    "input_audio": "of the input: what was heard",
    "output_audio": "of the output: what was spoken",
    "input_image": "of the input: what was seen",
    "output_image": "of the output: what was drawn",
}

_TOKENS = {name: told(maybe(NUMBER), words) for name, words in _KINDS_OF_TOKENS.items()}

_USAGE = table(
    {
        **_TOKENS,
        "billed_usd": told(maybe(MONEY), "what the provider itself says that it costs"),
        "model": told(maybe(TEXT), "the model that has answered, as the answer names it"),
        "tier": told(maybe(TEXT), "how it was served, where the answer says so"),
    }
)

_MISS = table(
    {
        "hash": told(TEXT, "the first digits of the request's hash"),
        "nearest": told(TEXT, "the nearest recording's name"),
        "difference": told(TEXT, "the first place where that one differs, in a line"),
        "text": told(TEXT, "all of it, as the client was told"),
        "hint": told(TEXT, "which rule would make the nearest recording answer"),
    }
)

_CALL = table(
    {
        "id": told(NUMBER, "it only grows, over all workers and runs"),
        "at": told(WHEN, "when its request came"),
        "run": told(TEXT, "the same for all calls of a proxy from its start to its end"),
        "session": TEXT,
        "mode": TEXT,
        "outcome": {"type": "string", "enum": [*Outcome]},
        "request": told(TEXT, "what it asks, for people"),
        "provider": TEXT,
        "endpoint": TEXT,
        "model": TEXT,
        "client": told(TEXT, "the user of the proxy's URL"),
        "scope": told(TEXT, "the id of its scope"),
        "test_id": TEXT,
        "status": told(maybe(NUMBER), "of the answer"),
        "recording": told(TEXT, "the name of the recording that answered, or that was made"),
        "recorded_in": told(TEXT, "the session that has it"),
        "rules": told(TEXTS, "the rules that a hit needed"),
        "first_byte_ms": told(maybe({"type": "number"}), "from the request's end to the answer's first byte"),
        "total_ms": told(maybe({"type": "number"}), "from the request's end to the answer's"),
        "bytes": told(maybe(NUMBER), "of the answer's body"),
        "usage": ref("Usage"),
        "cost_usd": told(maybe(MONEY), "what its tokens cost at the provider, paid or not; null where that is unknown"),
        "miss": maybe(ref("Miss")),
        "why": told(TEXTS, "why it was refused, passed or lost"),
    }
)

_COUNTER_NAMES = {
    name: told(MONEY if name in AMOUNTS else NUMBER, text) for name, (_, text) in prometheus.FAMILIES.items()
}
_COUNTERS = table(
    {
        **_COUNTER_NAMES,
        "reasons": told({"type": "object", "additionalProperties": NUMBER}, "the unrecorded ones, by reason"),
        "rules": told({"type": "object", "additionalProperties": NUMBER}, "the hits by rules, by each rule needed"),
    }
)

# -- what there is to ask for ------------------------------------------------------------------------------------------

_STATUS = table(
    {
        "version": TEXT,
        "mode": told(MODE, "of who names no session"),
        "session": told(TEXT, "that of who names none"),
        "proxy": told(TEXT, "the URL that clients go through"),
        "workers": told(NUMBER, "how many processes are up"),
        "pids": rows(NUMBER),
        "uptime_s": {"type": "number"},
        "recordings": told(TEXT, "where they are"),
        "run": told(TEXT, "what all calls of this proxy have in the log"),
        "counters": {"type": "object", "additionalProperties": ref("Counters")},
        "total": ref("Counters"),
    }
)

_RECORDING = table(
    {
        "name": TEXT,
        "session": TEXT,
        "endpoint": TEXT,
        "model": TEXT,
        "recorded_at": told(maybe(WHEN), "null where nothing tells it"),
        "test_id": told(TEXT, "the test that it is of alone; empty for none"),
    }
)

_ACCOUNT = table(
    {
        "id": TEXT,
        "client": TEXT,
        "session": TEXT,
        "test_id": TEXT,
        "is_open": told({"type": "boolean"}, "whether the scope goes on"),
        "calls": told(NUMBER, "all of them"),
        "hits": told(NUMBER, "answered from a recording"),
        "misses": told(rows(ref("Call")), "refused, as they have no recording"),
        "recorded": told(rows(TEXT), "the names of the recordings that were made"),
        "passed": told(NUMBER, "sent to a provider, and not to be recorded"),
        "refused": told(NUMBER, "neither answered nor sent on"),
        "faults": told(NUMBER, "answered with a fault alone"),
        "lost": told(NUMBER, "sent to a provider, and not recorded though they should have been"),
        "unused": told(rows(ref("Recording")), "recordings of the scope that nobody asked for"),
        "tokens": told(ref("Tokens"), "of all answers together"),
        "spent_usd": told(maybe(MONEY), "what was paid; null where no price is known"),
        "saved_usd": told(maybe(MONEY), "what recordings have saved; null where no price is known"),
    }
)

_ASKED_RECORDING = table(
    {
        **_RECORDING["properties"],
        "asked_in_run": told({"type": "boolean"}, "whether a call of the run had it"),
        "asked_ever": told({"type": "boolean"}, "whether a call of the log had it"),
    }
)

_SCOPE: Schema = {
    **SCOPE.schema(),
    "properties": {"id": TEXT, **SCOPE.schema()["properties"]},
    "required": ["id", "client", "session"],
}

_ANY: Schema = {}

SCHEMAS: Mapping[str, Schema] = {
    "Account": _ACCOUNT,
    "AskedRecording": _ASKED_RECORDING,
    "Call": _CALL,
    "Counters": _COUNTERS,
    "Error": table({"error": table({"code": told(TEXT, "why, for programs"), "message": told(TEXT, "for people")})}),
    "KeptCall": table(
        {
            "call": ref("Call"),
            "request": told(maybe(ref("KeptRequest")), "null where neither a recording nor a kept miss has it"),
            "answer": told(maybe(ref("KeptAnswer")), "null where no recording has it"),
        }
    ),
    "KeptAnswer": table(
        {
            "status": NUMBER,
            "text": told(TEXT, "its words, as far as it has any"),
            "is_streaming": {"type": "boolean"},
            "body": told(_ANY, "as the recording has it"),
        }
    ),
    "KeptRequest": table(
        {"method": TEXT, "url": TEXT, "endpoint": TEXT, "model": TEXT, "body": told(_ANY, "as the recording has it")}
    ),
    "Miss": _MISS,
    "NewScope": with_nulls(SCOPE.schema()),
    "Override": with_nulls(SESSION_OVERRIDE.schema()),
    "Recording": _RECORDING,
    "Scope": _SCOPE,
    "ScopeChange": with_nulls(SCOPE_CHANGE.schema()),
    "Status": _STATUS,
    "Tokens": table(_TOKENS),
    "Usage": _USAGE,
}
"""All of them, by their names in the document."""

TOKENS = tuple(_KINDS_OF_TOKENS)
"""The members of a ``Usage`` that are numbers of tokens."""
