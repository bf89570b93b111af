"""What became of each call, through a real mitmdump: each is told once, and nothing but calls."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from harness import Mitmdump, wait_until
from loopback import Answer, Provider, Received, Reset, Wait, error_answer
from talk import BASE, URL, Talk, body, httpx_client, question
from wiretape.call_log.call import Call, Outcome
from wiretape.call_log.reader import CallReader

CONFIG = """
[session.paced]
pace = "1tps"

[session.cut]
layers = ["a"]
"""

FAULTS = """
[[fault]]
session = "busy"
status = 529

[[fault]]
session = "cut"
cut = 2
"""

KEY = "sk-proj-" + "aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA" * 2


class Said(Talk):
    """A provider that fails, waits and breaks off where it is asked to."""

    def __init__(self, provider: Provider) -> None:
        super().__init__(provider)
        self.go_on = threading.Event()
        self.asked = threading.Event()
        """Whether it was asked what it waits with."""

    def answer(self, received: Received) -> Answer:
        if received.method != "POST":
            return error_answer(404, "none")
        asked = question(received.json())
        if asked == "fail":
            return error_answer(500, "failed")
        answer = super().answer(received)
        if asked in ("wait", "leave"):
            self.asked.set()
            return answer.insert(2, Wait(self.go_on))
        return answer.insert(2, Reset()) if asked == "break off" else answer


@dataclass
class Rig:
    """A proxy, what is behind it, and what its calls are to be told as."""

    proxy: Mitmdump
    provider: Said
    file: Path
    expected: list[tuple[str, str, str]]
    """Of each call: its outcome, what it asks or said, and a part of why."""

    def post(self, user: str, text: str, *, stream: bool = True, http2: bool = False, **more: str) -> httpx.Response:
        with httpx_client(self.proxy, user, http2=http2) as client:
            return client.post(URL, json=body(text, stream=stream), headers=more)

    def expect(self, outcome: Outcome, session: str, why: str = "") -> None:
        self.expected.append((outcome, session, why))

    def told(self) -> list[Call]:
        """All calls that are told so far."""
        return CallReader([self.file]).calls()

    def wait(self) -> None:
        """Wait until all is told that is expected."""
        wait_until(lambda: len(self.told()) >= len(self.expected))


@pytest.fixture(name="rig", params=["fast", "flows", "faults"])
def _rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """As it is; with flows for all that it does; with faults, where nothing is served from memory."""
    config = tmp_path / "wiretape.toml"
    config.write_text(CONFIG + FAULTS * (request.param == "faults"), "utf-8")
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    (recordings / "lost").write_text("no folder")
    options = {
        "wiretape_call_log": str(tmp_path / "calls.sqlite"),
        "wiretape_run": "run-7",
        "wiretape_config": str(config),
        "wiretape_max_request": "50kB",
        "wiretape_lane": "flows" if request.param == "flows" else "auto",
    }
    with Provider() as origin, Mitmdump(recordings, "record-if-missing", origin=origin, options=options) as proxy:
        yield Rig(proxy, Said(origin), tmp_path / "calls.sqlite", [])


def recorded(rig: Rig) -> None:
    """What a provider answers: recorded, passed, lost."""
    for session in ("a", "paced"):
        rig.post(f"{session}+record", "one")
        rig.expect(Outcome.RECORDED, session)
    rig.post("a+live", "one", stream=False)
    rig.expect(Outcome.PASSED, "a", "the mode is live")
    rig.post("a+record", "fail")
    rig.expect(Outcome.PASSED, "a", "status 500")
    with suppress(httpx.RemoteProtocolError):
        rig.post("a+record", "break off")
    rig.expect(Outcome.PASSED, "a", "broke off")
    rig.post("lost+record", "one")
    rig.expect(Outcome.LOST, "lost", "RECORDING LOST")
    with httpx_client(rig.proxy, "a+record") as client:
        client.request("PROPFIND", URL)
    rig.expect(Outcome.PASSED, "a", "a method that is not recorded")


def answered(rig: Rig) -> None:
    """What recordings answer: from the file, from memory, over HTTP/2."""
    for http2 in (False, False, True, True):
        assert rig.post("a+replay", "one", http2=http2).status_code == 200
        rig.expect(Outcome.HIT, "a")


def refused(rig: Rig) -> None:
    """What is not answered."""
    for http2 in (False, True):
        assert rig.post("a+replay", f"other {KEY}", http2=http2).status_code == 400
        rig.expect(Outcome.MISS, "a")
    with httpx_client(rig.proxy, "a+replay") as client:
        client.post(URL, content=b"{", headers={"content-type": "application/json"})
        rig.expect(Outcome.MISS, "a")
        client.request("PROPFIND", f"{BASE}/models")
        rig.expect(Outcome.MISS, "a")
        assert client.post("https://api.openai.com/v1/traces/ingest", json={}).status_code == 200
        rig.expect(Outcome.IGNORED, "a")
        upgrade = {"connection": "upgrade", "upgrade": "websocket", "user-agent": "codex/1"}
        answer = client.get("https://api.openai.com/v1/responses", headers=upgrade | {"sec-websocket-version": "13"})
        assert answer.status_code == 426
        rig.expect(Outcome.REFUSED, "a", "a WebSocket is not recorded")
    assert rig.post("a+replay", "x" * 60_000).status_code == 413
    rig.expect(Outcome.REFUSED, "a", "is larger than this proxy keeps")


def shared(rig: Rig) -> None:
    """What several ask for at once."""
    with ThreadPoolExecutor(2) as pool:
        leading = pool.submit(rig.post, "b", "wait")
        assert rig.provider.asked.wait(60)
        following = pool.submit(rig.post, "b", "wait")
        rig.proxy.wait_for_log("following an equal request")
        rig.provider.go_on.set()
        assert leading.result().content == following.result().content
    rig.expect(Outcome.RECORDED, "b")
    rig.expect(Outcome.FOLLOWED, "b")


def left(rig: Rig) -> None:
    """What clients do not wait for."""
    rig.provider.go_on.clear()
    for user, text, outcome in (
        ("a+record", "leave", Outcome.PASSED),
        ("a+live", "leave", Outcome.PASSED),
        ("paced+replay", "one", Outcome.HIT),
    ):
        with httpx_client(rig.proxy, user) as client, client.stream("POST", URL, json=body(text)) as answer:
            assert next(answer.iter_raw())
        rig.expect(outcome, user.partition("+")[0], "the client left")
        rig.wait()
    rig.provider.go_on.set()


def faulted(rig: Rig) -> None:
    """What goes wrong on purpose."""
    assert rig.post("busy+replay", "one").status_code == 529
    rig.expect(Outcome.FAULT, "busy", "fault: status 529")
    with suppress(httpx.RemoteProtocolError, httpx.ReadError):
        rig.post("cut+replay", "one")
    rig.expect(Outcome.HIT, "cut", "fault: cut after chunk 2")
    with suppress(httpx.RemoteProtocolError, httpx.ReadError):
        rig.post("cut+live", "one")
    rig.expect(Outcome.PASSED, "cut", "the mode is live fault: cut after chunk 2")


ALWAYS: tuple[Callable[[Rig], None], ...] = (recorded, answered, refused, shared, left)


def test_every_outcome_is_told_once(rig: Rig, request: pytest.FixtureRequest) -> None:
    for part in ALWAYS:
        part(rig)
        rig.wait()
    if "faults" in request.node.callspec.id:
        faulted(rig)
    rig.wait()
    rig.proxy.stop()
    told = rig.told()
    assert sorted((call.outcome, call.session) for call in told) == sorted(each[:2] for each in rig.expected)
    for outcome, session, why in rig.expected:
        whys = [" ".join(call.why) for call in told if (call.outcome, call.session) == (outcome, session)]
        assert any(why in each for each in whys), whys
    assert {call.run for call in told} == {"run-7"}
    assert {call.provider for call in told} == {"fireworks", "openai"}
    details(told)
    written = b"".join(each.read_bytes() for each in rig.file.parent.glob("calls.sqlite*"))
    assert KEY[:20].encode() not in written
    assert rig.proxy.log().count("Traceback") == 0


def details(told: list[Call]) -> None:
    """What is told of a call, by its outcome."""
    for call in told:
        assert call.total_ms is not None, call
        assert call.mode, call
        answers = call.outcome in (Outcome.HIT, Outcome.RECORDED, Outcome.FOLLOWED)
        assert bool(call.recording and call.recorded_in) is answers, call
        if call.outcome is not Outcome.REFUSED and "left" not in str(call.why):
            assert call.status, call
            assert call.first_byte_ms is not None, call
            assert 0 <= call.first_byte_ms <= call.total_ms, call
    hits = [call for call in told if call.outcome is Outcome.HIT and call.session == "a"]
    (first,) = {(call.recording, call.bytes, call.model, call.endpoint, call.request) for call in hits}
    assert first[0] == next(call.recording for call in told if call.outcome is Outcome.RECORDED)
    assert first[1]
    assert first[3:] == ("/v1/chat/completions", f"/v1/chat/completions {first[2]}")
    live = next(call for call in told if call.why == ("the mode is live",))
    assert (live.usage.input, live.usage.output, live.model) == (3, 2, first[2]), "read in the log's thread"
    miss = next(call for call in told if call.outcome is Outcome.MISS)
    assert miss.miss
    assert miss.miss.nearest == first[0]
    assert "The nearest recording is" in miss.miss.text


def test_a_run_has_its_log_in_the_state_folder(tmp_path: Path) -> None:
    with Mitmdump(tmp_path, "replay", options={"wiretape_call_log": "on"}) as proxy:
        with httpx_client(proxy) as client:
            client.post(URL, json=body("one"))
        proxy.stop()
        (file,) = (proxy._folder / "state" / "wiretape" / "calls").glob("*.sqlite")
        (call,) = CallReader([file]).calls()
    assert (call.outcome, json.dumps(call.run)[1:3]) == (Outcome.MISS, "20")
