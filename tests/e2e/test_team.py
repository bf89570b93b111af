"""A team at work: three proxies on one bucket, six sessions in as many modes, forty clients of real SDKs.

For six seconds the bucket is away, and in the middle of them, at a third of the time, a proxy is killed: so it leaves
recordings behind that wait. What must hold:

- No client sees an error that live traffic would not have seen. A client whose proxy is dead sees what that is, an
  error of the connection, and goes to another proxy, as it would by its own retry. While the bucket is away, a replay
  of what its proxy has not looked up before is told to come again (503, ``recordings_unavailable``): never that there
  is no recording; and nothing of the kind where the proxy has looked it up, or where it records or passes on.
- No recording is lost: what a client of a recording session got whole is in the bucket, at the latest when the killed
  proxy was started again with its folder. But for the last seconds before the kill: a proxy never waits for a store.
- None is torn, and each is in its own session.
- A session that replays made no connection to a provider: each has a provider's host of its own.
"""

import asyncio
import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
import httpx2
import openai
import pytest

from harness import Mitmdump, client_env, environment, wait_until
from loopback import Answer, Provider, Received, Sleep, json_answer
from s3 import BUCKET, S3Server
from talk import Talk, ask, ask_async, question
from wiretape.library import verify
from wiretape.sessions import token_file
from wiretape.sessions.model import Role
from wiretape.sessions.tokens import Tokens
from wiretape.store import freezing
from wiretape.store.base import WIRE, Store
from wiretape.store.freezing import Frozen
from wiretape.store.opening import StoreUrl

SECONDS = 22.0
AWAY = (6.0, 12.0)
KILLED = 9.0
CLIENTS = 40
PACE = 1.5
"""Seconds between two calls of a client."""
UNWRITTEN = 4.0
"""Seconds before the kill in which an answer may have come whole of which no recording was written yet: a question to a
bucket that does not answer takes two, and then the recording goes into the spool."""

CONFIG = """
[session.passing]
modes = ["live"]

[session.recording]
modes = ["record"]
takes = "sequence"

[session.missing]
modes = ["record-if-missing"]

[session.replaying]
modes = ["replay"]

[session.layered]
layers = ["replaying"]
modes = ["record-if-missing"]

# It is frozen in the bucket; it would record what is missing.
[session.frozen]
"""
RECORDED = 12
"""Questions that are recorded beforehand, of each session that replays."""
ROLES = {"replaying": Role.READ, "frozen": Role.WRITE}
BASES = {
    "replaying": "https://api.cerebras.ai/v1",
    "frozen": "https://api.groq.com/openai/v1",
}
FIREWORKS = "https://api.fireworks.ai/inference/v1"
BELOW = "replaying or layered"
"""What a layered session asks of the one below: it is there, but where neither can be looked up it is asked anew."""
SESSIONS = ["passing", "recording", "missing", "replaying", "layered", "frozen"]


# -- clients -----------------------------------------------------------------------------------------------------------


class Client(Protocol):
    """An SDK's client that goes through one proxy."""

    def ask(self, text: str) -> str:
        """The answer to a question, whole."""

    def close(self) -> None:
        """Close its connections."""


class Sync:
    """``openai``, streamed."""

    def __init__(self, base: str, loop: asyncio.AbstractEventLoop) -> None:
        self._client = openai.OpenAI(base_url=base, api_key="sk-test-secret", timeout=60)
        self.close = self._client.close

    def ask(self, text: str) -> str:
        return ask(self._client, text)


class Async:
    """``openai`` for asyncio, streamed; all of them in one loop."""

    def __init__(self, base: str, loop: asyncio.AbstractEventLoop) -> None:
        self._client = openai.AsyncOpenAI(base_url=base, api_key="sk-test-secret", timeout=60)
        self._loop = loop

    def ask(self, text: str) -> str:
        return asyncio.run_coroutine_threadsafe(ask_async(self._client, text), self._loop).result()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._client.close(), self._loop).result()


class Other:
    """``anthropic``, in one piece."""

    def __init__(self, base: str, loop: asyncio.AbstractEventLoop) -> None:
        import anthropic

        self._client = anthropic.Anthropic(api_key="sk-ant-test-secret", timeout=60)
        self.close = self._client.close

    def ask(self, text: str) -> str:
        made = self._client.messages.create(
            model="claude-of-a-test", max_tokens=9, messages=[{"role": "user", "content": text}]
        )
        (part,) = made.content
        assert part.type == "text"
        return part.text


Kind = Callable[[str, asyncio.AbstractEventLoop], Client]


@dataclass
class Got:
    """An answer that a client got whole."""

    session: str
    text: str
    answer: str
    proxy: int
    at: float


def dead_errors() -> tuple[type[Exception], ...]:
    """What a client raises whose proxy is dead."""
    # Imported before the time counts, and not by each worker of pytest: it takes a second of processor time.
    import anthropic

    return openai.APIConnectionError, anthropic.APIConnectionError, httpx.TransportError, httpx2.TransportError


@dataclass
class Team:
    """The proxies, and what was seen of them."""

    proxies: list[Mitmdump]
    tokens: Mapping[str, str]
    began: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)
    killed: int | None = None
    got: list[Got] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    told_to_come_again: int = 0
    moved: int = 0
    dead: tuple[type[Exception], ...] = field(default_factory=dead_errors)
    _making: threading.Lock = field(default_factory=threading.Lock)

    @property
    def now(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.began

    def client(self, kind: Kind, session: str, proxy: int, loop: asyncio.AbstractEventLoop) -> Client:
        """A client that finds its proxy in its environment, which is the process's."""
        credentials = f"{session}:{self.tokens[session]}"
        with self._making, environment(client_env(self.proxies[proxy], credentials)):
            return kind(BASES.get(session, FIREWORKS), loop)

    def work(self, number: int, session: str, kind: Kind, loop: asyncio.AbstractEventLoop) -> None:
        """What one client does until it is over: ask, wait, ask; at another proxy where its own is dead."""
        proxy = number // len(SESSIONS) % len(self.proxies)
        chosen = random.Random(number)
        client = self.client(kind, session, proxy, loop)
        try:
            self.over.wait(chosen.uniform(0, PACE))
            for text in questions(session, kind, number, chosen):
                while not self._asked(client, session, text, proxy):
                    client.close()
                    self.moved += 1
                    proxy = (proxy + 1) % len(self.proxies)
                    client = self.client(kind, session, proxy, loop)
                if self.over.wait(chosen.uniform(0.5, 1.5) * PACE):
                    return
        finally:
            client.close()

    def _asked(self, client: Client, session: str, text: str, proxy: int) -> bool:
        """Ask until there is an answer; False where the proxy is dead."""
        import anthropic

        while not self.over.is_set():
            begun = self.now
            try:
                answer = client.ask(text)
            except self.dead as e:
                if self.killed != proxy:
                    self.errors.append(f"{begun:.1f}: {session} at {proxy}: {text}: {e!r}")
                return False
            except openai.InternalServerError as e:
                looked_up = any((each.proxy, each.text) == (proxy, text) for each in [*self.got])
                if e.code != "recordings_unavailable" or looked_up or self.now < AWAY[0]:
                    self.errors.append(f"{begun:.1f}: {session} at {proxy}: {text}: {e!r}")
                    return True
                self.told_to_come_again += 1
                self.over.wait(PACE)
            except (openai.APIError, anthropic.APIError) as e:
                self.errors.append(f"{begun:.1f}: {session} at {proxy}: {text}: {e!r}")
                return True
            else:
                self.got.append(Got(session, text, answer, proxy, self.now))
                return True
        return True


def questions(session: str, kind: Kind, number: int, chosen: random.Random) -> Iterator[str]:
    """What a client asks, without an end: some of it is asked by others too, some again by itself."""
    for count in itertools.count():
        match session:
            case "replaying" | "frozen":
                yield f"{session}: question {chosen.randrange(RECORDED)}"
            case "layered" if chosen.random() < 0.5:
                yield f"{BELOW}: question {chosen.randrange(RECORDED)}"
            case "recording" if chosen.random() < 0.5:
                yield f"{session}: question {chosen.randrange(4)}"
            case "passing":
                yield f"{session}: question {count}"
            case _:
                yield f"{session}: question {chosen.choice([f'of all {count // 4}', f'of {number}, {count // 2}'])}"


# -- the place ---------------------------------------------------------------------------------------------------------


class Site:
    """A bucket of its own, which can be away; proxies on it, and a look into it."""

    def __init__(self, server: S3Server, provider: Provider, folder: Path) -> None:
        self.server, self._provider, self._folder = server, provider, folder
        self.url = f"s3://{BUCKET}/team"
        self.config, self.file = folder / "wiretape.toml", folder / "tokens.toml"
        self.config.write_text(CONFIG)
        tokens, self.tokens = Tokens(), {}
        for session in SESSIONS:
            token, tokens = tokens.create(session, ROLES.get(session, Role.WRITE), session)
            self.tokens[session] = token.text
        token_file.write(self.file, tokens)

    def proxy(self, name: str, **options: str) -> Mitmdump:
        """A proxy with a folder of its own."""
        chosen = {"wiretape_local": str(self._folder / name), **options}
        return Mitmdump(self.url, origin=self._provider, options=chosen, env=self.server.env)

    def member(self, number: int) -> Mitmdump:
        """One of the team's."""
        options = {"wiretape_tokens": str(self.file), "wiretape_config": str(self.config)}
        return self.proxy(f"proxy-{number}", **options)

    def waiting(self) -> list[str]:
        """What waits in the folders of the proxies."""
        return [str(path) for path in self._folder.glob("proxy-*/spool/*/*.entry")]

    @contextmanager
    def store(self) -> Iterator[Store]:
        """What is in the bucket."""
        with pytest.MonkeyPatch.context() as patch:
            for key, value in self.server.env.items():
                patch.setenv(key, value)
            store = StoreUrl(self.url, str(self._folder / "looking"), timeout=10).open()
            try:
                yield store
            finally:
                store.close()

    def prepare(self) -> dict[str, str]:
        """Record what is replayed later, and freeze what is frozen: the answers, by question."""
        answers: dict[str, str] = {}
        with self.proxy("preparing") as proxy:
            # The same request of another host is another request: those that are layered ask their own.
            for session, about in (("replaying", "replaying"), ("replaying", BELOW), ("frozen", "frozen")):
                with environment(client_env(proxy, f"{session}+record")):
                    client = openai.OpenAI(base_url=BASES.get(about, FIREWORKS), api_key="sk-test-secret")
                with client:
                    for number in range(RECORDED):
                        text = f"{about}: question {number}"
                        answers[text] = ask(client, text)
            assert proxy.stop() == 0
        with self.store() as store:
            assert freezing.freeze(store, "frozen", Frozen("ann", "2026-01-31T12:00:00Z"))
        return answers


def answered(talk: Talk, received: Received) -> Answer:
    """Slowly enough that a kill meets some in the middle."""
    if not received.path.startswith("/v1/messages"):
        return talk.answer(received).insert(2, Sleep(0.1))
    asked = received.json()
    said = json.loads(talk.answer(received).body)["choices"][0]["message"]["content"]
    made = {"id": "msg_1", "type": "message", "role": "assistant", "model": asked["model"], "stop_sequence": None}
    usage = {"input_tokens": 3, "output_tokens": 2}
    content = [{"type": "text", "text": said}]
    return json_answer({**made, "content": content, "stop_reason": "end_turn", "usage": usage})


@contextmanager
def running() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.mark.timeout(240)
def test_a_team_at_work(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(S3Server("moto"))
        provider = stack.enter_context(Provider())
        talk = Talk(provider)
        place = Site(server, provider, tmp_path)
        recorded = place.prepare()
        asked_before = len(provider.requests)
        for path in ("/inference/v1/chat/completions", "/v1/chat/completions", "/v1/messages"):
            provider.on(path, lambda received: answered(talk, received))
        proxies = [stack.enter_context(place.member(number)) for number in range(3)]
        team = Team(proxies, place.tokens)
        work(team, place)
        with place.member(0) as again:
            wait_until(lambda: not place.waiting(), 30)
            assert again.stop() == 0
        for proxy in proxies[1:]:
            assert proxy.stop() == 0
        check_clients(team, recorded)
        check_logs(proxies[1:])
        assert not [host for proxy in proxies for host in proxy.connects() if "cerebras" in host or "groq" in host]
        asked = Counter(text.partition(":")[0] for text in talk.questions[asked_before:])
        assert {*asked} - {BELOW} == {"passing", "recording", "missing", "layered"}
        with place.store() as store:
            check_bucket(store, team, recorded)


def work(team: Team, place: Site) -> None:
    """Have all of them ask, while the bucket goes away and a proxy is killed."""
    kinds: Sequence[Kind] = [Sync, Sync, Async, Sync, Async]
    with running() as loop, ThreadPoolExecutor(CLIENTS) as pool:
        team.began = time.monotonic()
        working = []
        for number in range(CLIENTS):
            session = SESSIONS[number % len(SESSIONS)]
            kind: Kind = kinds[number // len(SESSIONS) % len(kinds)]
            if session in ("passing", "missing", "recording") and number >= CLIENTS - 10:
                kind = Other
            working.append(pool.submit(team.work, number, session, kind, loop))
        try:
            events = [(AWAY[0], place.server.stop), (KILLED, lambda: kill(team, 0)), (AWAY[1], place.server.go_on)]
            for moment, happen in [*events, (SECONDS, team.over.set)]:
                team.over.wait(moment - team.now)
                happen()
        finally:
            team.over.set()
            with suppress(ProcessLookupError):
                place.server.go_on()
        for each in working:
            each.result()


def kill(team: Team, proxy: int) -> None:
    team.killed = proxy
    team.proxies[proxy].process.kill()


def check_clients(team: Team, recorded: Mapping[str, str]) -> None:
    assert team.errors == []
    by_session = Counter(each.session for each in team.got)
    assert all(by_session[session] >= CLIENTS for session in SESSIONS), by_session
    assert team.moved >= CLIENTS // 4  # A third of them had to.
    # The bucket that was away is found again.
    assert {each.session for each in team.got if each.at > AWAY[1]} == {*SESSIONS}
    for each in team.got:
        assert each.answer.endswith(f" to {each.text}")
        if each.text in recorded and (each.session != "layered" or each.at < AWAY[0]):
            assert each.answer == recorded[each.text]


def check_logs(proxies: Sequence[Mitmdump]) -> None:
    logs = [proxy.log() for proxy in proxies]
    for log in logs:
        for trouble in ("LOST", "NOT recorded", "wiretape failed"):
            assert trouble not in log
        assert "hits" in log
    assert any("went up from" in log for log in logs)


def check_bucket(store: Store, team: Team, recorded: Mapping[str, str]) -> None:
    held: dict[str, list[tuple[str, str]]] = {}
    for session in store.sessions():
        for name in store.scan(session):
            data = store.read(session, name)
            assert data
            assert verify.verify(name, data).faults == (), (session, name)
            if capture := store.read(session, name, WIRE):
                assert verify.verify_capture(capture) == (), (session, name)
            held.setdefault(session, []).append(content(json.loads(data)))
    assert {*held} == {"recording", "missing", "replaying", "layered", "frozen"}
    for session, pairs in held.items():
        for text, answer in pairs:
            assert session in text.partition(":")[0].split(" or ")
            assert answer.endswith(f" to {text}")
    # Each request recorded once, where takes are none.
    for session in ("missing", "layered", "frozen"):
        assert max(Counter(held[session]).values()) == 1, session
    assert len(held["frozen"]) == RECORDED
    assert len(held["replaying"]) == 2 * RECORDED
    lost = []
    for each in team.got:
        if team.killed == each.proxy and each.at > KILLED - UNWRITTEN:
            continue
        if each.session == "recording" and (each.text, each.answer) not in held["recording"]:
            lost.append(each)
        # Of proxies that asked at once one has won, and the others have adopted its answer.
        is_own = each.session in ("missing", "layered") and each.text not in recorded
        if is_own and each.text not in {text for text, _ in held[each.session]}:
            lost.append(each)
    assert lost == []


def content(recording: Any) -> tuple[str, str]:
    """Question and answer of a recording."""
    asked = recording["request"]
    text = question(asked["body"] if "body" in asked else asked["payload"])
    body = recording["response"]["body"]
    if isinstance(body, list):
        deltas = [element["__data__"]["choices"][0]["delta"] for element in body]
        return text, "".join(delta.get("content") or "" for delta in deltas)
    if "__data__" in body:
        return text, body["__data__"]["choices"][0]["message"]["content"]
    return text, body["content"][0]["text"]
