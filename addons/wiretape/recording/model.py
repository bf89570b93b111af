"""Recording <-> JSON text, byte for byte. Does not know where a recording lives, nor how it goes over the wire.

Source: llama-stack's recordings; see the README's section on the format.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from wiretape.codecs import http_fields, printable
from wiretape.codecs.remade import Remade
from wiretape.recording import checks, hashing, who_asked
from wiretape.recording.endpoints import MODEL_LISTS, WITH_EXTRA_BODY

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
    def is_model_list(self) -> bool:
        """Whether it asks for a list of models. A file may have a part of one, and is named by the models in it."""
        return self.endpoint in MODEL_LISTS

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
        return self.is_partial or (isinstance(status, int) and http_fields.is_momentary(status))

    @property
    def is_passing(self) -> bool:
        """Whether it depends on who asked, or when: it says nothing about what the same request gets now."""
        if self.error is None:
            sent = self.status or 200
            return http_fields.is_passing(sent) or (sent >= 400 and who_asked.is_meant(self.body))
        status = self.error.get("status_code")
        if not isinstance(status, int) or http_fields.is_passing(status):
            return True
        return who_asked.is_meant(self.error.get("body"))

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
        if not self.request.is_model_list:
            return digest
        ids = "|".join(sorted(set(self._model_ids()))).encode("utf-8", "surrogatepass")
        models = hashlib.sha256(ids).hexdigest()[:8]
        return f"models-{digest}-{models}"

    def _model_ids(self) -> Iterator[str]:
        key = MODEL_LISTS[self.request.endpoint].key
        for element in self.response.elements():
            data = element["__data__"]
            for model in data.get("models") or [data]:
                yield str(model.get(key))


def request_hash(request: RecordedRequest, form: str = "2025-09") -> str:
    """The 64 hex digits of a request as it stands, by the rule of a form."""
    return digest(request, hashing.OLDEST if form == "2025-09" else hashing.NEWEST)


def digest(request: RecordedRequest, rule: hashing.HashRule) -> str:
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
    is_untold = request.endpoint in WITH_EXTRA_BODY and "prompt" in body and "extra_body" not in body
    if form == "2025-09" and is_untold:
        return replace(request, body={**body, "extra_body": {}})
    return request
