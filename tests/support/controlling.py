"""The control API over a proxy that is none: what it is about stands in values, and nothing carries traffic."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from samples import CHAT
from wiretape.call_log.call import Call, Outcome
from wiretape.call_log.log import CallLog
from wiretape.call_log.reader import CallReader
from wiretape.config.overrides import Known
from wiretape.control.api import Api, Request
from wiretape.control.authorization import OPEN
from wiretape.control.backend import Facts
from wiretape.control.openapi import OPERATIONS
from wiretape.control.refusal import ApiError
from wiretape.control.server import WebServer
from wiretape.control.site import Site
from wiretape.matching import presets
from wiretape.metrics.counters import Counters, SessionCounters
from wiretape.metrics.prometheus import CounterPage
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames
from wiretape.policy import Mode
from wiretape.sessions.access import AccessPolicy
from wiretape.sessions.model import Session, Sessions
from wiretape.sessions.scopes import Overrides
from wiretape.sessions.token_file import TokenFile
from wiretape.store.base import Store
from wiretape.store.opening import open_store

HERE = Address("127.0.0.1", 0)
RUN = "2026-11-28T08:00:00Z-1"


class Applied:
    """What was asked to be in force: the newest, and how often there was anything to do."""

    def __init__(self, log: CallLog) -> None:
        self._log = log
        self.overrides = Overrides()
        self.rewound = 0
        self.fails_with: Exception | None = None

    def apply(self, overrides: Overrides) -> None:
        if self.fails_with:
            raise self.fails_with
        self.overrides = overrides

    def rewind(self) -> None:
        self.rewound += 1

    def flush(self) -> None:
        assert self._log.flush()


@dataclass
class Told:
    """A proxy without traffic, as a ``Backend``."""

    store_: Store
    log: CallLog
    overriding: Applied
    ledger: SessionCounters = field(default_factory=SessionCounters)
    token_file: TokenFile | None = None
    sessions: Sessions = field(default_factory=Sessions)
    policy_: AccessPolicy = field(default_factory=lambda: AccessPolicy(Sessions(), "default", Mode.REPLAY))

    def facts(self) -> Facts:
        return Facts("replay", "default", "http://127.0.0.1:8080", 1, (os.getpid(),), 1.0, RUN)

    def counters(self) -> Mapping[str, Counters]:
        return self.ledger.sessions()

    def tokens(self) -> TokenFile | None:
        return self.token_file

    def policy(self) -> AccessPolicy:
        return self.policy_

    def known(self) -> Known:
        return Known(("openai", "fireworks"), presets.built_in(), self.sessions)

    def store(self) -> Store:
        return self.store_

    def calls(self) -> CallReader:
        assert self.log.file
        return CallReader([self.log.file])

    def tell(self, outcome: Outcome = Outcome.HIT, session: str = "default", **more: Any) -> None:
        """Have a call be in the log, at once."""
        self.log.add(Call(at=1_800_000_000.0, session=session, mode="replay", outcome=outcome, **more))
        assert self.log.flush()


@contextmanager
def told(tmp_path: Path, **more: Any) -> Iterator[Told]:
    """Give a proxy with one recording in the session ``default``."""
    folder = tmp_path / "recordings" / "default" / "responses"
    folder.mkdir(parents=True)
    (folder / CHAT.name).write_bytes(CHAT.read_bytes())
    store = open_store(str(tmp_path / "recordings"), local=tmp_path / "local")
    log = CallLog(tmp_path / "calls.sqlite", RUN)
    made = Told(store, log, Applied(log), **more)
    try:
        yield made
    finally:
        log.close()
        store.close()


@contextmanager
def served(backend: Told, names: OwnNames = OwnNames()) -> Iterator[WebServer]:  # noqa: B008  it never changes
    """Serve the API and the page of counters of a proxy."""
    site = Site(names, CounterPage(backend.ledger.sessions), backend)
    with WebServer(HERE, site) as server:
        yield server


def configured(**sessions: Session) -> Sessions:
    return Sessions(sessions)


def asked(api: Api, name: str, body: Any = None, path: str = "", **query: str) -> Any:
    """Return what the API answers to who may ask everything."""
    operation = next(each for each in OPERATIONS if each.name == name)
    in_path = dict.fromkeys(operation.in_path, path)
    return api.answer(operation, Request(OPEN, in_path, query, body))


def refused(api: Api, name: str, body: Any = None, path: str = "", **query: str) -> tuple[int, str, str]:
    """Return the status, the code and the message of an error."""
    with pytest.raises(ApiError) as raised:
        asked(api, name, body, path, **query)
    return raised.value.status, raised.value.code, str(raised.value)


def ask(
    address: Address, path: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[HTTPResponse, str]:
    """Ask once, on a connection of its own. In the names of headers ``_`` stands for ``-``."""
    connection = HTTPConnection(address.host, address.port, timeout=60)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer, answer.read().decode()
    finally:
        connection.close()


def error(text: str) -> tuple[str, str]:
    """Return the code and the message of an answer that is an error."""
    value = json.loads(text)["error"]
    return value["code"], value["message"]
