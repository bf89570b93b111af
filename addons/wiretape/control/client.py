"""Asks the control API of a running proxy, with the standard library alone. What it returns is JSON, as it came.

    client = ControlClient(os.environ["WIRETAPE_CONTROL"])
    scope = client.open_scope("gw0", session="checkout", test_id="test_a")
    ...
    account = client.end_scope(scope["id"])

``docs/reference/control-api.md`` says what each answer has.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

type JSON = dict[str, Any]


class ControlError(Exception):
    """The API refuses, or nothing answers. The message is for people."""

    def __init__(self, message: str, *, status: int = 0, code: str = "no_answer") -> None:
        super().__init__(message)
        self.status = status
        """The status of its answer; 0 where there is none."""
        self.code = code
        """Why, for programs."""


class ControlClient:
    """Asks one proxy. For any thread: one request of it is under way at a time."""

    def __init__(self, url: str, token: str = "", timeout: float = 30.0) -> None:
        """``token`` is one of the proxy's, where it has any; ``timeout`` is in seconds.

        Raises ValueError where ``url`` is none of an API: ``http://HOST:PORT``.
        """
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a control API: it is http://HOST:PORT")
        self._url = url
        self._is_tls = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port
        self._base = parts.path.removesuffix("/")
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._timeout = timeout
        self._lock = threading.Lock()
        self._connection: HTTPConnection | None = None

    # -- what is there ---------------------------------------------------------------------------------------------

    def status(self) -> JSON:
        """Return the state of the proxy, with its counters."""
        return self._ask("GET", "/v1/status")

    def calls(
        self, *, session: str = "", scope: str = "", since: int | str | None = None, limit: int | None = None
    ) -> JSON:
        """Return calls, the oldest first: ``{"calls": [...], "next": ID}``, with the ``since`` of what comes next.

        ``since``: the id of the call after which they begin, or a time of RFC 3339 from which on; without it, they are
        the newest.
        """
        query = {"session": session, "scope": scope, "since": since, "limit": limit}
        return self._ask("GET", "/v1/calls", query=query)

    def call(self, id_: int) -> JSON:
        """Return a call, with its request and its answer as far as they are kept."""
        return self._ask("GET", f"/v1/calls/{id_}")

    def events(self, *, session: str = "", scope: str = "", since: int | str | None = None) -> Iterator[JSON]:
        """Yield calls as they come until the proxy ends: those from now on, or those since then.

        It has a connection of its own, on which the proxy is never silent for longer than the timeout.
        """
        connection = self._connect()
        query = {"session": session, "scope": scope, "since": since}
        try:
            answer = self._send(connection, "GET", _target("/v1/calls/events", query), None)
            if answer.status != 200:
                raise _refusal(answer, answer.read())
            # A comment of the stream is a sign of life: an event is a line of data, as the API writes it.
            while line := answer.readline():
                if line.startswith(b"data:"):
                    yield json.loads(line.removeprefix(b"data:"))
        except (OSError, HTTPException) as e:
            raise self._silence(e) from e
        finally:
            connection.close()

    def recordings(self, session: str, *, run: str = "") -> JSON:
        """Return the recordings of a session, and which of them were asked for, in this run of the proxy or ever."""
        return self._ask("GET", f"/v1/sessions/{quote(session, safe='')}/recordings", query={"run": run})

    # -- what is to hold -------------------------------------------------------------------------------------------

    def set_session(self, session: str, **what: object) -> JSON:
        """Have a mode, pace, takes, layers, faults, match hold for a session; what is left out is as configured."""
        return self._ask("PUT", f"/v1/sessions/{quote(session, safe='')}", what)

    def reset_session(self, session: str) -> JSON:
        """Have a session be as it is configured."""
        return self._ask("DELETE", f"/v1/sessions/{quote(session, safe='')}")

    def rewind(self) -> JSON:
        """Start every sequence of takes again, and what faults count."""
        return self._ask("POST", "/v1/rewind", {})

    def open_scope(self, client: str, **what: object) -> JSON:
        """Begin a scope of a client: session, test_id, mode, pace, takes, match, faults, isolated. It has an ``id``."""
        return self._ask("POST", "/v1/scopes", {"client": client, **what})

    def change_scope(self, id_: str, **what: object) -> JSON:
        """Change the mode, pace or faults of a scope."""
        return self._ask("PATCH", f"/v1/scopes/{quote(id_, safe='')}", what)

    def scopes(self) -> JSON:
        """Return the scopes that are open: ``{"scopes": [...]}``."""
        return self._ask("GET", "/v1/scopes")

    def scope(self, id_: str) -> JSON:
        """Return the account of a scope so far."""
        return self._ask("GET", f"/v1/scopes/{quote(id_, safe='')}")

    def end_scope(self, id_: str) -> JSON:
        """End a scope, and return its account."""
        return self._ask("DELETE", f"/v1/scopes/{quote(id_, safe='')}")

    # -- how it is asked -------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connection. The next request opens another one."""
        with self._lock:
            self._disconnect()

    def __enter__(self) -> "ControlClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(
        self,
        method: str,
        path: str,
        content: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
    ) -> JSON:
        target = _target(path, query or {})
        with self._lock:
            try:
                answer, body = self._exchange(method, target, content)
            except (OSError, HTTPException) as e:
                self._disconnect()
                raise self._silence(e) from e
        if answer.status >= 400:
            raise _refusal(answer, body)
        try:
            value: JSON = json.loads(body)
        except ValueError as e:
            raise ControlError(f"{self._url} answers with what is no JSON", status=answer.status, code="form") from e
        return value

    def _exchange(self, method: str, target: str, content: Mapping[str, object] | None) -> tuple[HTTPResponse, bytes]:
        is_kept = self._connection is not None
        self._connection = self._connection or self._connect()
        try:
            answer = self._send(self._connection, method, target, content)
        except (ConnectionError, HTTPException):
            self._disconnect()
            if not is_kept:
                raise
            # The server had closed it meanwhile, as nothing was asked for a while.
            self._connection = self._connect()
            answer = self._send(self._connection, method, target, content)
        return answer, answer.read()

    def _connect(self) -> HTTPConnection:
        # HTTP_PROXY is ignored: it may be the very proxy that is asked about.
        make = HTTPSConnection if self._is_tls else HTTPConnection
        return make(self._host, self._port, timeout=self._timeout)

    def _send(
        self, connection: HTTPConnection, method: str, target: str, content: Mapping[str, object] | None
    ) -> HTTPResponse:
        headers = dict(self._headers)
        body = None
        if content is not None:
            headers["content-type"] = "application/json"
            body = json.dumps(content).encode("ascii")
        connection.request(method, self._base + target, body, headers)
        return connection.getresponse()

    def _disconnect(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None

    def _silence(self, error: Exception) -> ControlError:
        return ControlError(f"nothing answers at {self._url}: {error or type(error).__name__}")


def _target(path: str, query: Mapping[str, object]) -> str:
    given = {name: str(value) for name, value in query.items() if value not in ("", None)}
    return f"{path}?{urlencode(given)}" if given else path


def _refusal(answer: HTTPResponse, body: bytes) -> ControlError:
    """Return what an answer says that is an error."""
    try:
        error = json.loads(body)["error"]
        return ControlError(str(error["message"]), status=answer.status, code=str(error["code"]))
    except (ValueError, KeyError, TypeError):
        return ControlError(f"status {answer.status}: {body[:200]!r}", status=answer.status, code="form")
