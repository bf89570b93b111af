"""Recording <-> JSON text, byte for byte. Does not know where a recording lives, nor how it goes over the wire.

Source: llama-stack's recordings; see the README's section on the format.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from wiretape import checks, fields, hashing, jsontext, printable, who_asked
from wiretape.parts import Parts
from wiretape.remade import Remade

FORMS = ("2025-09", "2026")
"""The forms in which a recording can be written; reading takes any."""

ENDED_EARLY = "APIError"
"""The type of the error of an answer that is not whole, though the end of its body came."""

JSON = Any
"""A parsed JSON value, such as ``json.loads`` gives."""


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """The request of a recording: the arguments of the SDK call, or what was sent to a passthrough endpoint."""

    url: str
    """Base URL + endpoint, ``/v1/v1/`` included; of a passthrough endpoint the wire's URL."""
    body: Mapping[str, JSON]
    endpoint: str
    """``/v1/chat/completions`` and the like; empty for a passthrough endpoint."""
    method: str = "POST"
    test_id: str | None = None
    """Of the 2026 form: the test that asked."""
    extra: Mapping[str, JSON] = field(default_factory=dict)
    """Further members, such as ``provider_metadata``."""
    base64_wanted: bool = field(default=False, compare=False)
    """Of a live request for embeddings: it asks for base64, which a recording does not show."""
    moves_on: bool = field(default=False, compare=False)
    """Of a live request to a path that no entry names: an equal one may have another answer later, as a poll has."""
    turn: int = field(default=0, init=False, compare=False, repr=False)
    """Of such a request: how many equal ones came before it, where ``tape`` has counted them."""
    identity: str = field(default="", init=False, compare=False, repr=False)
    """Where ``request.identity`` keeps what it has worked out: of a long prompt that takes a while."""

    @property
    def passthrough(self) -> bool:
        """Whether the request is kept as it was sent: Anthropic, Gemini, rerank, audio, images."""
        return not self.endpoint

    @property
    def is_bare(self) -> bool:
        """Whether it is kept as it was sent, a GET, and named as a list of models: those of a server of embeddings."""
        return self.passthrough and "endpoint" in self.extra

    @property
    def model(self) -> str:
        """``body["model"]``, or empty."""
        model = self.body.get("model", "")
        return model if isinstance(model, str) else ""

    @property
    def sent_url(self) -> str:
        """The URL that was asked, for people: an SDK's base URL has the ``/v1`` that the endpoint's name has too."""
        url = self.url.partition("?")[0]
        if not self.endpoint or not url.endswith(self.endpoint):
            return url
        return url.removesuffix(self.endpoint) + self.endpoint.removeprefix("/v1")

    @property
    def label(self) -> str:
        """Endpoint and model, for people: ``/v1/chat/completions llama-v3``, ``DELETE https://api.openai.com/v1/files/f``."""
        method = f"{self.method} " if self.passthrough and self.method != "POST" else ""
        return printable.line(f"{method}{self.endpoint or self.url} {self.model}".rstrip())


@dataclass(frozen=True, slots=True)
class RecordedResponse:
    """The response of a recording."""

    body: JSON
    """Elements ``{"__type__", "__data__"}``: a list for a stream and for the model list, else one. Of a passthrough
    endpoint the JSON body itself, or a stream's lines."""
    is_streaming: bool
    error: Mapping[str, JSON] | None = None
    """``exception_data`` of a recorded error."""
    status: int | None = None
    """Of a passthrough endpoint that did not stream; of others where it is neither 200 nor that of an error."""
    content_type: str | None = None
    """Of a body that is as it was sent, not JSON: a text, or ``{"base64"}``. Of an HTTP error that is a text, too."""
    location: str | None = None
    """Where a redirect leads."""
    tail: Sequence[str] = ()
    """The last lines of a stream of elements, which are none: an error, and what follows it."""
    envelope: JSON = None
    """What was around the models of a list, which is empty here; None for ``{"object": "list", "data": []}``."""

    @property
    def is_answer(self) -> bool:
        """Whether it is an answer of its endpoint, not an error, nor a body of another kind."""
        return self.error is None and self.content_type is None

    @property
    def is_partial(self) -> bool:
        """Whether this is what came of an answer that failed after it had begun."""
        return self.error is not None and bool(self.body or self.tail)

    @property
    def broke_off(self) -> bool:
        """Whether this is what came of an answer before its connection broke."""
        if self.error is None or not self.is_partial:
            return False
        return self.error.get("body") is None and self.error.get("type") != ENDED_EARLY

    @property
    def is_momentary(self) -> bool:
        """Whether it is a failure after which a client asks again by itself."""
        status = (self.error or {}).get("status_code") or self.status or 200
        return self.is_partial or (isinstance(status, int) and fields.is_momentary(status))

    @property
    def is_passing(self) -> bool:
        """Whether it depends on who asked, or when: it says nothing about what the same request gets now."""
        if self.error is None:
            sent = self.status or 200
            return fields.is_passing(sent) or (sent >= 400 and who_asked.is_meant(self.body))
        status = self.error.get("status_code")
        return not isinstance(status, int) or fields.is_passing(status) or who_asked.is_meant(self.error.get("body"))

    def elements(self) -> Sequence[Mapping[str, JSON]]:
        """The body's elements, as a sequence whatever its form; none for a passthrough endpoint."""
        if isinstance(self.body, Remade):
            return self.body
        each = self.body if isinstance(self.body, list) else (self.body,)
        return [element for element in each if checks.is_element(element)]


@dataclass(frozen=True, slots=True)
class Recording:
    """One exchange."""

    request: RecordedRequest
    response: RecordedResponse
    form: str = "2025-09"
    """One of FORMS."""
    extra: Mapping[str, JSON] = field(default_factory=dict)
    """Further members of the file."""

    @property
    def name(self) -> str:
        """The file's name without ``.json``."""
        digest = _name(self.request, self.form)
        if self.request.endpoint not in MODEL_LISTS:
            return digest
        ids = "|".join(sorted(set(self._model_ids()))).encode("utf-8", "surrogatepass")
        models = hashlib.sha256(ids).hexdigest()[:8]
        return f"models-{digest}-{models}"

    def _model_ids(self) -> Iterator[str]:
        for element in self.response.elements():
            data = element["__data__"]
            for model in data.get("models") or [data]:
                yield str(model.get(MODEL_LISTS[self.request.endpoint]))


MODEL_LISTS = {"/v1/models": "id", "/api/tags": "model"}
"""The endpoints that list models, each with the field that names one."""


def request_hash(request: RecordedRequest, form: str = "2025-09") -> str:
    """The 64 hex digits of a request as it stands, by the rule of a form."""
    return digest(request, hashing.OLDEST if form == "2025-09" else hashing.NEWEST)


def digest(request: RecordedRequest, rule: hashing.Rule) -> str:
    """The 64 hex digits of a request as it stands, by the rule of a version of the public recorder."""
    counts = rule.digest_as_sent if request.passthrough and not request.is_bare else rule.digest
    return counts(request.method, request.url, request.body, request.test_id)


def request_name(request: RecordedRequest, form: str) -> str:
    """The name that the recording of a live request gets: 12 digits of its hash, 64 in the 2026 form."""
    return _name(in_form(request, form), form)


def _name(request: RecordedRequest, form: str) -> str:
    return request_hash(request, form)[: 12 if form == "2025-09" else 64]


def in_form(request: RecordedRequest, form: str) -> RecordedRequest:
    """Return a request as a form has it: only 2025-09 says of completions that nothing else was sent."""
    body = request.body
    is_silent = body.get("extra_body", {}) == {}
    if request.passthrough or not is_silent:
        return request
    if form == "2026" and "extra_body" in body:
        return replace(request, body={key: value for key, value in body.items() if key != "extra_body"})
    if form == "2025-09" and "extra_body" not in body and request.endpoint == "/v1/completions" and "prompt" in body:
        return replace(request, body={**body, "extra_body": {}})
    return request


def make(request: RecordedRequest, response: RecordedResponse, form: str) -> Recording:
    """A new recording in a form; the 2026 form takes the noise out of the response.

    Of an id that a client may send back it keeps which one it was: by that the next request is found.
    """
    request = in_form(request, form)
    if form == "2025-09":
        return Recording(request, response, form)
    ids: dict[str, str] = {}
    if not request.passthrough:
        name = f"{ID_PREFIX}{request_hash(request, form)[:12]}"
        if was := _id_to_send_back(request, response):
            ids[name] = was
        response = replace(response, body=_all_quiet(response.body, name))
    return Recording(request, response, form, {ID_MAPPING: ids})


ID_PREFIX = "rec-"
"""With this, and 12 digits of the request's hash, the 2026 form replaces an answer's id."""

ID_MAPPING = "id_normalization_mapping"
"""The member of a file of the 2026 form that maps such an id to the one that came."""


def _id_to_send_back(request: RecordedRequest, response: RecordedResponse) -> str:
    """Return the id of an answer that the provider keeps and takes as what the next request goes on from."""
    is_kept = request.body.get("store")
    if is_kept is not True and (request.endpoint != "/v1/responses" or is_kept is False):
        return ""
    first = next(iter(response.elements()), None)
    was = first["__data__"].get("id") if first else None
    return was if isinstance(was, str) and not was.startswith(ID_PREFIX) else ""


def as_it_came(recording: Recording) -> RecordedResponse:
    """Return a recording's response with the id that came, where the form 2026 has kept which one it was."""
    ids = recording.extra.get(ID_MAPPING)
    if not isinstance(ids, dict) or not ids or recording.request.passthrough:
        return recording.response
    body = recording.response.body
    return replace(
        recording.response,
        body=[_with_id(each, ids) for each in body] if isinstance(body, list) else _with_id(body, ids),
    )


def _with_id(element: JSON, ids: Mapping[str, JSON]) -> JSON:
    if not checks.is_element(element):
        return element
    data = element["__data__"]
    was = ids.get(data["id"]) if isinstance(data.get("id"), str) else None
    return {**element, "__data__": {**data, "id": was}} if isinstance(was, str) else element


def _all_quiet(body: JSON, name: str) -> JSON:
    if isinstance(body, Remade):
        return body.mapped(lambda _, element: _quiet(element, name))
    return [_quiet(element, name) for element in body] if isinstance(body, list) else _quiet(body, name)


def encoded(text: str) -> bytes:
    """Return a text of a recording as it was sent, be it no UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # Half of a surrogate pair, in a recording that somebody has written.
        return text.encode("utf-8", "surrogatepass")


def is_model(element: Mapping[str, JSON]) -> bool:
    """Return whether an element is a model of a list, whose id is its name: others have one for each answer."""
    is_model: bool = element["__data__"].get("object") == "model"
    return is_model or element["__type__"] == "openai.types.model.Model"


def _quiet(element: JSON, name: str) -> JSON:
    if not isinstance(element, dict) or "__data__" not in element:
        return element
    data = dict(element["__data__"])
    if data.get("id") is not None and not is_model(element):
        data["id"] = name
    if data.get("created") is not None:
        data["created"] = 0
    if data.get("created_at") is not None:
        data["created_at"] = "1970-01-01T00:00:00.000000Z"
    for key in ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration"):
        if data.get(key) is not None:
            data[key] = 0
    return {**element, "__data__": data}


def dumps(recording: Recording) -> bytes:
    """The file's bytes: ASCII, indent 2, Python's float repr, one newline at the end."""
    return bytes(dumps_parts(recording))


def dumps_parts(recording: Recording) -> Parts:
    """The same, made while it is written."""
    return Parts(partial(_dumped, recording))


def _dumped(recording: Recording) -> Iterator[bytes]:
    request, response = recording.request, recording.response
    is_2026 = recording.form == "2026"
    test_id = {"test_id": request.test_id} if is_2026 else {}
    if request.passthrough:
        payload = {} if request.is_bare else {"payload": request.body}
        asked = {**test_id, "url": request.url, "method": request.method, **payload, **request.extra}
    else:
        asked = {
            "method": request.method,
            "url": request.url,
            "headers": {},
            "body": request.body,
            "endpoint": request.endpoint,
            "model": request.model,
            **request.extra,
        }
    told = {"status": response.status, "location": response.location, "content_type": response.content_type}
    answered: dict[str, JSON] = {key: value for key, value in told.items() if value is not None}
    answered |= {"body": response.body, "is_streaming": response.is_streaming}
    if response.tail:
        answered["tail"] = [*response.tail]
    if response.envelope is not None:
        answered["envelope"] = response.envelope
    if response.error is not None:
        answered["is_exception"] = True
        answered["exception_data"] = response.error
        answered["exception_message"] = response.error.get("message", "")
    content = {**test_id, "request": asked, "response": answered, **recording.extra}
    for part in jsontext.indented(content):
        yield part.encode("ascii")
    yield b"\n"


def loads(data: bytes) -> Recording:
    """A file's bytes as a recording.

    Raises ValueError, saying what is wrong, where it is not JSON or not of a recording's shape.
    """
    content = _parse(data)
    request = loads_request(content)
    response = content.get("response")
    checks.check_response(response, None if request.passthrough else request.endpoint)
    return Recording(
        request,
        RecordedResponse(
            response["body"],
            response["is_streaming"],
            response["exception_data"] if response.get("is_exception") else None,
            response.get("status"),
            response.get("content_type"),
            response.get("location"),
            tuple(response.get("tail", ())),
            response.get("envelope"),
        ),
        "2026" if "test_id" in content else "2025-09",
        {key: value for key, value in content.items() if key not in ("test_id", "request", "response")},
    )


def loads_request(content: JSON) -> RecordedRequest:
    """The request of a file's parsed content; raises ValueError as ``loads`` does."""
    checks.check_request(content)
    request = content["request"]
    is_sent = "payload" in request or "body" not in request
    body = "payload" if is_sent else "body"
    known: tuple[str, ...] = ("test_id", "method", "url", "headers", body, "endpoint", "model")
    if body not in request:
        known = ("test_id", "method", "url")  # A GET of the public recorder's, which has neither.
    return RecordedRequest(
        request["url"],
        request.get(body, {}),
        "" if is_sent else request["endpoint"],
        request.get("method", "POST"),
        content.get("test_id"),
        {key: value for key, value in request.items() if key not in known},
    )


def read_request(data: bytes) -> RecordedRequest:
    """Only the request of a file, without parsing the response that makes up most of it; raises as ``loads`` does."""
    head, found, _ = data.partition(b'\n  "response": {')
    if found:
        try:
            return loads_request(_parse(head.rstrip().removesuffix(b",") + b"}"))
        except ValueError:
            pass  # Not laid out as json.dumps does it: read the whole.
    return loads_request(_parse(data))


def _parse(data: bytes) -> JSON:
    try:
        return jsontext.loads(data)
    except ValueError as e:
        raise ValueError(f"not JSON: {e}") from e
