"""A program whose requests vary replays by rules: its own, those of its preset, and by none where that is wanted."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from harness import Mitmdump
from loopback import Provider
from talk import Talk, httpx_client, post, said
from wiretape.metrics import prometheus
from wiretape.metrics.counters import Counters

CONFIG = r"""
[[match]]
name = "today"
reason = "The prompt begins with the date."
replace = [{ path = "$.messages[0].content", pattern = 'Today is (\S+)\.', name = "date" }]

[preset.house-bot]
clients = ["house-bot/*"]

[[preset.house-bot.match]]
name = "build"
replace = [{ pattern = 'build ([0-9]+)' }]
"""

RECORDED = "Today is 2026-11-27. Hello from build 1001"


@pytest.fixture(name="options", scope="module")
def _options(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    file = tmp_path_factory.mktemp("team") / "wiretape.toml"
    file.write_text(CONFIG)
    return {"wiretape_config": str(file), "wiretape_metrics": "0"}


@pytest.fixture(name="recorded", scope="module")
def _recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recordings = tmp_path_factory.mktemp("recorded") / "recordings"
    with Provider() as provider:
        Talk(provider)
        with Mitmdump(recordings, "record", origin=provider) as proxy:
            with httpx_client(proxy) as client:
                assert said(post(client, RECORDED)) == f"answer 1 to {RECORDED}"
            proxy.stop()
    return recordings


@pytest.fixture(name="replay", scope="module")
def _replay(recorded: Path, options: dict[str, str]) -> Iterator[Mitmdump]:
    with Mitmdump(recorded, "replay", options=options) as proxy:
        yield proxy
        proxy.assert_sound()
        assert proxy.connects() == []


def counters(proxy: Mitmdump) -> Counters:
    url = proxy.wait_for_log(r"counters at (http://127\.0\.0\.1:\d+/metrics)")[1]
    return prometheus.parse(httpx.get(url, trust_env=False).text)["default"]


def rules(answer: httpx.Response) -> str:
    """The rules that an answer says it needed."""
    told: str = answer.headers.get("x-wiretape-rules", "")
    return told


def test_a_date_that_varies_is_found_by_a_rule_and_it_is_told_which(replay: Mitmdump) -> None:
    with httpx_client(replay) as client:
        exact = post(client, RECORDED)
        assert (said(exact), rules(exact)) == (f"answer 1 to {RECORDED}", "")
        before = counters(replay)
        later = RECORDED.replace("11-27", "12-01")
        answer = post(client, later)
        assert (said(answer), rules(answer)) == (f"answer 1 to {later}", "today")
    replay.wait_for_log(r"hit .* by the rules today")
    counted = counters(replay)
    assert (counted.hits - before.hits, counted.hits_by_rules - before.hits_by_rules) == (1, 1)
    assert counted.rules["today"] - before.rules.get("today", 0) == 1


def test_another_question_is_another_request(replay: Mitmdump) -> None:
    with httpx_client(replay) as client:
        assert post(client, RECORDED.replace("Hello", "Goodbye")).status_code == 400
        assert post(client, RECORDED.replace("Today is 2026-11-27. ", "")).status_code == 400


def test_a_preset_holds_for_its_clients_and_for_no_other(replay: Mitmdump) -> None:
    text = RECORDED.replace("build 1001", "build 2002")
    with httpx_client(replay) as client:
        for other in ("", "curl/8", "not-house-bot/1", "House-Bot/1"):
            assert post(client, text, user_agent=other).status_code == 400, other
        answer = post(client, text, user_agent="house-bot/1 (ci)")
        assert (said(answer), rules(answer)) == (f"answer 1 to {text}", "house-bot/build")
        assert post(client, text, user_agent="curl/8").status_code == 400, "what the one got is not for the other"


@pytest.mark.parametrize(("match", "status"), [("exact", 400), ("house-bot", 200)])
def test_what_is_chosen_holds_for_every_client(
    recorded: Path, options: dict[str, str], match: str, status: int
) -> None:
    chosen = options | {"wiretape_match": match}
    with Mitmdump(recorded, "replay", options=chosen) as proxy, httpx_client(proxy) as client:
        assert post(client, RECORDED).status_code == 200
        assert post(client, RECORDED.replace("build 1001", "build 2002"), user_agent="curl/8").status_code == status
        assert post(client, RECORDED.replace("11-27", "12-01")).status_code == status
