"""An HTTP error <-> its recorded form, ``exception_data``. Part of the wire, apart because it imitates the SDKs."""

import ast
import json
from collections.abc import Mapping
from typing import Any

from wiretape import jsontext
from wiretape.recording import ENDED_EARLY, RecordedRequest

_LONGEST = 1 << 16
"""Characters of a message in which the answer is looked for: Python's own parser takes its time."""

_TYPES = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    409: "ConflictError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
}


def describe(asked: RecordedRequest, status: int, body: bytes) -> dict[str, Any]:
    """The error as the endpoint's SDK raises it. Source: openai-python's ``_make_status_error_from_response``."""
    text = body.decode("utf-8", "surrogateescape")
    try:
        answer = jsontext.loads(body, jsontext.DEEPEST_ON_WIRE)
    except ValueError:
        answer = None
    if asked.endpoint.startswith("/api/"):
        reason = answer.get("error", text) if isinstance(answer, dict) else text
        return _data("ollama", "ResponseError", f"{reason} (status code: {status})", status, answer or text)
    type_ = _TYPES.get(status) or ("InternalServerError" if status >= 500 else "APIStatusError")
    if answer is None:
        return _data("openai", type_, text or f"Error code: {status}", status, text)
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    return _data("openai", type_, f"Error code: {status} - {answer}", status, error)


def broke_off(reason: str, *, ended: bool) -> dict[str, Any]:
    """An answer that is not whole, as the SDK raises it: no status, no body. ``ended``: the end of its body came."""
    return _data("openai", ENDED_EARLY if ended else "APIConnectionError", reason, None, None)


def inside(error: Any) -> dict[str, Any]:
    """An error that an answer of status 200 holds, as the SDK raises it in the middle of a stream: no status."""
    said = error.get("message") if isinstance(error, dict) else error
    message = said if isinstance(said, str) and said else "An error occurred during streaming"
    return _data("openai", "APIError", message, None, error)


def _data(provider: str, type_: str, message: str, status: int | None, body: Any) -> dict[str, Any]:
    return {
        "category": "provider_sdk",
        "provider": provider,
        "type": type_,
        "message": message,
        "status_code": status,
        "body": body,
    }


def answer(error: Mapping[str, Any]) -> tuple[int, bytes]:
    """Status and body of a recorded error.

    The message holds the whole answer as Python writes it, ``body`` only the error in it.
    """
    status = error.get("status_code")
    status = status if isinstance(status, int) and 400 <= status < 600 else 500
    body = error.get("body")
    if error.get("provider") == "ollama":
        return status, _encoded(body) if isinstance(body, str) else _compact(body)
    _, found, written = str(error.get("message", "")).partition(f"Error code: {status} - ")
    if found and len(written) <= _LONGEST:
        try:
            return status, _compact(literal(written))
        except ValueError:
            pass  # Cut off, or of another SDK: the error itself is left.
    if isinstance(body, str):
        return status, _encoded(body)
    return status, _compact({"error": body})


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def literal(text: str) -> Any:
    """A JSON value as Python writes it, be it ``nan`` or ``inf``. Raises ValueError for any other text."""
    try:
        tree = ast.parse(text.lstrip(" \t"), mode="eval")
        if "nan" in text or "inf" in text:
            tree = _NonFiniteNames().visit(tree)
        return ast.literal_eval(tree)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as e:
        raise ValueError(str(e)) from e


class _NonFiniteNames(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id not in ("nan", "inf"):
            return node
        return ast.Constant(float(node.id))


def _encoded(text: str) -> bytes:
    """A text as it was sent, be it no UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # Another half of a surrogate pair: somebody has written it.
        return text.encode("utf-8", "surrogatepass")
