"""The SDKs' response classes as data: filling, stripping, and the classes that they stand for."""

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from places import SHIPPED, corpus
from wiretape.providers.schemas import fill, qualified, strip, table, types
from wiretape.recording import loads

SEEDS = sorted((SHIPPED / "default" / "responses").glob("*.json"))
CORPUS = corpus("2025-09")

USAGE = {"completion_tokens": 2, "prompt_tokens": 1, "total_tokens": 3}
NO_DETAILS = {"completion_tokens_details": None, "prompt_tokens_details": None}
TOP = {"id": "x", "created": 1, "model": "m", "object": "o"}

# class, what came -> what a recording has, in its order
FILLED: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "declared fields in the class's order, null where absent": (
        "Completion",
        {"object": "o", "model": "m", "id": "x", "created": 1, "choices": []},
        {
            **{"id": "x", "choices": [], "created": 1, "model": "m", "object": "o"},
            **{"system_fingerprint": None, "usage": None},
        },
    ),
    "what is required and did not come is null too": (
        "Completion",
        {"choices": []},
        {
            **{"id": None, "choices": [], "created": None, "model": None, "object": None},
            **{"system_fingerprint": None, "usage": None},
        },
    ),
    "what a class of Ollama's does not declare is kept": (
        "ChatResponse",
        {"model": "m", "message": {"content": "", "tool_name": "f", "tool_calls": [{"id": "c"}]}, "logprobs": []},
        {
            **{"model": "m", "created_at": None, "done": None, "done_reason": None, "total_duration": None},
            **dict.fromkeys(("load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count")),
            "eval_duration": None,
            "message": {
                **{"role": None, "content": "", "thinking": None, "images": None},
                **{"tool_calls": [{"function": None, "id": "c"}], "tool_name": "f"},
            },
            "logprobs": [],
        },
    ),
    "extra fields follow as they came": (
        "ChatCompletionChunk",
        {"zeta": 1, **TOP, "alpha": {"z": 1, "a": None}, "choices": []},
        {
            **{"id": "x", "choices": [], "created": 1, "model": "m", "object": "o"},
            **{"service_tier": None, "system_fingerprint": None, "usage": None},
            **{"zeta": 1, "alpha": {"z": 1, "a": None}},
        },
    ),
    "nested objects too": (
        "ChatCompletionChunk",
        {"choices": [{"index": 0, "delta": {"reasoning": "r", "role": "assistant"}, "token_ids": None}]},
        {
            "id": None,
            "choices": [
                {
                    "delta": {
                        **{"content": None, "function_call": None, "refusal": None, "role": "assistant"},
                        **{"tool_calls": None, "reasoning": "r"},
                    },
                    **{"finish_reason": None, "index": 0, "logprobs": None, "token_ids": None},
                }
            ],
            **{"created": None, "model": None, "object": None},
            **{"service_tier": None, "system_fingerprint": None, "usage": None},
        },
    ),
    "a tool call of a stream": (
        "Delta",
        {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]},
        {
            **{"content": None, "function_call": None, "refusal": None, "role": None},
            "tool_calls": [{"index": 0, "id": None, "function": {"arguments": "{", "name": None}, "type": None}],
        },
    ),
    "usage": (
        "Usage",
        {"total_tokens": 3, **USAGE, "prompt_tokens_details": {"cached_tokens": 1}},
        {
            **USAGE,
            "completion_tokens_details": None,
            "prompt_tokens_details": {"audio_tokens": None, "cached_tokens": 1},
        },
    ),
    "an integer for a declared float": (
        "TokenLogprob",
        {"token": "a", "logprob": 0, "bytes": [97], "top_logprobs": [{"token": "a", "logprob": -1}]},
        {
            **{"token": "a", "bytes": [97], "logprob": 0.0},
            "top_logprobs": [{"token": "a", "bytes": None, "logprob": -1.0}],
        },
    ),
    "integers in a list of floats": (
        "CompletionLogprobs",
        {"token_logprobs": [-1, None, 0.5], "top_logprobs": [{"a": -1, "b": -0.5}, None], "tokens": ["a"]},
        {
            **{"text_offset": None, "token_logprobs": [-1.0, None, 0.5]},
            **{"tokens": ["a"], "top_logprobs": [{"a": -1.0, "b": -0.5}, None]},
        },
    ),
    "an embedding with a whole number": (
        "Embedding",
        {"object": "embedding", "index": 0, "embedding": [0, -1, 0.25]},
        {"embedding": [0.0, -1.0, 0.25], "index": 0, "object": "embedding"},
    ),
    "other numbers stay as they came": (
        "Model",
        {"id": "m", "created": 1.0},
        {"id": "m", "created": 1.0, "object": None, "owned_by": None},
    ),
    "what is not of the declared form stays as it came": (
        "ChatCompletionChunk",
        {"choices": "none", "usage": [1]},
        {
            **{"id": None, "choices": "none", "created": None, "model": None, "object": None},
            **{"service_tier": None, "system_fingerprint": None, "usage": [1]},
        },
    ),
    "odd items of a list": (
        "CompletionLogprobs",
        {"top_logprobs": [3, {"a": "b"}], "token_logprobs": {}},
        {
            **{"text_offset": None, "token_logprobs": {}, "tokens": None, "top_logprobs": [3, {"a": "b"}]},
        },
    ),
    "true is no number": (
        "TopLogprob",
        {"token": "a", "logprob": True},
        {"token": "a", "bytes": None, "logprob": True},
    ),
}


@pytest.mark.parametrize(("name", "came", "filled"), FILLED.values(), ids=FILLED)
def test_fill(name: str, came: dict[str, Any], filled: dict[str, Any]) -> None:
    assert json.dumps(fill(name, came)) == json.dumps(filled)


@pytest.mark.parametrize(("name", "came", "filled"), FILLED.values(), ids=FILLED)
def test_filling_twice_changes_nothing(name: str, came: dict[str, Any], filled: dict[str, Any]) -> None:
    assert json.dumps(fill(name, filled)) == json.dumps(filled)


@pytest.mark.parametrize(("name", "came", "filled"), FILLED.values(), ids=FILLED)
def test_what_is_filled_is_stripped_to_what_came(name: str, came: dict[str, Any], filled: dict[str, Any]) -> None:
    stripped = strip(name, filled)
    # But for nulls that clients look for, which are sent whether they came or not.
    assert strip(name, fill(name, came)) == stripped
    assert {key: value for key, value in stripped.items() if key not in came} in ({}, {"bytes": None})


@pytest.mark.parametrize(("name", "came", "filled"), FILLED.values(), ids=FILLED)
def test_what_is_stripped_is_filled_to_the_same(name: str, came: dict[str, Any], filled: dict[str, Any]) -> None:
    assert json.dumps(fill(name, strip(name, filled))) == json.dumps(filled)


def test_fill_and_strip_leave_their_argument_alone() -> None:
    came = {"choices": [{"delta": {"content": None}}], "x": [1]}
    before = json.dumps(came)
    strip("ChatCompletionChunk", fill("ChatCompletionChunk", came))
    assert json.dumps(came) == before


def test_strip_takes_only_the_nulls_that_the_class_put_there() -> None:
    chunk = {
        **{
            "id": "x",
            "choices": [{"delta": {"content": None, "role": "assistant", "own": None}, "finish_reason": None}],
        },
        **{"usage": None, "service_tier": None, "system_fingerprint": "", "vendor": None, "seed": 0},
    }
    stripped = strip("ChatCompletionChunk", chunk)
    assert "usage" not in stripped
    assert "service_tier" not in stripped
    assert stripped["system_fingerprint"] == ""
    assert stripped["vendor"] is None
    assert stripped["seed"] == 0
    assert "content" not in stripped["choices"][0]["delta"]
    assert stripped["choices"][0]["delta"]["own"] is None


@pytest.mark.parametrize(
    ("name", "value", "path"),
    [
        ("ChatCompletionChunk", {"choices": [{"delta": {}, "finish_reason": None}]}, ("choices", 0, "finish_reason")),
        (
            "ChatCompletion",
            {"choices": [{"message": {"content": None, "role": "assistant"}}]},
            ("choices", 0, "message", "content"),
        ),
    ],
)
def test_a_null_that_clients_look_for_is_sent(name: str, value: dict[str, Any], path: tuple[Any, ...]) -> None:
    """Providers send them, and clients in other languages read them without looking whether they are there."""
    found: Any = strip(name, value)
    for key in path:
        found = found[key]
    assert found is None


def elements(paths: list[Path]) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    for path in paths:
        for element in loads(path.read_bytes()).response.elements():
            yield path, element["__type__"], dict(element["__data__"])


def test_each_element_of_the_seeds_is_stripped_and_filled_to_the_same() -> None:
    seen = 0
    for path, type_, data in elements(SEEDS):
        name = types()[type_]
        assert json.dumps(fill(name, strip(name, data))) == json.dumps(data), path
        assert qualified(name) == type_
        seen += 1
    assert seen > 100


def test_each_element_of_the_corpus_is_stripped_and_filled_to_the_same() -> None:
    seen = set()
    for path, type_, data in elements(CORPUS):
        name = types()[type_]
        assert json.dumps(fill(name, strip(name, data))) == json.dumps(data), path
        seen.add(name)
    assert seen >= {"Completion", "ChatCompletionChunk", "ChatCompletion", "CreateEmbeddingResponse", "Model"}


# -- the classes that the table stands for -----------------------------------------------------------------------------

OPENAI = {type_: name for type_, name in types().items() if type_.startswith("openai.")}


def sdk_class(type_: str) -> Any:
    module, _, name = type_.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return None


def sdk_classes_within(type_: Any) -> Iterator[Any]:
    """The pydantic classes in a field's annotation."""
    if hasattr(type_, "model_fields"):
        yield type_
    for inner in getattr(type_, "__args__", ()):
        yield from sdk_classes_within(inner)


def compared(name: str, class_: Any, seen: set[tuple[str, str]]) -> Iterator[tuple[str, set[str], set[str]]]:
    """Class of ours, fields that only it has, fields that only the SDK's has; nested classes too."""
    shape = table().classes[name]
    if (name, class_.__name__) in seen:
        return
    seen.add((name, class_.__name__))
    theirs = {field.alias or key for key, field in class_.model_fields.items()}
    yield name, set(shape) - theirs, theirs - set(shape)
    for field in shape.values():
        annotation = class_.model_fields[field.name].annotation if field.name in class_.model_fields else None
        nested = [*sdk_classes_within(annotation)]
        if field.type is not None and field.type in table().classes and len(nested) == 1:
            yield from compared(field.type, nested[0], seen)


@pytest.mark.parametrize("type_", sorted(OPENAI))
def test_the_class_of_a_recording_is_one_that_the_installed_sdk_has(type_: str) -> None:
    assert sdk_class(type_) is not None, f"{type_}, in our table as {OPENAI[type_]}, is not in the installed openai"


def test_the_fields_of_the_table_are_those_of_the_installed_sdk(capsys: pytest.CaptureFixture[str]) -> None:
    """Fields that a newer SDK adds are reported and no failure: the table is pinned to openai 1.107."""
    gone: dict[str, set[str]] = {}
    added: dict[str, set[str]] = {}
    seen: set[tuple[str, str]] = set()
    for type_, name in OPENAI.items():
        if name not in table().classes or (class_ := sdk_class(type_)) is None:
            continue
        for ours, only_ours, only_theirs in compared(name, class_, seen):
            gone.setdefault(ours, set()).update(only_ours)
            added.setdefault(ours, set()).update(only_theirs)
    with capsys.disabled():
        for name, fields in added.items():
            if fields:
                print(f"\n  the installed openai adds to {name}: {', '.join(sorted(fields))}", end="")
    assert len(seen) > 20
    assert {name: fields for name, fields in gone.items() if fields} == {}


def test_a_recorded_type_is_a_fully_qualified_name() -> None:
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)+\.[A-Z]\w+", type_) for type_ in types())
    assert qualified("ChatCompletionChunk") == "openai.types.chat.chat_completion_chunk.ChatCompletionChunk"
    assert qualified("Completion") == "openai.types.completion.Completion"
    assert qualified("Model") == "openai.types.model.Model"
    assert qualified("CreateEmbeddingResponse") == "openai.types.create_embedding_response.CreateEmbeddingResponse"
