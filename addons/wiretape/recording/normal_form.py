"""A request and its response -> a new recording, without what differs from call to call in the form 2026.

Of an id that a client may send back the recording keeps which one it was: by that the next request is found.
"""

from collections.abc import Mapping
from dataclasses import replace

from wiretape.codecs.remade import Remade
from wiretape.recording import checks
from wiretape.recording.endpoints import KEEPING_ANSWERS, MODEL
from wiretape.recording.model import JSON, RecordedRequest, RecordedResponse, Recording, in_form, request_hash


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
    if is_kept is not True and (request.endpoint not in KEEPING_ANSWERS or is_kept is False):
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


def is_model(element: Mapping[str, JSON]) -> bool:
    """Return whether an element is a model of a list, whose id is its name: others have one for each answer."""
    is_model: bool = element["__data__"].get("object") == "model"
    return is_model or element["__type__"] == MODEL


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
