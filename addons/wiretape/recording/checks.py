"""What the JSON of a recording must be, before anything is done with it. Under ``recording``, which reads it.

A recording may come from a stranger's checkout. Whoever works with one (the wire, the index, the commands) takes its
members for what they are called; that they are is looked at here, once, and nowhere else. What is not looked at is
content that is passed on as it is.

Each function raises RecordingError, saying what is wrong, in words that hold nothing of the file but its members'
names.
"""

import base64
from typing import Any
from urllib.parse import urlsplit

from wiretape.codecs import http_fields
from wiretape.codecs.remade import Remade
from wiretape.exceptions import NotHttpError, RecordingError
from wiretape.recording.endpoints import MODEL_LISTS


def check_request(content: Any) -> None:
    """Look at the request of a file's parsed content. Raises NotHttpError where it is sound and of no HTTP."""
    _must(isinstance(content, dict), "not an object")
    request = content.get("request")
    _must(isinstance(request, dict), "no request")
    if _is_of_no_http(request):
        raise NotHttpError
    _must(isinstance(request.get("url"), str), "request.url is missing or of another type")
    try:
        urlsplit(request["url"])
    except ValueError as e:
        raise RecordingError(f"request.url is no URL: {e}") from e
    body = "payload" if "payload" in request else "body"
    has_body = body in request or request.get("method") != "GET"
    _must(not has_body or isinstance(request.get(body), dict), f"request.{body} is missing or of another type")
    if has_body and body == "body":
        endpoint = request.get("endpoint")
        _must(isinstance(endpoint, str) and endpoint != "", "request.endpoint is missing")
    _must(isinstance(request.get("method", "POST"), str), "request.method is no text")
    test_id = content.get("test_id")
    _must(test_id is None or isinstance(test_id, str), "test_id is no text")


def _is_of_no_http(request: dict[str, Any]) -> bool:
    """Return whether it is a tool's request, which names who provides the tool, or has a URL of another scheme."""
    url = request.get("url")
    if url is None:
        return isinstance(request.get("provider"), str)
    scheme, mark, _ = url.partition("://") if isinstance(url, str) else ("", "", "")
    return bool(mark) and scheme.isalpha() and scheme.lower() not in ("http", "https")


def check_response(response: Any, endpoint: str | None) -> None:
    """Look at the response of a file. ``endpoint`` is the recorded one; None for a passthrough endpoint."""
    _must(isinstance(response, dict), "no response")
    _must("body" in response, "no response.body")
    _must(isinstance(response.get("is_streaming"), bool), "response.is_streaming is not true or false")
    status = response.get("status")
    _must(status is None or http_fields.is_status(status), "response.status is no HTTP status from 200 to 599")
    content_type = response.get("content_type")
    _must(
        content_type is None or (isinstance(content_type, str) and http_fields.is_value(content_type)),
        "response.content_type is no value of a header",
    )
    location = response.get("location")
    _must(
        location is None or (isinstance(location, str) and http_fields.is_value(location)),
        "response.location is no value of a header",
    )
    tail = response.get("tail", [])
    _must(isinstance(tail, list | tuple) and all(map(_is_line, tail)), "response.tail is not a list of lines")
    envelope = response.get("envelope")
    has_list = isinstance(envelope, dict) and not {"data", "models"}.isdisjoint(envelope)
    _must(envelope is None or envelope == [] or has_list, "response.envelope holds no list of models")
    is_error = bool(response.get("is_exception"))
    _must(
        not is_error or isinstance(response.get("exception_data"), dict),
        "response.exception_data is not an object",
    )
    if is_error:
        _check_error(response["exception_data"])
        if not response["body"]:
            return
    if endpoint is None or content_type is not None:
        _check_sent(response)
    else:
        _check_elements(response, endpoint)


def _check_error(error: dict[str, Any]) -> None:
    status = error.get("status_code")  # Of a stream that broke off there is none.
    _must(
        status is None or (http_fields.is_status(status) and status >= 400),
        "response.exception_data.status_code is no HTTP status from 400 to 599",
    )


def _check_sent(response: dict[str, Any]) -> None:
    """The body of a passthrough endpoint, which is as it was sent."""
    body = response["body"]
    if response["is_streaming"]:
        _must(isinstance(body, list | Remade) and all(map(_is_line, body)), "response.body is not a list of lines")
    elif response.get("content_type") is not None:
        _must(_is_content(body), "response.body is neither text nor base64")


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and "\n" not in value and "\r" not in value


def _is_content(body: Any) -> bool:
    match body:
        case str():
            return True
        case {"base64": str(text)}:
            try:
                base64.b64decode(text, validate=True)
            except ValueError:
                return False
            return True
    return False


def _check_elements(response: dict[str, Any], endpoint: str) -> None:
    body = response["body"]
    listing = MODEL_LISTS.get(endpoint)
    may_be_empty = listing is not None and not listing.is_one_object
    has_content = bool(body) or (may_be_empty and body == [])
    fits = isinstance(body, list | Remade) if response["is_streaming"] else has_content
    _must(fits, "response.body does not fit is_streaming")
    for element in body if isinstance(body, list | Remade) else [body]:
        _must(is_element(element), "an element of response.body has no __type__ and __data__")
        models = element["__data__"].get("models")
        if listing is not None and (listing.is_one_object or models is not None):
            _must(isinstance(models, list), "the models of response.body are no list")
            _must(all(isinstance(model, dict) for model in models), "a model of response.body is no object")


def is_element(value: Any) -> bool:
    """Whether a value is an object of an SDK's as a recording has it."""
    return (
        isinstance(value, dict) and isinstance(value.get("__type__"), str) and isinstance(value.get("__data__"), dict)
    )


def _must(condition: bool, message: str) -> None:
    if not condition:
        raise RecordingError(message)
