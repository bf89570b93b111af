"""Whether a file is a sound recording: its form, its name, its way over the wire and back, no secret in it.

Beside the data's way: reads bytes, gives findings; the command line prints them.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from wiretape import recording as recordings
from wiretape import redaction
from wiretape.codecs import json_text
from wiretape.codecs.remade import Remade
from wiretape.exceptions import NotHttpError
from wiretape.matching import request
from wiretape.providers import base, wire
from wiretape.providers.routing import Endpoint, Route
from wiretape.recording import ENDED_EARLY, RecordedResponse, Recording, hashing
from wiretape.recording import capture as captures
from wiretape.recording.capture import Origin
from wiretape.redaction import RefusedError, bodies, recorded

OF_NO_HTTP = "of no HTTP exchange, kept and not served"
"""Stands for the form of a file that is a sound one of the public recorder, and nothing that a client could ask for."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What there is to say about one file."""

    form: str | None
    """One of ``recording.FORMS``, or OF_NO_HTTP; None where the file is no recording."""
    recording: Recording | None
    faults: tuple[str, ...]
    """What is wrong: it cannot be served, does not replay to itself, holds a secret, has another recording's name."""


def verify(name: str, data: bytes) -> Verification:
    """Look at a file, given its name without ``.json`` and its bytes."""
    try:
        recording = recordings.loads(data)
    except NotHttpError:
        return Verification(OF_NO_HTTP, None, tuple(_secrets_of_any(data)))
    except ValueError as e:
        return Verification(None, None, (str(e),))
    try:
        secrets = [*recorded.findings(json_text.loads(data), recording, redaction.DEFAULT)]
    except RecursionError:
        return Verification(
            recording.form, recording, ("cannot be looked through for secrets: it is nested too deeply",)
        )
    faults = [f"a secret is in it, at {path}" for path in dict.fromkeys(secret.path for secret in secrets)]
    faults += _replay_faults(recording)
    if not _is_found(recording, is_clean=not secrets):
        faults.append("a request like its own would not find it: it is another one after its way through the proxy")
    if not is_name(name, recording):
        faults.append(f"its name is not its hash, which is {recording.name} (it is found by its content all the same)")
    if recording.form == "2026" and not recording.request.passthrough and not _has_own_ids(name, recording):
        faults.append("its ids are not those of its name: they are another recording's, or of before the form 2026")
    return Verification(recording.form, recording, tuple(faults))


def _secrets_of_any(data: bytes) -> Iterator[str]:
    """Say where secrets are in a file of which nothing is known but that it is JSON."""
    try:
        paths = [finding.path for finding in redaction.DEFAULT.find(json_text.loads(data))]
    except RecursionError:
        yield "cannot be looked through for secrets: it is nested too deeply"
        return
    for path in dict.fromkeys(map(redaction.DEFAULT.text, paths)):
        yield f"a secret is in it, at {path}"


def verify_capture(data: bytes) -> tuple[str, ...]:
    """Return what is wrong with a capture, given its bytes."""
    try:
        capture = captures.loads(data)
    except ValueError as e:
        return (str(e),)
    pieces = capture.chunks or ()
    has_secret = bodies.cleaned(pieces, redaction.DEFAULT) != pieces or any(redaction.DEFAULT.find(capture.beside))
    faults = ["a secret is in it"] if has_secret else []
    if capture.origin and not _is_sound(capture.origin):
        faults.append("what it says of who made it is in no known form")
    return tuple(faults)


def _is_sound(origin: Origin) -> bool:
    """Return whether it is as a proxy writes it: a form that can be sorted, printed and summed up."""
    try:
        at = datetime.strptime(origin.at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    # The same form: strptime takes a month of one digit too.
    written = captures.origin(origin.by, at, origin.client, origin.took, clean=redaction.DEFAULT.text)
    same = (written.at, written.client) == (origin.at, redaction.DEFAULT.text(origin.client))
    texts = origin.by + origin.wiretape + (origin.query or "")
    return same and texts.isprintable() and math.isfinite(origin.took) and origin.took >= 0


def is_name(name: str, recording: Recording) -> bool:
    """Return whether a file's name, without ``.json``, is one that a version of the recorder gave its recording."""
    base, _, take = name.rpartition(".")
    if base and take.isdigit():
        name = base
    if recording.request.is_model_list or recording.request.is_bare:
        return _is_list_name(name, recording)
    second = f"-{request.identity(recording.request)[:8]}"
    return any(name in (each, each + second) for each in _names(recording))


def _names(recording: Recording) -> Iterator[str]:
    """Give what the versions of the recorder call a recording, without what comes before and after for a list."""
    for rule in hashing.RULES:
        if (rule is hashing.OLDEST) == (recording.form == "2025-09"):
            yield recordings.digest(recording.request, rule)[: rule.digits]


def _is_list_name(name: str, recording: Recording) -> bool:
    # First a list of models was named as all others are; then the digest of the models has changed over time.
    names = set(_names(recording))
    prefix, _, rest = name.partition("-")
    return name in names or (prefix == "models" and rest.partition("-")[0] in names)


def _has_own_ids(name: str, recording: Recording) -> bool:
    """Return whether the ids of an answer are those that the form 2026 makes of its name, or of its hash."""
    own = {recordings.ID_PREFIX + each[:12] for each in (name, *_names(recording))}
    others = (element for element in recording.response.elements() if not recordings.is_model(element))
    return all(each["__data__"].get("id") in (None, *own) for each in others)


def _is_found(recording: Recording, *, is_clean: bool) -> bool:
    """Return whether a live request with what was recorded is the recorded one, once it has been read and cleaned.

    ``is_clean``: there is no secret in it, so that to clean it once more would change nothing.
    """
    original = recording.request
    endpoint = base.of(original)
    if not original.passthrough and endpoint.name not in base.names():
        return True  # It is of no endpoint that anybody can ask; that is told elsewhere.
    kind = "http" if original.passthrough else "sdk"
    method = endpoint.method or original.method
    route = Route("", request.base(original), Endpoint(kind, method, endpoint.name), request.wire_query(original))
    body = json.dumps(endpoint.body(original.body)).encode()
    try:
        # What a passthrough endpoint was sent is read as JSON.
        again = request.recorded(route, body, "application/json", original.test_id)
        stored = request.identity(original) if is_clean else request.stored_identity(original)
        return request.identity(again) == stored
    except RefusedError:
        return True  # Its secret is told.
    except ValueError:
        return False


def _replay_faults(recording: Recording) -> Iterator[str]:
    """Say where what a client would get is not recorded to the same response again."""
    try:
        answer = wire.answer([recording])
        at = (0.0,) * len(answer.chunks)
        # What ended early may have been told so by a connection alone that was closed.
        is_framed = (recording.response.error or {}).get("type") != ENDED_EARLY
        arrived = wire.LiveResponse(answer.status, answer.headers, answer.chunks, at, not answer.broken, is_framed)
        is_kept = recording.response.error is not None or recording.response.status not in (None, 200)
        response = wire.response(recording.request, arrived, keep_errors=is_kept)
    except wire.UnrecordableError as e:
        yield f"does not replay to itself: {e}"
        return
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        yield f"cannot be replayed: {type(e).__name__}: {e}"
        return
    # What the form 2026 takes out was out before.
    if [*_said(response)] != [*_said(recording.response)]:
        yield "does not replay to itself: the response differs after its way over the wire"


def _said(response: RecordedResponse) -> Iterator[str]:
    """What a response says, in texts that can be compared: element for element, as a large one is made anew.

    A newer SDK's classes have their fields in another order.
    """
    for each in response.body if isinstance(response.body, list | Remade) else [response.body]:
        yield json.dumps(each, sort_keys=True)
    yield from response.tail
