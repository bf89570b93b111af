"""The public sample of recordings, read where it lies beside the checkout, and the SDK call that each was made with.

``each_sample`` parametrizes a test with them; where the folder is absent the test is skipped and says so.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

import ollama
import openai
import pytest
from openai.pagination import SyncPage

from harness import Mitmdump, client_env, environment
from places import SHARED

if TYPE_CHECKING:
    # It takes a second of processor time: imported where it is used, as each worker of pytest reads all tests.
    import anthropic

CORPUS = SHARED / "corpus"
ABSENT = "the public recordings are not beside the checkout: ../shared/corpus"
TEST_ID = "x-wiretape-test-id"
API_KEY = "sk-test-secret"


@dataclass(frozen=True)
class Sample:
    """One public recording."""

    path: Path

    @property
    def folder(self) -> str:
        """The form and the host: ``2025-09/api.fireworks.ai``."""
        return self.path.parent.relative_to(CORPUS).as_posix()

    @property
    def form(self) -> str:
        return self.path.parent.parent.name

    @property
    def id(self) -> str:
        return f"{self.folder}/{self.path.stem[:21]}"

    @cached_property
    def content(self) -> Mapping[str, Any]:
        content: Mapping[str, Any] = json.loads(self.path.read_bytes())
        return content

    @property
    def request(self) -> Mapping[str, Any]:
        request: Mapping[str, Any] = self.content["request"]
        return request

    @property
    def response(self) -> Mapping[str, Any]:
        response: Mapping[str, Any] = self.content["response"]
        return response

    @property
    def error(self) -> Mapping[str, Any] | None:
        """``exception_data`` of a recorded error."""
        error: Mapping[str, Any] | None = self.response.get("exception_data")
        return error

    @property
    def test_id(self) -> str | None:
        test_id: str | None = self.content.get("test_id")
        return test_id

    @property
    def body(self) -> dict[str, Any]:
        """The arguments of the SDK call."""
        return dict(self.request.get("body") or self.request.get("payload") or {})

    @property
    def call(self) -> str:
        """The SDK method: the endpoint, but for the recordings that name theirs otherwise."""
        if "payload" in self.request:
            return "/v1/messages"
        if "messages" in self.body and not self.request["endpoint"].startswith("/api/"):
            # Some are filed under /v1/completions or named /chat/completions.
            return "/v1/chat/completions"
        endpoint: str = self.request["endpoint"]
        return endpoint

    @property
    def base(self) -> str:
        """What the SDK is given as its base URL."""
        url: str = self.request["url"]
        if self.call == "/v1/messages":
            return url.removesuffix("/v1/messages")
        return url.removesuffix(self.request["endpoint"])

    @property
    def elements(self) -> list[Mapping[str, Any]]:
        """The recorded objects, a list whether they were streamed or not."""
        body = self.response["body"]
        return body if isinstance(body, list) else [body]

    @property
    def objects(self) -> list[Any]:
        """What the SDK's objects are to hold; for Anthropic the messages and events themselves."""
        if self.call != "/v1/messages":
            return [element["__data__"] for element in self.elements]
        if not self.response["is_streaming"]:
            return [self.response["body"]]
        lines: list[str] = self.response["body"]
        return [json.loads(line.removeprefix("data:")) for line in lines if line.startswith("data:")]

    @property
    def asks(self) -> str:
        """Equal for recordings of one and the same request."""
        body = self.body
        body |= body.pop("extra_body", {})
        return json.dumps([self.call, self.base, body], sort_keys=True)


SAMPLES = [Sample(path) for path in sorted(CORPUS.glob("*/*/*.json"))]

needs_corpus = pytest.mark.skipif(not SAMPLES, reason=ABSENT)


def each_sample(
    samples: Sequence[Sample] = SAMPLES, *, beside: Callable[[Sample], Any] | None = None, name: str = ""
) -> pytest.MarkDecorator:
    """Parametrize a test with recordings as ``sample``; ``beside`` gives the fixture ``name`` its parameter."""
    names = f"{name},sample" if beside else "sample"
    scope: Literal["module", "function"] = "module" if beside else "function"
    if not SAMPLES:
        absent = pytest.param(*([None] * (2 if beside else 1)), marks=pytest.mark.skip(reason=ABSENT), id="absent")
        return pytest.mark.parametrize(names, [absent], indirect=[name] if beside else False, scope=scope)
    values = [pytest.param(*([beside(each)] if beside else []), each, id=each.id) for each in samples]
    return pytest.mark.parametrize(names, values, indirect=[name] if beside else False, scope=scope)


class Clients:
    """Real SDK clients that go through one proxy, each made once, closed together."""

    def __init__(self, proxy: Mitmdump) -> None:
        self._proxy = proxy
        self._clients: dict[tuple[object, ...], Any] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def openai(self, base: str) -> openai.OpenAI:
        return self._made((openai.OpenAI, base), lambda: openai.OpenAI(base_url=base, api_key=API_KEY, max_retries=0))

    def anthropic(self, base: str) -> "anthropic.Anthropic":
        import anthropic

        return self._made(
            (anthropic.Anthropic, base),
            lambda: anthropic.Anthropic(base_url=base, api_key=API_KEY, max_retries=0),
        )

    def ollama(self, host: str, headers: Mapping[str, str]) -> ollama.Client:
        key = (ollama.Client, host, *headers.items())
        return self._made(key, lambda: ollama.Client(host=host, headers=dict(headers)))

    def _made[T](self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        if key not in self._clients:
            with environment(client_env(self._proxy)):
                client: Any = make()
            self._open.callback(client.close)
            self._clients[key] = client
        made: T = self._clients[key]
        return made

    def ask(self, sample: Sample, test_id: str | None = None) -> list[Any]:
        """The objects that the SDK makes of the answer to a recording's request; raises what the SDK raises."""
        headers = {TEST_ID: test_id} if test_id else {}
        if sample.call.startswith("/api/"):
            return _several(_ollama(self.ollama(sample.base, headers), sample))
        if sample.call == "/v1/messages":
            client = self.anthropic(sample.base)
            return _several(client.messages.create(**sample.body, extra_headers=headers))
        return _several(_openai(self.openai(sample.base), sample, headers))


def _openai(client: openai.OpenAI, sample: Sample, headers: Mapping[str, str]) -> Any:
    match sample.call:
        case "/v1/chat/completions":
            return client.chat.completions.create(**sample.body, extra_headers=headers)
        case "/v1/completions":
            return client.completions.create(**sample.body, extra_headers=headers)
        case "/v1/embeddings":
            return client.embeddings.create(**sample.body, extra_headers=headers)
        case "/v1/models":
            return client.models.list(extra_headers=headers)
    raise AssertionError(sample.call)


def _ollama(client: ollama.Client, sample: Sample) -> Any:
    match sample.call:
        case "/api/generate":
            return client.generate(**sample.body)
        case "/api/chat":
            return client.chat(**sample.body)
        case "/api/embeddings":
            return client.embed(**sample.body)
        case "/api/pull":
            return client.pull("all-minilm:l6-v2", **sample.body)
        case "/api/ps":
            return client.ps()
        case "/api/tags":
            return client.list()
    raise AssertionError(sample.call)


def _several(answered: Any) -> list[Any]:
    # A stream and a page of models give their objects one by one; iterating over any other object gives its fields.
    streams = isinstance(answered, Iterator | SyncPage)
    return [*answered] if streams else [answered]


def dumped(each: Any) -> Any:
    """An SDK object as values; with the nulls of all fields that the installed SDK declares."""
    return each.model_dump(mode="json", warnings=False, by_alias=True)


def qualified(each: Any) -> str:
    """An object's class as a recording names it."""
    return f"{type(each).__module__}.{type(each).__name__}"


def assert_same(got: Any, recorded: Any, where: str = "") -> None:
    """Every recorded value, null too, is in what the SDK gave, and nothing else but nulls of newer fields."""
    if isinstance(got, dict) and isinstance(recorded, dict):
        assert set(recorded) <= set(got), f"{where}: missing {set(recorded) - set(got)}"
        added = {key: value for key, value in got.items() if key not in recorded and value is not None}
        assert added == {}, where
        for key, value in recorded.items():
            assert_same(got[key], value, f"{where}.{key}")
    elif isinstance(got, list) and isinstance(recorded, list):
        assert len(got) == len(recorded), where
        for index, (one, other) in enumerate(zip(got, recorded, strict=True)):
            assert_same(one, other, f"{where}[{index}]")
    else:
        assert (type(got), got) == (type(recorded), recorded), where


def assert_answers(got: Iterable[Any], sample: Sample) -> None:
    """The SDK's objects are the recorded ones, in class, content, order and number."""
    objects = [*got]
    if sample.call != "/v1/messages":
        assert [qualified(each) for each in objects] == [element["__type__"] for element in sample.elements]
    assert_same([dumped(each) for each in objects], sample.objects)
