"""What the control API does not do, as a value: a status, a code for programs, a sentence for people."""

from typing import Any

CODES = {
    400: "not understood: wrong JSON, an unknown parameter, a value that is none",
    401: "no token of the proxy's",
    403: "a token that may not do this, or a web page of another origin",
    404: "there is nothing of that name",
    405: "a method that the path does not have",
    409: "there are as many scopes or overrides as there can be",
    413: "a body of more than 1 MB",
    421: "a Host header with another name than the proxy's",
    422: "understood, and not possible: an unknown mode, a session that does not allow it",
    500: "a fault of wiretape's own: its log tells more",
    503: "it cannot be told now: a worker does not answer, or the store is away",
}
"""What each status of an error means."""


class ApiError(Exception):
    """A request is refused. The message is for who asks."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def as_json(self) -> dict[str, Any]:
        """Return it as a value of JSON."""
        return {"error": {"code": self.code, "message": str(self)}}
