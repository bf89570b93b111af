"""Who recorded, when, from which client: it is in the file of the wire, and nowhere else."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness import Mitmdump, client_env, environment, openai_client
from loopback import Provider, Sleep
from samples import FIREWORKS_CHAT, MODEL
from talk import SECRET, Talk, ask, httpx_client, post, streamed
from wiretape import __version__
from wiretape.redaction import REDACTED
from wiretape.sessions import token_file
from wiretape.sessions.model import Role
from wiretape.sessions.tokens import Tokens


def made(recordings: Path) -> dict[str, Any]:
    """What the one file of the wire says of who made it."""
    (path,) = recordings.rglob("wire/*.json")
    found: dict[str, Any] = json.loads(path.read_bytes())["made"]
    return found


def test_an_sdks_name_the_time_and_the_version(provider: Provider, recordings: Path) -> None:
    Talk(provider)
    before = datetime.now(UTC)
    with Mitmdump(recordings, "record", origin=provider) as proxy:
        with openai_client(proxy) as client:
            ask(client, "hello")
        proxy.stop()
    found = made(recordings)
    assert {*found} == {"by", "at", "client", "wiretape", "took_ms", "query"}
    assert (found["by"], found["wiretape"], found["query"]) == ("", __version__, "")
    assert found["client"] == client.user_agent
    at = datetime.strptime(found["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert before - timedelta(seconds=1) <= at <= datetime.now(UTC)
    (recording,) = recordings.rglob("responses/*.json")
    assert {*json.loads(recording.read_bytes())} == {"request", "response"}
    assert client.user_agent not in recording.read_text()


def test_how_long_it_took_is_until_the_last_byte(provider: Provider, recordings: Path) -> None:
    provider.on(FIREWORKS_CHAT, streamed(MODEL, "one two").insert(2, Sleep(0.3)))
    with Mitmdump(recordings, "record", origin=provider) as proxy:
        with openai_client(proxy) as client:
            assert ask(client, "hello") == "one two"
        proxy.stop()
    (path,) = recordings.rglob("wire/*.json")
    content = json.loads(path.read_bytes())
    assert content["made"]["took_ms"] >= 300
    assert content["made"]["took_ms"] == content["chunks"][-1]["at"]


@pytest.mark.parametrize("http2", [False, True])
def test_no_header_gets_in_but_the_name_and_no_key_in_it(provider: Provider, recordings: Path, http2: bool) -> None:
    Talk(provider)
    key = "sk-" + "a1B2" * 10
    headers = {"cookie": "session=opensesame", "x-forwarded-for": "192.0.2.1", "x-api-key": "swordfish"}
    with Mitmdump(recordings, "record", origin=provider) as proxy:
        with httpx_client(proxy, http2=http2) as client:
            post(client, "hello", user_agent=f"app/1.0 ({key}) build/7", **headers)
        proxy.stop()
    assert made(recordings)["client"] == f"app/1.0 ({REDACTED}) build/7"
    (path,) = recordings.rglob("wire/*.json")
    written = path.read_text()
    for secret in (key, SECRET, *headers.values(), *headers):
        assert secret not in written


def test_a_client_without_a_name(provider: Provider, recordings: Path) -> None:
    Talk(provider)
    with Mitmdump(recordings, "record", origin=provider) as proxy:
        with environment(client_env(proxy)), httpx.Client() as client:
            del client.headers["user-agent"]
            post(client, "hello")
        proxy.stop()
    assert made(recordings)["client"] == ""


def test_whose_token_it_was(provider: Provider, recordings: Path, tmp_path: Path) -> None:
    Talk(provider)
    token, tokens = Tokens().create("checkout", Role.WRITE, "ann")
    file = tmp_path / "tokens.toml"
    token_file.write(file, tokens)
    with Mitmdump(recordings, "record", origin=provider, options={"wiretape_tokens": str(file)}) as proxy:
        with openai_client(proxy, credentials=f"checkout:{token.text}") as client:
            ask(client, "hello")
        proxy.stop()
    assert made(recordings)["by"] == "ann"
    assert not [path for path in recordings.rglob("*.json") if token.text in path.read_text()]
