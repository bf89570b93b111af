"""Tokens that are taken back: what they opened is closed; so is what nobody was let in by."""

import asyncio
import logging
import time
from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy.connection import ConnectionState
from mitmproxy.test import tflow

from wiretape.proxy import revoking
from wiretape.proxy.compat import tcp_reset


@pytest.fixture(name="ended")
def _ended(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    ended: list[Any] = []
    monkeypatch.setattr(tcp_reset, "abort", ended.append)
    monkeypatch.setattr(tcp_reset, "close", ended.append)
    return ended


def client(state: ConnectionState = ConnectionState.OPEN, *, started: float | None = None) -> Any:
    made = tflow.tclient_conn()
    made.state = state
    made.timestamp_start = time.time() if started is None else started
    return made


def test_connections_of_tokens_that_are_taken_back_are_closed(
    ended: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    one, gone = client(), client(ConnectionState.CLOSED)
    admission: Any = SimpleNamespace(revoked=lambda: [one, gone, object()])
    with caplog.at_level(logging.WARNING):
        revoking.close(admission)
    assert ended == [one]
    assert "tokens were taken back: 1 connections" in caplog.text


def test_where_none_is_taken_back_nothing_is_said(ended: list[Any], caplog: pytest.LogCaptureFixture) -> None:
    revoking.close(SimpleNamespace(revoked=list))  # type: ignore[arg-type]
    assert (ended, caplog.text) == ([], "")


def test_who_has_said_nothing_for_long_is_closed(ended: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    silent, fresh, known = client(started=time.time() - 31), client(), client(started=time.time() - 3600)
    connections = {each: SimpleNamespace(client=each) for each in (silent, fresh, known)}
    server = SimpleNamespace(connections=connections)
    master = SimpleNamespace(addons=SimpleNamespace(get=lambda name: server))
    monkeypatch.setattr(revoking, "ctx", SimpleNamespace(master=master))
    revoking.close_silent(SimpleNamespace(has_been_let_in=lambda each: each is known))  # type: ignore[arg-type]
    assert ended == [silent]


class Tokens:
    """A file of tokens that is another at each of these looks."""

    def __init__(self, *versions: int) -> None:
        self.versions = [*versions]

    def version(self) -> int:
        if len(self.versions) > 1:
            return self.versions.pop(0)
        return self.versions[0]


@pytest.mark.parametrize(
    ("versions", "looks"),
    [
        ((1, 1, 1, 1), 0),  # Nothing has changed.
        ((1, 2, 2, 2), 1),
        ((1, 0, 2, 2), 1),  # An editor empties it first.
        ((1, 2, 2, 3, 3), 2),
        ((1, 2, 3, 4), 1),  # Closed when it stays as it is.
    ],
)
def test_a_file_that_has_changed_and_then_stays_is_looked_at(
    versions: tuple[int, ...], looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Any] = []
    tokens: Any = Tokens(*versions)
    monkeypatch.setattr(revoking, "close", closed.append)
    monkeypatch.setattr(revoking, "close_silent", lambda admission: None)
    turns = 0

    async def turn(seconds: float) -> None:
        nonlocal turns
        turns += 1
        if turns > len(versions) + 3:
            raise asyncio.CancelledError

    monkeypatch.setattr(revoking, "asyncio", SimpleNamespace(sleep=turn))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(revoking.watch(None, lambda: tokens))  # type: ignore[arg-type]
    assert len(closed) == looks


def test_a_file_that_cannot_be_read_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def close(admission: Any) -> None:
        tried.append(1)
        if len(tried) < 3:
            raise OSError("not now")

    tokens: Any = Tokens(1, 2)
    monkeypatch.setattr(revoking, "close", close)
    monkeypatch.setattr(revoking, "close_silent", lambda admission: None)
    turns = 0

    async def turn(seconds: float) -> None:
        nonlocal turns
        turns += 1
        if turns > 8:
            raise asyncio.CancelledError

    monkeypatch.setattr(revoking, "asyncio", SimpleNamespace(sleep=turn))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(revoking.watch(None, lambda: tokens))  # type: ignore[arg-type]
    assert len(tried) == 3
