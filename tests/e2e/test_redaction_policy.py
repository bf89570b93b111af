"""A team's own rules through a real proxy: what they take out is not recorded, and what was recorded replays."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from drawn import draw
from harness import Mitmdump, client_env, environment, start_expecting_failure, wait_until
from loopback import Provider, json_answer
from samples import FIREWORKS_CHAT, MODEL
from wiretape.redaction import REDACTED, pseudonyms

URL = f"https://api.fireworks.ai{FIREWORKS_CHAT}"
HOUSE_KEY = draw("{a8}/{a12}")

RULES = """
[[redact]]
name = "customer"
path = "metadata.customer_id"
replace = "customer-{n}"

[[redact]]
name = "name"
pattern = "(?:Jane|Joe) [A-Z][a-z]+"
replace = "person-{n}"
"""


def body(customer: str, name: str, key: str = HOUSE_KEY) -> dict[str, Any]:
    said = f"{name} has {key}, what now?"
    return {"model": MODEL, "metadata": {"customer_id": customer}, "messages": [{"role": "user", "content": said}]}


def completion(text: str) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return {"id": "x", "object": "chat.completion", "created": 1, "model": MODEL, "choices": [choice]}


def ask(proxy: Mitmdump, *asked: dict[str, Any]) -> list[httpx.Response]:
    with environment(client_env(proxy)), httpx.Client() as client:
        return [client.post(URL, json=each) for each in asked]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "wiretape.toml"


def test_pseudonyms_and_the_environments_secrets_in_request_and_answer(
    provider: Provider, recordings: Path, config: Path
) -> None:
    config.write_text(RULES)
    provider.on(FIREWORKS_CHAT, json_answer(completion(f"Jane Doe and Joe Bloggs have {HOUSE_KEY}.")))
    options = {"wiretape_config": str(config)}
    env = {pseudonyms.VARIABLE: draw("{a32}"), "HOUSE_DEPLOY_TOKEN": HOUSE_KEY}
    asked = [body("C-1", "Jane Doe"), body("C-2", "Jane Doe"), body("C-1", "Joe Bloggs")]
    with Mitmdump(recordings, "record", origin=provider, options=options, env=env) as proxy:
        ask(proxy, *asked)
        wait_until(lambda: len([*recordings.rglob("responses/*.json")]) == 3)
        assert proxy.stop() == 0
        written = proxy.log() + "".join(path.read_text() for path in recordings.rglob("*.json"))
    for secret in ("C-1", "C-2", "Jane", "Joe", HOUSE_KEY, env[pseudonyms.VARIABLE]):
        assert secret not in written
    made = [json.loads(path.read_text()) for path in recordings.rglob("responses/*.json")]
    customers = {each["request"]["body"]["metadata"]["customer_id"] for each in made}
    people = {each["request"]["body"]["messages"][0]["content"].partition(" has ")[0] for each in made}
    assert len(customers) == len(people) == 2
    for each in made:
        told = each["response"]["body"]["__data__"]["choices"][0]["message"]["content"]
        assert {*told.removesuffix(f" have {REDACTED}.").split(" and ")} == people

    # Another worker with the same key, and another secret in its environment's place.
    env["HOUSE_DEPLOY_TOKEN"] = other = draw("{a8}+{a12}")
    with Mitmdump(recordings, "replay", options=options, env=env) as proxy:
        answers = ask(proxy, body("C-1", "Jane Doe", other), body("C-2", "Jane Doe", other), body("C-3", "Jane Doe"))
        assert [answer.status_code == 200 for answer in answers] == [True, True, False]
        assert proxy.connects() == []


def test_what_is_refused_passes_and_is_told_and_not_recorded(
    provider: Provider, recordings: Path, config: Path
) -> None:
    config.write_text('[redaction]\non_secret = "refuse"\n')
    key = draw("sk-{a48}")
    provider.on(FIREWORKS_CHAT, json_answer(completion(f"It is {key}.")), json_answer(completion("Fine.")))
    with Mitmdump(recordings, origin=provider, options={"wiretape_config": str(config)}) as proxy:
        answers = ask(proxy, body("C", "I", "none"), body("C", "I", key), body("C", "You", "none"))
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert key in answers[0].text
        wait_until(lambda: [*recordings.rglob("responses/*.json")])
        assert proxy.stop() == 0
        log = proxy.log()
    assert len([*recordings.rglob("responses/*.json")]) == 1
    assert "a secret is in it, at request.body.messages[0].content" in log
    assert "a secret is in it, at response" in log
    assert key not in log


def test_what_is_kept_is_said_at_the_start_and_recorded(provider: Provider, recordings: Path, config: Path) -> None:
    config.write_text('[redaction]\non_secret = "keep"\n')
    key = draw("sk-{a48}")
    provider.on(FIREWORKS_CHAT, json_answer(completion("Fine.")))
    with Mitmdump(recordings, origin=provider, options={"wiretape_config": str(config)}) as proxy:
        proxy.wait_for_log('on_secret is "keep"')
        ask(proxy, body("C", "I", key))
        wait_until(lambda: [*recordings.rglob("responses/*.json")])
        assert proxy.stop() == 0
        assert key not in proxy.log()
    (file,) = recordings.rglob("responses/*.json")
    assert key in file.read_text()


def test_a_rule_that_cannot_be_used_ends_the_start(config: Path) -> None:
    config.write_text("[[redact]]\nname = 'a'\npattern = '(?=x)'\n")
    code, output = start_expecting_failure(["--set", f"wiretape_config={config}"])
    assert code != 0
    assert "[[redact]] 1 (a): pattern: '(?=x)' is no pattern of RE2" in output
