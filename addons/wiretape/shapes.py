"""The SDKs' response classes as data: field order, null fill, and what the wire leaves out.

Between the events and the recording. A recording holds each object as its SDK class dumps it; this table stands for
the classes, so that what is written never depends on the SDK that someone happens to have installed.

Source: openai-python 1.107 (September 2025) and ollama-python 0.5, their declared fields.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal

# One class a line: its fields in order. `?` optional, null when absent; `!` null is sent on the wire all the same;
# `[]` a list of, `{}` a mapping to; after `:` the class of the value, or float or time, which dump their own way.
# A class that depends on a field's value has one line for each: Name[field=value]; the first is the default.
_TABLE = """
Completion: id choices[]:CompletionChoice created model object system_fingerprint? usage?:Usage
CompletionChoice: finish_reason?! index logprobs?:CompletionLogprobs text
CompletionLogprobs: text_offset? token_logprobs?[]:float tokens? top_logprobs?[]{}:float
ChatCompletionChunk: id choices[]:ChunkChoice created model object service_tier? system_fingerprint? usage?:Usage
ChunkChoice: delta:Delta finish_reason?! index logprobs?:Logprobs
Delta: content? function_call?:DeltaFunction refusal? role? tool_calls?[]:DeltaToolCall
DeltaFunction: arguments? name?
DeltaToolCall: index id? function?:DeltaFunction type?
ChatCompletion: id choices[]:Choice created model object service_tier? system_fingerprint? usage?:Usage
Choice: finish_reason index logprobs?!:Logprobs message:Message
Message: content?! refusal? role annotations?[]:Annotation audio?:Audio function_call?:Function tool_calls?[]:ToolCall
Annotation: type url_citation:UrlCitation
UrlCitation: end_index start_index title url
Audio: id data expires_at transcript
Function: arguments name
ToolCall: id function:Function type
ToolCall[type=custom]: id custom:CustomTool type
CustomTool: input name
Logprobs: content?[]:TokenLogprob refusal?[]:TokenLogprob
TokenLogprob: token bytes?! logprob:float top_logprobs[]:TopLogprob
TopLogprob: token bytes?! logprob:float
Usage: completion_tokens prompt_tokens total_tokens
  completion_tokens_details?:CompletionDetails prompt_tokens_details?:PromptDetails
CompletionDetails: accepted_prediction_tokens? audio_tokens? reasoning_tokens? rejected_prediction_tokens?
PromptDetails: audio_tokens? cached_tokens?
CreateEmbeddingResponse: data[]:Embedding model object usage:EmbeddingUsage
Embedding: embedding[]:float index object
EmbeddingUsage: prompt_tokens total_tokens
Model: id created object owned_by
GenerateResponse: model? created_at? done? done_reason? total_duration? load_duration? prompt_eval_count?
  prompt_eval_duration? eval_count? eval_duration? response? thinking? context?
ChatResponse: model? created_at? done? done_reason? total_duration? load_duration? prompt_eval_count?
  prompt_eval_duration? eval_count? eval_duration? message:OllamaMessage
OllamaMessage: role content? thinking? images? tool_calls?[]:OllamaToolCall
OllamaToolCall: function:OllamaFunction
OllamaFunction: name arguments
EmbedResponse: model? created_at? done? done_reason? total_duration? load_duration? prompt_eval_count?
  prompt_eval_duration? eval_count? eval_duration? embeddings[][]:float
ListResponse: models[]:OllamaModel
OllamaModel: model? modified_at?:time digest? size? details?:OllamaDetails
OllamaDetails: parent_model? format? family? families? parameter_size? quantization_level?
ProcessResponse: models[]:OllamaProcess
OllamaProcess: model? name? digest? expires_at?:time size? size_vram? details?:OllamaDetails
ProgressResponse: status? completed? total? digest?
"""

MODULES = {
    "Completion": "openai.types.completion",
    "ChatCompletionChunk": "openai.types.chat.chat_completion_chunk",
    "ChatCompletion": "openai.types.chat.chat_completion",
    "CreateEmbeddingResponse": "openai.types.create_embedding_response",
    "Model": "openai.types.model",
    "GenerateResponse": "ollama._types",
    "ChatResponse": "ollama._types",
    "EmbedResponse": "ollama._types",
    "ListResponse": "ollama._types",
    "ProcessResponse": "ollama._types",
    "ProgressResponse": "ollama._types",
}
"""The module of each class that a recording names."""

CLOSED = frozenset(name for name, module in MODULES.items() if module.startswith("ollama"))
"""Classes that drop what they do not declare, as ollama-python's do; nested classes follow their outermost one."""

_FIELD = re.compile(r"(?P<name>\w+)(?P<optional>\?)?(?P<sent>!)?(?P<nesting>(?:\[\]|\{\})*)(?::(?P<type>\w+))?")


@dataclass(frozen=True, slots=True)
class Field:
    """One declared field of a class."""

    name: str
    optional: bool
    sent: bool
    """Sent as null: what the wire does not leave out."""
    nesting: str
    """``[]`` for a list, ``{}`` for a mapping, one after the other for nested ones."""
    type: str | None


@dataclass(frozen=True, slots=True)
class Shape:
    """A class: its fields in order."""

    name: str
    fields: Mapping[str, Field]


@cache
def table() -> Mapping[str, tuple[tuple[tuple[str, str] | None, Shape], ...]]:
    """Name -> its shapes, each with the ``(field, value)`` that it is for, or None."""
    shapes: dict[str, list[tuple[tuple[str, str] | None, Shape]]] = {}
    for line in re.sub(r"\n +", " ", _TABLE).strip().splitlines():
        head, _, fields = line.partition(": ")
        name, _, condition = head.rstrip("]").partition("[")
        key, _, value = condition.partition("=")
        parsed = [_field(text) for text in fields.split()]
        shapes.setdefault(name, []).append(
            ((key, value) if condition else None, Shape(name, {field.name: field for field in parsed}))
        )
    return {name: tuple(several) for name, several in shapes.items()}


def _field(text: str) -> Field:
    match = _FIELD.fullmatch(text)
    assert match, text
    return Field(match["name"], bool(match["optional"]), bool(match["sent"]), match["nesting"], match["type"])


def qualified(name: str) -> str:
    """The fully qualified name that a recording gives as ``__type__``."""
    return f"{MODULES[name]}.{name}"


def fill(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """An object as its class dumps it: declared fields in order, null where absent, then the others as they came."""
    return _fill(name, value, name in CLOSED)


def _fill(name: str, value: Mapping[str, Any], closed: bool) -> dict[str, Any]:
    shape = _shape(name, value)
    filled: dict[str, Any] = {}
    for field in shape.fields.values():
        if field.name in value:
            filled[field.name] = _each(value[field.name], field, lambda type_, v: _dump(type_, v, closed))
        elif field.optional:
            filled[field.name] = None
    if not closed:
        filled.update((key, extra) for key, extra in value.items() if key not in shape.fields)
    return filled


def strip(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """An object as the wire has it: without the nulls that only the class's dump put there."""
    shape = _shape(name, value)
    stripped: dict[str, Any] = {}
    for key, item in value.items():
        field = shape.fields.get(key)
        if field is None:
            stripped[key] = item
        elif item is not None or not field.optional or field.sent:
            stripped[key] = _each(item, field, _strip_value)
    return stripped


def _shape(name: str, value: Mapping[str, Any]) -> Shape:
    several = table()[name]
    for condition, shape in several[1:]:
        if condition and value.get(condition[0]) == condition[1]:
            return shape
    return several[0][1]


def _each(value: Any, field: Field, convert: Callable[[str, Any], Any]) -> Any:
    return value if field.type is None else _nested(value, field.nesting, field.type, convert)


def _nested(value: Any, nesting: str, type_: str, convert: Callable[[str, Any], Any]) -> Any:
    # What is not of the declared form stays as it came: the SDKs do not refuse it either.
    match nesting[:2]:
        case "[]":
            if not isinstance(value, list):
                return value
            return [_nested(item, nesting[2:], type_, convert) for item in value]
        case "{}":
            if not isinstance(value, dict):
                return value
            return {key: _nested(item, nesting[2:], type_, convert) for key, item in value.items()}
        case _:
            return convert(type_, value)


def _dump(type_: str | Literal["float", "time"], value: Any, closed: bool) -> Any:
    match type_:
        case "float":
            return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        case "time":
            return _time(value) if isinstance(value, str) else value
        case _:
            return _fill(type_, value, closed) if isinstance(value, dict) else value


def _strip_value(type_: str, value: Any) -> Any:
    return strip(type_, value) if isinstance(value, dict) else value


def _time(text: str) -> str:
    # pydantic keeps microseconds of a time and dumps UTC as Z; Ollama sends nanoseconds.
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment.isoformat().replace("+00:00", "Z")
