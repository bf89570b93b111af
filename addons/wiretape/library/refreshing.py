"""A recorded request, sent once more: what goes out, and what its answer is against the recorded one. Sans-IO.

    outgoing = Outgoing.of(recording, providers, environ)      # or NotSendableError, which says why
    ...                                                        # somebody sends it: a LiveResponse
    refreshed = judge(stored, live, sent_at, agent)            # drift, or why there is nothing to compare
    accept(store, refreshed)                                   # takes the recording's place, and the capture's

A key goes to the provider that it is for, and to nobody else: who writes recordings may write any URL into one. So a
request is sent where the table of providers has its URL, and with a key only to a host that the table names, and not by
a pattern that a stranger's host may be of.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import zip_longest
from urllib.parse import urlsplit

from wiretape import recording as recordings
from wiretape import redaction
from wiretape.codecs import http_fields
from wiretape.codecs.wildcards import Wildcard
from wiretape.library import drift
from wiretape.library.drift import Drift
from wiretape.matching import request as matching
from wiretape.network import egress
from wiretape.providers import base, wire
from wiretape.providers.routing import KINDS, ApiKey, Endpoint, Provider, Providers, Route
from wiretape.recording import RecordedRequest, Recording
from wiretape.recording import capture as captures
from wiretape.recording.capture import Origin
from wiretape.redaction import RefusedError
from wiretape.redaction.rules import REDACTED
from wiretape.store.base import WIRE, Store
from wiretape.tape import making
from wiretape.tape.config import TapeConfig
from wiretape.tape.making import MadeRecording

_UPLOADS = ("/audio/transcriptions", "/audio/translations", "/images/edits", "/images/variations")
"""Paths to which files are sent, of which a recording has a digest alone."""

_CLEANED = "a secret was taken out of what was sent"

_PORTS = {"https": 443, "http": 80}

_NEVER_ALONE = frozenset({401, 402, 403, 407, 408, 425, 429})
"""Statuses that say nothing of the request, beside those from 500 on."""


class NotSendableError(Exception):
    """A recorded request cannot be sent. The text says why, for people."""


@dataclass(frozen=True, slots=True)
class StoredRecording:
    """A recording, and where it is."""

    session: str
    name: str
    data: bytes
    recording: Recording

    @property
    def request(self) -> RecordedRequest:
        """What is asked."""
        return self.recording.request


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it is sent."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def of(cls, recording: Recording, providers: Providers, environ: Mapping[str, str]) -> "Outgoing":
        """Return what is sent for a recording. Raises NotSendableError."""
        request = recording.request
        url = _url(request)
        endpoint = base.of(request)
        if REDACTED in url:
            raise NotSendableError(_CLEANED)
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS.get(parts.scheme, 443)
        except ValueError as e:
            raise NotSendableError("its URL is none that can be asked") from e
        host = parts.hostname or ""
        method = endpoint.method or request.method
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        route = providers.route(method, parts.scheme, host, port, path)
        if route is None or route.endpoint.kind not in KINDS:
            raise NotSendableError("the table of providers names no such endpoint")
        if request.endpoint and route.endpoint.recorded != endpoint.name:
            raise NotSendableError("its URL is that of another endpoint")
        body = _body(request, route)
        entry = providers.of(route, host, port)
        headers = [("accept", "*/*"), ("accept-encoding", "identity")]
        if body:
            headers.append(("content-type", "application/json"))
        if entry:
            headers += [*entry.headers, *_authorization(entry, host, port, environ)]
        return cls(method, url, tuple(headers), body)


def _url(request: RecordedRequest) -> str:
    if not request.endpoint:
        return request.url
    # Some recordings are filed under the name of another endpoint than that which they are of.
    endpoint = base.of(request)
    path = endpoint.asked_at or endpoint.name.removeprefix("/v1")
    return matching.base(request) + path + matching.wire_query(request)


def _body(request: RecordedRequest, route: Route) -> bytes:
    if not base.of(request).is_recorded_whole or route.path.partition("?")[0].endswith(_UPLOADS):
        raise NotSendableError("its recording does not have all that was sent")
    if route.endpoint.method == "GET":
        return b""
    body = json.dumps(base.of(request).body(request.body), ensure_ascii=False).encode("utf-8", "surrogatepass")
    if REDACTED.encode() in body:
        raise NotSendableError(_CLEANED)
    if not _is_the_same(request, route, body):
        raise NotSendableError("its recording does not have all that was sent")
    return body


def _is_the_same(request: RecordedRequest, route: Route, body: bytes) -> bool:
    """Return whether a body would be recorded as the request that it is made of."""
    kind = Route("", matching.base(request), Endpoint(route.endpoint.kind, request.method, route.endpoint.recorded), "")
    query = matching.wire_query(request)
    try:
        again = matching.recorded(replace(kind, path=query), body, "application/json", request.test_id)
        return matching.identity(again) == matching.stored_identity(request)
    except (RefusedError, ValueError):
        return False


def _authorization(entry: Provider, host: str, port: int, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the header with the key. Raises NotSendableError where there is none, or it may not go there."""
    if entry.api_key is None:
        if egress.is_here(host):
            return
        raise NotSendableError(f"which key {entry.name} takes is not known: say api_key in a [[provider]] of your own")
    key = _key(entry.api_key, environ)
    if not key:
        if egress.is_here(host):
            return
        raise NotSendableError(f"{' or '.join(entry.api_key.variables)} is not set")
    if not http_fields.is_value(key):
        raise NotSendableError(f"what {' or '.join(entry.api_key.variables)} holds can stand in no header")
    if not entry.names(egress.canonical(host), port):
        text = f"{host} gets no key, as a pattern alone says that it is {entry.name}'s"
        raise NotSendableError(f"{text}: name it in a [[provider]] of your own")
    is_bearer = entry.api_key.header == "authorization"
    yield entry.api_key.header, f"Bearer {key}" if is_bearer else key


def _key(where: ApiKey, environ: Mapping[str, str]) -> str:
    return next((environ[name].strip() for name in where.variables if environ.get(name, "").strip()), "")


# -- which ones --------------------------------------------------------------------------------------------------------


def matches(stored: StoredRecording, pattern: str) -> bool:
    """Return whether a recording is meant by a pattern: of its name, its endpoint, its model, or its URL."""
    request = stored.request
    wildcard = Wildcard(pattern)
    return any(map(wildcard.matches, (stored.name, request.endpoint, request.model, request.sent_url)))


def sample(items: Sequence[StoredRecording], number: int) -> list[StoredRecording]:
    """Return so many recordings, of each endpoint and model in turn, in the order in which they are given."""
    kinds: dict[tuple[str, str, str], list[StoredRecording]] = {}
    for item in items:
        request = item.request
        host = urlsplit(request.url).hostname or ""
        kinds.setdefault((host, request.endpoint or request.url, request.model), []).append(item)
    turns: Iterable[StoredRecording] = (
        item for turn in zip_longest(*kinds.values()) for item in turn if item is not None
    )
    return [item for item, _ in zip(turns, range(number), strict=False)]


# -- what comes back ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What became of a recorded request that was sent once more."""

    stored: StoredRecording
    drift: Drift | None = None
    """None where there is nothing to compare."""
    problem: str = ""
    """Why there is not."""
    made: MadeRecording | None = None
    """What may take the recording's place."""


def judge(stored: StoredRecording, live: wire.LiveResponse, sent_at: float, agent: str) -> Refreshed:
    """Return how an answer is against the recorded one. ``sent_at``: when its request was sent, since 1970.

    What says nothing of the request, as a 401 or a 503, is no drift where it was none before.
    """
    request = stored.request
    took = live.at[-1] if live.at else 0.0
    query = None if request.passthrough else matching.wire_query(request)
    at = datetime.fromtimestamp(sent_at + took / 1000, UTC)
    origin = captures.origin("", at, agent, took, query, clean=redaction.DEFAULT.text)
    config = TapeConfig(session=stored.session, form=stored.recording.form, keep_errors=True)
    try:
        made = making.make(request, live, origin, config)
    except (wire.UnrecordableError, RefusedError) as e:
        return Refreshed(stored, problem=redaction.DEFAULT.text(str(e)))
    except RecursionError:
        return Refreshed(stored, problem="the answer is nested too deeply")
    response = made.recording.response
    if response.broke_off:
        return Refreshed(stored, problem="the answer broke off")
    found = drift.compare(stored.recording, response)
    is_passing = live.status in _NEVER_ALONE or live.status >= 500
    if is_passing and any(each.kind is drift.DriftKind.STATUS for each in found.findings):
        return Refreshed(stored, problem=f"it was answered with status {live.status}")
    return Refreshed(stored, found, made=made)


def origin_of(store: Store, stored: StoredRecording) -> Origin | None:
    """Return what the capture of a recording says of who made it, and when. Raises OSError where it cannot be told."""
    with suppress(ValueError):
        data = store.read(stored.session, stored.name, WIRE)
        return captures.loads(data).origin if data else None
    return None


def accept(store: Store, refreshed: Refreshed) -> None:
    """Have a recording, and its capture, replaced by what came. Raises ValueError where it is another one by now, and
    OSError where the store fails.
    """
    stored = refreshed.stored
    made = refreshed.made
    assert made
    where = store.where(stored.session, stored.name)
    if store.read(stored.session, stored.name) != stored.data:
        raise ValueError(f"{where} was recorded anew meanwhile: ask again")
    data = recordings.dumps_parts(made.recording)
    if not store.write(stored.session, stored.name, data, replace=True):
        raise OSError(f"{where}: others write there just now: ask again")
    if made.capture:
        capture = captures.dumps_parts(replace(made.capture, recording=data.digest))
        store.write(stored.session, stored.name, capture, replace=True, folder=WIRE)
    else:
        store.remove(stored.session, stored.name, WIRE)
