"""Who is answered over HTTP, and how: before anything is done, names, tokens and sizes are looked at."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlling import RUN, Told, ask, error, served, told
from wiretape.control import openapi
from wiretape.control.client import ControlClient
from wiretape.control.server import WebServer
from wiretape.network.dns_rebinding import OwnNames
from wiretape.sessions import token_file
from wiretape.sessions.model import Role
from wiretape.sessions.token_file import TokenFile
from wiretape.sessions.tokens import Tokens
from wiretape.web import cookies

EVIL = "https://evil.example"


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with told(tmp_path_factory.mktemp("open")) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def server(proxy: Told) -> Iterator[WebServer]:
    with served(proxy, OwnNames(("proxy.example",))) as server:
        yield server


@pytest.mark.parametrize("path", ["/v1/status", "/openapi.json", "/metrics", "/healthz", "/v1/calls/events"])
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Host": "evil.example"}, 421, "misdirected"),
        ({"Host": "127.0.0.1.evil.example:9464"}, 421, "misdirected"),
        ({"Origin": EVIL}, 403, "forbidden"),
        ({"Origin": "null"}, 403, "forbidden"),
        ({"Sec_Fetch_Site": "cross-site"}, 403, "forbidden"),
    ],
)
def test_no_page_of_another_origin_reads_anything(
    server: WebServer, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    answer, text = ask(server.address, path, "GET", None, **headers)
    assert answer.status == status
    if path not in ("/metrics", "/healthz"):
        assert error(text)[0] == code
    assert answer.getheader("access-control-allow-origin") is None


@pytest.mark.parametrize("headers", [{"Origin": EVIL}, {"Host": "evil.example"}, {"Sec_Fetch_Site": "cross-site"}])
@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/v1/sessions/a"), ("POST", "/v1/scopes"), ("POST", "/v1/rewind"), ("DELETE", "/v1/sessions/a")],
)
def test_no_page_of_another_origin_changes_anything(
    proxy: Told, server: WebServer, headers: dict[str, str], method: str, path: str
) -> None:
    before = proxy.overriding.overrides, proxy.overriding.rewound
    answer, _ = ask(server.address, path, method, b'{"client": "gw0"}', content_type="text/plain", **headers)
    assert answer.status in (403, 421)
    assert (proxy.overriding.overrides, proxy.overriding.rewound) == before


@pytest.mark.parametrize(
    "headers",
    [{}, {"Host": "proxy.example"}, {"Host": "localhost:1"}, {"Host": "10.1.2.3"}, {"Origin": "http://localhost:3000"}],
)
def test_its_own_names_are_answered(server: WebServer, headers: dict[str, str]) -> None:
    answer, text = ask(server.address, "/v1/status", "GET", None, **headers)
    assert answer.status == 200
    assert json.loads(text)["run"] == RUN
    assert answer.getheader("cache-control") == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "says"),
    [
        ("GET", "/", None, 404, "not_found", "no such path"),
        ("GET", "/v1/status/", None, 404, "not_found", "no such path"),
        ("POST", "/v1/status", None, 405, "method_not_allowed", "no such path or method"),
        ("OPTIONS", "/v1/scopes", None, 405, "method_not_allowed", ""),
        ("GET", "/v1/status?x=1", None, 400, "unknown_parameter", "'x': there are none"),
        ("GET", "/v1/calls?sesion=a", None, 400, "unknown_parameter", "there are session, scope, since, limit"),
        ("GET", "/v1/calls?limit=0", None, 400, "invalid", "from 1 to 1000"),
        ("GET", "/v1/calls?limit=%D9%A1", None, 400, "invalid", "from 1 to 1000"),
        ("GET", "/v1/calls?since=yesterday", None, 400, "invalid", "RFC 3339"),
        ("GET", "/v1/calls/events?since=yesterday", None, 400, "invalid", "RFC 3339"),
        ("GET", "/v1/calls/events?limit=1", None, 400, "unknown_parameter", "there are session, scope, since"),
        ("GET", "/v1/calls/12", None, 404, "not_found", "no call"),
        ("GET", "/v1/calls/x", None, 404, "not_found", "no call"),
        ("GET", "/v1/scopes/x", None, 404, "not_found", "no scope"),
        ("PATCH", "/v1/scopes/x", b"{}", 404, "not_found", "no scope"),
        ("DELETE", "/v1/scopes/x", None, 404, "not_found", "no scope"),
        ("GET", "/v1/sessions/UPPER/recordings", None, 422, "invalid", "no session name"),
        ("PUT", "/v1/sessions/a", b"", 400, "no_json", "no JSON"),
        ("PUT", "/v1/sessions/a", b"{", 400, "no_json", "no JSON"),
        ("PUT", "/v1/sessions/a", b"[" * 100_000, 400, "no_json", "no JSON"),
        ("PUT", "/v1/sessions/a", b"\xff\xfe{", 400, "no_json", "no JSON"),
        ("PUT", "/v1/sessions/a", b"[]", 422, "invalid", "an object"),
        ("PUT", "/v1/sessions/a", b'{"mood": "replay"}', 422, "invalid", "unknown key mood"),
        ("PUT", "/v1/sessions/a", b'{"mode": "reply"}', 422, "invalid", "did you mean replay?"),
        ("PUT", "/v1/sessions/%2e%2e", b"{}", 422, "invalid", "no session name"),
        ("POST", "/v1/scopes", b'{"session": "a"}', 422, "invalid", "has no client"),
        ("POST", "/v1/scopes", b'{"client": "a b"}', 422, "invalid", "client: "),
        ("POST", "/v1/scopes", b'{"client": "a", "faults": [{"delay": "x"}]}', 422, "invalid", "faults[0].delay"),
        ("POST", "/v1/scopes", b" " * 1_000_001, 413, "too_large", "1,000,000 bytes"),
    ],
)
def test_what_is_wrong_is_told(
    server: WebServer, *, method: str, path: str, body: bytes | None, status: int, code: str, says: str
) -> None:
    answer, text = ask(server.address, path, method, body)
    assert answer.status == status
    told_code, message = error(text)
    assert told_code == code
    assert says in message
    assert answer.getheader("content-type") == "application/json"


def test_the_document_is_served(server: WebServer) -> None:
    answer, text = ask(server.address, "/openapi.json")
    assert answer.status == 200
    assert json.loads(text) == openapi.document()


def test_a_fault_of_our_own_is_in_the_log_and_not_in_the_answer(
    proxy: Told, server: WebServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("what nobody is told")

    monkeypatch.setattr(proxy, "facts", fail)
    answer, text = ask(server.address, "/v1/status")
    assert answer.status == 500
    assert error(text) == ("fault", "a fault of wiretape's own: its log tells more")
    assert "control API: GET /v1/status" in caplog.text


# -- with tokens -------------------------------------------------------------------------------------------------------


@pytest.fixture(name="guarded", scope="module")
def _guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WebServer, dict[str, str], Told]]:
    folder = tmp_path_factory.mktemp("guarded")
    content = Tokens()
    shown = {}
    for name, session, role in (
        ("read", "default", Role.READ),
        ("write", "default", Role.WRITE),
        ("admin", "default", Role.ADMIN),
        ("other", "other", Role.ADMIN),
        ("every", "*", Role.ADMIN),
    ):
        token, content = content.create(session, role, name)
        shown[name] = token.text
    token_file.write(folder / "tokens.toml", content)
    with told(folder, token_file=TokenFile(folder / "tokens.toml")) as proxy:
        proxy.ledger.of("default").hits = 1
        proxy.ledger.of("secret").hits = 2
        proxy.tell(session="default")
        proxy.tell(session="secret")
        with served(proxy) as server:
            yield server, shown, proxy


@pytest.mark.parametrize("path", ["/v1/status", "/v1/calls", "/v1/calls/events", "/v1/scopes", "/openapi.json"])
@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer wt_wrong", "Bearer \xe9", "Basic {read}", "{read}", "Bearer "])
def test_who_shows_no_token_of_the_proxys_gets_nothing(
    guarded: tuple[WebServer, dict[str, str], Told], path: str, shown: str
) -> None:
    server, tokens, _ = guarded
    answer, text = ask(server.address, path, Authorization=shown.format(**tokens))
    assert answer.status == 401
    assert error(text)[0] == "unauthorized"
    assert answer.getheader("www-authenticate") == "Bearer"


LAYERS = b'{"layers": ["secret"]}'
SCOPE = b'{"client": "gw0", "session": "default"}'
OF_OTHERS = b'{"client": "other", "session": "default"}'


@pytest.mark.parametrize(
    ("name", "method", "path", "body", "status"),
    [
        ("read", "GET", "/v1/calls?session=default", None, 200),
        ("read", "GET", "/v1/calls?session=secret", None, 403),
        ("read", "GET", "/v1/calls/events?session=secret", None, 403),
        ("read", "GET", "/v1/calls/1", None, 200),
        ("read", "GET", "/v1/calls/2", None, 404),
        ("read", "GET", "/v1/sessions/default/recordings", None, 200),
        ("read", "GET", "/v1/sessions/secret/recordings", None, 403),
        ("read", "POST", "/v1/scopes", SCOPE, 403),
        ("read", "PUT", "/v1/sessions/default", b"{}", 403),
        ("read", "DELETE", "/v1/sessions/default", None, 403),
        ("read", "POST", "/v1/rewind", None, 403),
        ("write", "POST", "/v1/scopes", SCOPE, 201),
        ("write", "POST", "/v1/scopes", OF_OTHERS, 403),
        ("write", "PUT", "/v1/sessions/default", b"{}", 403),
        ("other", "POST", "/v1/scopes", SCOPE, 403),
        ("admin", "PUT", "/v1/sessions/default", b"{}", 200),
        ("admin", "PUT", "/v1/sessions/default", LAYERS, 403),
        ("admin", "PUT", "/v1/sessions/other", b"{}", 403),
        ("admin", "DELETE", "/v1/sessions/default", None, 200),
        ("admin", "POST", "/v1/rewind", None, 403),
        ("every", "PUT", "/v1/sessions/default", LAYERS, 200),
        ("every", "POST", "/v1/rewind", None, 200),
        ("every", "POST", "/v1/scopes", OF_OTHERS, 201),
    ],
)
def test_a_token_may_what_its_role_may_in_its_sessions(
    guarded: tuple[WebServer, dict[str, str], Told],
    *,
    name: str,
    method: str,
    path: str,
    body: bytes | None,
    status: int,
) -> None:
    server, tokens, _ = guarded
    answer, text = ask(server.address, path, method, body, Authorization=f"bearer {tokens[name]}")
    assert answer.status == status, text


def test_a_token_sees_its_own_sessions_alone(guarded: tuple[WebServer, dict[str, str], Told]) -> None:
    server, tokens, _ = guarded

    def seen(name: str, path: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(ask(server.address, path, Authorization=f"Bearer {tokens[name]}")[1])
        return found

    assert [*seen("read", "/v1/status")["counters"]] == ["default"]  # type: ignore[misc]
    assert {*seen("every", "/v1/status")["counters"]} == {"default", "secret"}  # type: ignore[misc]
    calls = seen("read", "/v1/calls")
    assert [call["session"] for call in calls["calls"]] == ["default"]  # type: ignore[attr-defined]
    assert calls["next"] == 2, "it goes on after what it was not told of"


def test_a_browser_reads_by_its_cookie_and_changes_nothing_by_it(
    guarded: tuple[WebServer, dict[str, str], Told],
) -> None:
    server, tokens, _ = guarded
    cookie = f"{cookies.NAME}={tokens['every']}"
    assert ask(server.address, "/v1/calls", Cookie=cookie)[0].status == 200
    assert ask(server.address, "/v1/rewind", "POST", Cookie=cookie)[0].status == 401
    answer, text = ask(server.address, "/v1/calls?session=secret", Cookie=f"{cookies.NAME}={tokens['read']}")
    assert answer.status == 403, text


def test_a_stream_outlasts_a_log_that_cannot_be_read_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with told(tmp_path) as proxy, served(proxy) as server, ControlClient(server.url) as client:
        proxy.tell(request="before")
        events = client.events(since=0)
        assert next(events)["request"] == "before"
        failed = threading.Event()
        reading = proxy.calls

        def fail() -> None:
            failed.set()
            raise OSError("database is locked")

        monkeypatch.setattr(proxy, "calls", fail)
        assert failed.wait(60)
        monkeypatch.setattr(proxy, "calls", reading)
        proxy.tell(request="after")
        assert next(events)["request"] == "after"
        events.close()  # type: ignore[attr-defined]


def test_a_token_that_is_taken_back_ends_its_stream(tmp_path: Path) -> None:
    token, content = Tokens().create("default", Role.READ, "one")
    file = tmp_path / "tokens.toml"
    token_file.write(file, content)
    with told(tmp_path, token_file=TokenFile(file)) as proxy, served(proxy) as server:
        proxy.tell(request="before")
        with ControlClient(server.url, token.text) as client:
            events = client.events(since=0)
            assert next(events)["request"] == "before"
            token_file.write(file, content.without("one"))
            proxy.tell(request="after")
            assert len([*events]) <= 1, "it ends; what was looked up at that moment may come still"


def test_a_scope_of_another_session_is_neither_seen_nor_ended_nor_replaced(
    guarded: tuple[WebServer, dict[str, str], Told],
) -> None:
    server, tokens, proxy = guarded

    def status(name: str, method: str, path: str, body: bytes | None = None) -> int:
        return ask(server.address, path, method, body, Authorization=f"Bearer {tokens[name]}")[0].status

    assert status("every", "POST", "/v1/scopes", b'{"client": "gw7", "session": "secret"}') == 201
    scope = proxy.overriding.overrides.scopes["gw7"]
    assert status("write", "DELETE", f"/v1/scopes/{scope.id}") == 403
    assert status("write", "GET", f"/v1/scopes/{scope.id}") == 403
    assert status("write", "POST", "/v1/scopes", b'{"client": "gw7", "session": "default"}') == 403
    assert proxy.overriding.overrides.scopes["gw7"] is scope
    assert status("every", "DELETE", f"/v1/scopes/{scope.id}") == 200
    assert status("write", "DELETE", f"/v1/scopes/{scope.id}") == 404
