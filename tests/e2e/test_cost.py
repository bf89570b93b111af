"""What calls cost, through a real proxy: spent, saved, and refused once a session has spent its budget."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openai
import pytest

from harness import Mitmdump, client_env, environment, openai_client
from loopback import Answer, Provider, json_answer, sse
from wiretape.call_log import places
from wiretape.pricing.spending import Spending

OPENAI = "https://api.openai.com/v1"
CHATS = "/v1/chat/completions"
USAGE = {"prompt_tokens": 800, "completion_tokens": 400, "total_tokens": 1200}
CHAT = {
    **{"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-x", "usage": USAGE},
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi"}}],
}
HEAD = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-x"}
CHUNKS = [
    {**HEAD, "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]},
    {**HEAD, "choices": [], "usage": USAGE},
]
CONFIG = """
[session.nightly]
budget = "0.002 USD"

[[price]]
model = "gpt-*"
input = 1
output = 1
"""
"""A chat costs 0.0012 dollars."""


class Team:
    """Proxies on the same recordings, on one machine, whose sessions have budgets."""

    def __init__(self, folder: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
        self.recordings = folder / "recordings"
        self._provider = provider
        self._state = folder / "state"
        self._config = folder / "team.toml"
        self._config.write_text(CONFIG)
        monkeypatch.setenv("XDG_STATE_HOME", str(self._state))

    def proxy(self, mode: str, **options: str) -> Mitmdump:
        options = {"wiretape_config": str(self._config), **options}
        env = {"XDG_STATE_HOME": str(self._state)}
        return Mitmdump(self.recordings, mode, origin=self._provider, session="nightly", options=options, env=env)

    @property
    def spending(self) -> Spending:
        return Spending(places.spent_file(str(self.recordings)))


@pytest.fixture
def team(tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Team:
    provider.on(CHATS, lambda asked: Answer(steps=[*sse(CHUNKS)]) if asked.json().get("stream") else json_answer(CHAT))
    return Team(tmp_path, provider, monkeypatch)


def ask(proxy: Mitmdump, text: str, **more: Any) -> Any:
    with openai_client(proxy, OPENAI, max_retries=2) as client:
        answer = client.chat.completions.create(model="gpt-x", messages=[{"role": "user", "content": text}], **more)
        return list(answer) if more.get("stream") else answer


def refusal(proxy: Mitmdump, text: str) -> Mapping[str, Any]:
    """The error that a call raises which would be paid for: the SDK of OpenAI has read it, and asked once."""
    with pytest.raises(openai.APIStatusError) as raised:
        ask(proxy, text)
    assert raised.value.status_code == 402
    error = raised.value.body
    assert isinstance(error, dict)
    return error


def message_refusal(proxy: Mitmdump) -> str:
    """The same of Anthropic's SDK: its text."""
    import anthropic

    with (
        environment(client_env(proxy)),
        anthropic.Anthropic(api_key="x", max_retries=2) as client,
        pytest.raises(anthropic.APIStatusError) as raised,
    ):
        client.messages.create(model="claude", max_tokens=1, messages=[{"role": "user", "content": "Hi"}])
    assert raised.value.status_code == 402
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["type"] == "error"
    assert raised.value.body["error"]["type"] == "budget_reached"
    return str(raised.value.body["error"]["message"])


def test_the_next_call_is_refused_once_the_budget_is_spent_and_hits_go_on(team: Team, provider: Provider) -> None:
    with team.proxy("record-if-missing") as proxy:
        ask(proxy, "One")
        # The next one comes as soon as the last chunk of this one has.
        ask(proxy, "Two", stream=True, stream_options={"include_usage": True})
        error = refusal(proxy, "Three")
        assert error["code"] == "budget_reached"
        for said in ("session nightly", "0.0024 USD of 0.002 USD", "wiretape budget --reset nightly"):
            assert said in error["message"]
        assert error["message"] in message_refusal(proxy)
        assert ask(proxy, "One").usage.total_tokens == 1200
        assert len(provider.requests) == 2
        # Another worker, or a proxy that starts later, knows it too; and that it begins anew.
        with team.proxy("record") as other:
            refusal(other, "Three")
            team.spending.reset("nightly")
            ask(other, "Three")
        ask(proxy, "Four", stream=True, stream_options={"include_usage": True})
        refusal(proxy, "Five")
        assert proxy.stop() == 0
        assert "1 hit" in proxy.log()
        assert "spent 0.0036 USD, saved 0.0012 USD" in proxy.log()
        proxy.assert_sound()
    assert len(provider.requests) == 4


def test_live_calls_are_paid_for_too(team: Team, provider: Provider) -> None:
    with team.proxy("live") as proxy:
        ask(proxy, "One")
        ask(proxy, "One", stream=True)
        assert refusal(proxy, "One")["code"] == "budget_reached"
        proxy.assert_sound()
    assert len(provider.requests) == 2
    assert not team.recordings.exists()


def test_what_was_spent_cannot_be_told_so_nothing_is_sent(team: Team, provider: Provider) -> None:
    with team.proxy("record") as proxy:
        team.spending.file.write_bytes(b"no database" * 100)
        with openai_client(proxy, OPENAI, max_retries=0) as client, pytest.raises(openai.InternalServerError) as raised:
            client.chat.completions.create(model="gpt-x", messages=[])
        assert raised.value.status_code == 503
        assert "what this session has spent cannot be looked up now" in raised.value.message
    assert provider.requests == []
