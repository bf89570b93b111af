"""What is known of one endpoint of an API, as one object, and the registry of all of them. Knows none by its name.

A recording names its endpoint (``/v1/chat/completions``), and whoever has to do with what that endpoint sends and
answers asks the registry for its *format*: ``matching`` for what two requests have in common, ``wire`` for the bytes of
an answer, ``library`` and ``tape`` for its words and its tokens. Nothing outside the formats looks at the name.

    endpoint = base.of(recording.request)
    endpoint.sent(recording.request.body)       # what the SDK sent, for comparing
    endpoint.render([recording])                # what the provider would answer

The built-in formats are registered by ``wiretape.providers``. Those of other packages are found by their entry points
(``wiretape.endpoints``) as soon as an endpoint is named that is none of these. So each process that meets a recording,
or a table of providers, knows what the others know, and who has none pays nothing.
``docs/contributing/adding-an-endpoint.md`` shows one.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from wiretape.providers.answers import HttpResponse, LiveResponse
from wiretape.providers.elements import UnknownEndpoint
from wiretape.providers.stream_ends import Watcher
from wiretape.providers.usage import Usage
from wiretape.recording import JSON, RecordedRequest, RecordedResponse, Recording


class EndpointFormat(Protocol):
    """What is known of one endpoint."""

    @property
    def name(self) -> str:
        """Its name in a recording; empty for what is passed on as it was sent."""
        ...

    @property
    def aliases(self) -> Sequence[str]:
        """Other names that recordings give it."""
        ...

    @property
    def asked_at(self) -> str:
        """The end of the path that is asked; empty where that is the name, without the ``/v1`` of a base URL."""
        ...

    @property
    def is_recorded_whole(self) -> bool:
        """Whether a recording has all that was sent."""
        ...

    @property
    def method(self) -> str:
        """The method with which it is asked; a GET has no body."""
        ...

    def arguments(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a recording has of a body that was sent: the arguments of the SDK's call."""
        ...

    def wants_base64(self, sent: Mapping[str, Any]) -> bool:
        """Return whether a body that was sent asks for numbers as base64, which no recording shows."""
        ...

    def sent(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body that the SDK sends for recorded arguments, for comparing: equal for calls that are."""
        ...

    def body(self, arguments: Mapping[str, Any]) -> Any:
        """Return a body that a client sends for recorded arguments, with all that ``sent`` leaves out as the same."""
        ...

    def meant(self, request: RecordedRequest) -> "EndpointFormat":
        """Return the format of the endpoint that a recording is really of, where recordings mix up names."""
        ...

    def parse(self, request: RecordedRequest, live: LiveResponse) -> RecordedResponse:
        """Return the recorded response of a live answer, whatever its status. Raises UnrecordableError."""
        ...

    def watcher(self, request: RecordedRequest) -> Watcher:
        """Return who tells when the stream that answers a request is whole."""
        ...

    def render(self, recordings: Sequence[Recording], *, base64_wanted: bool = False) -> HttpResponse:
        """Return what the provider would send: by one recording, or by several that each have a part of it."""
        ...

    def own_error(self, url: str, status: int, message: str, code: str) -> JSON:
        """Return the body of an error of this proxy's own, in the form in which the API that is at ``url`` has them.

        Clients show the message of an error of that form, and hide one of another.
        """
        ...

    def elements(self, response: RecordedResponse) -> Sequence[Mapping[str, Any]]:
        """Return the objects that a response is made of, in their order: one, or those of a stream."""
        ...

    def usage(self, elements: Sequence[Mapping[str, Any]]) -> Usage:
        """Return how many tokens the objects of a response say that it took."""
        ...

    def text(self, response: RecordedResponse) -> str:
        """Return the words of a response, for people."""
        ...


logger = logging.getLogger(__name__)

ENTRY_POINTS = "wiretape.endpoints"
"""The group of entry points that each lead to a list of formats."""

_formats: dict[str, EndpointFormat] = {}
"""By their names, and by the other names that recordings give them."""

_lock = threading.Lock()
_has_loaded = False


def register(*formats: EndpointFormat) -> None:
    """Make endpoints known. Raises ValueError for a name that another one has."""
    for each in formats:
        for name in (each.name, *each.aliases):
            if name in _formats:
                raise ValueError(f"the endpoint {name!r} is registered already")
            _formats[name] = each


def unregister(*formats: EndpointFormat) -> None:
    """Make endpoints unknown again."""
    for each in formats:
        for name in (each.name, *each.aliases):
            del _formats[name]


def names() -> frozenset[str]:
    """Return the names of the endpoints that are recorded as the calls of an SDK."""
    return frozenset(each.name for each in _formats.values() if each.name)


def is_known(name: str) -> bool:
    """Return whether an endpoint is registered under this name of its own."""
    endpoint = _find(name)
    return endpoint is not None and endpoint.name == name


def named(name: str) -> EndpointFormat:
    """Return the format of an endpoint. Raises ValueError for a name that nothing is registered under."""
    endpoint = _find(name)
    if endpoint is None:
        raise ValueError(f"no endpoint is known by the name {name!r}")
    return endpoint


def of(request: RecordedRequest) -> EndpointFormat:
    """Return the format of the endpoint that a recorded request is of.

    One that nobody has registered is served as it was recorded; nothing new is recorded of it.
    """
    endpoint = _find(request.endpoint)
    return endpoint.meant(request) if endpoint else UnknownEndpoint(request.endpoint)


def _find(name: str) -> EndpointFormat | None:
    endpoint = _formats.get(name)
    if endpoint is None and not _has_loaded:
        _load()
        endpoint = _formats.get(name)
    return endpoint


def _load() -> None:
    """Register the endpoints of other packages, once. One that fails is told, and hinders nobody."""
    # It takes as long to load as all formats together, and hardly anybody needs it.
    from importlib import metadata

    global _has_loaded  # noqa: PLW0603  the registry is the process's
    with _lock:
        if _has_loaded:
            return
        for entry_point in metadata.entry_points(group=ENTRY_POINTS):
            try:
                register(*entry_point.load())
            except Exception:
                logger.exception("the endpoints of %s cannot be used (entry point %s)", entry_point.value, ENTRY_POINTS)
        _has_loaded = True
