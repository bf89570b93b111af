"""When hits are no lane's: a mitmproxy that wiretape's layers do not know, and who looks at flows."""

import re
import warnings
from pathlib import Path
from typing import Any

import openai
import pytest
from mitmproxy import http

from harness import ADDON, Mitmdump, openai_client, wait_until
from loopback import Provider, from_recording
from places import SHIPPED
from samples import CHAT, FIREWORKS_CHAT, MODEL, SAMPLES, call, chunks_of, dumped, load

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from mitmproxy.io import FlowReader

ANOTHER = """
from mitmproxy.proxy.layers import http

theirs = http.HttpStream.send_response

def send_response(self, already_streamed=False, another=None):
    return (yield from theirs(self, already_streamed))

http.HttpStream.send_response = send_response
"""
"""A script that makes of this mitmproxy one whose streams answer in another way."""


@pytest.fixture(name="another")
def _another(tmp_path: Path) -> dict[str, Any]:
    """What a mitmdump is told that is another one before wiretape is loaded."""
    script = tmp_path / "another_mitmproxy.py"
    script.write_text(ANOTHER)
    return {"addon": None, "args": ["-s", str(script), "-s", str(ADDON)]}


def ask(client: openai.OpenAI, text: str = "Hello, world!") -> list[object]:
    stream = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": text}], stream=True)
    return [dumped(chunk) for chunk in stream]


def hits(proxy: Mitmdump) -> int:
    return len(re.findall(rf"hit {CHAT.stem}: /v1/chat/completions {MODEL}", proxy.log()))


def flows(proxy: Mitmdump) -> int:
    """Answers that mitmproxy's own log tells of."""
    return len(re.findall(r"^ *<< ", proxy.log(), re.MULTILINE))


def kept(file: Path) -> list[http.HTTPFlow]:
    """The flows in a file of mitmproxy's."""
    with file.open("rb") as stream:
        return [each for each in FlowReader(stream).stream() if isinstance(each, http.HTTPFlow)]


# -- a mitmproxy that is not known -------------------------------------------------------------------------------------


def test_on_a_mitmproxy_that_is_not_known_that_is_said_and_hits_are_served(another: dict[str, Any]) -> None:
    with Mitmdump(SHIPPED, "replay", **another) as proxy:
        said = proxy.wait_for_log(r"wiretape: mitmproxy (\S+) is not one that wiretape knows \((.*?)\)")
        assert said[2] == "HttpStream.send_response is another one"
        for _ in range(2):
            with openai_client(proxy) as client:
                assert ask(client) == chunks_of(load(CHAT))
        with openai_client(proxy) as client, pytest.raises(openai.BadRequestError, match="nearest recording"):
            ask(client, "never heard")
        assert proxy.stop() == 0
        assert hits(proxy) == 2
        assert flows(proxy) == 3
        proxy.wait_for_log(r"wiretape: 2 hits \([1-9]\d* tokens served from recordings\), 1 miss")
        assert proxy.connects() == []
        assert "Traceback" not in proxy.log()


def test_on_a_mitmproxy_that_is_not_known_the_fast_lane_is_none(another: dict[str, Any]) -> None:
    with Mitmdump(SHIPPED, "replay", options={"wiretape_lane": "fast"}, **another) as proxy:
        with openai_client(proxy) as client:
            assert ask(client) == chunks_of(load(CHAT))
        proxy.stop()
        assert (hits(proxy), flows(proxy)) == (1, 1)


def test_on_a_mitmproxy_that_is_not_known_answers_are_recorded_and_then_served(
    another: dict[str, Any], provider: Provider, recordings: Path
) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT))
    file = recordings / "default" / "responses" / CHAT.name
    with Mitmdump(recordings, "record-if-missing", origin=provider, **another) as proxy:
        with openai_client(proxy) as client:
            assert ask(client) == chunks_of(load(CHAT))
            wait_until(file.exists)
            assert ask(client) == chunks_of(load(CHAT))
        assert proxy.stop() == 0
        assert hits(proxy) == 1
        assert "wiretape knows" in proxy.log()
        proxy.wait_for_log(r"wiretape: 1 hit .*, 1 miss, 1 recorded, 1 request sent to providers$")
    assert len(provider.requests) == 1
    assert file.read_bytes() == CHAT.read_bytes()


def test_on_this_mitmproxy_nothing_of_that_is_said() -> None:
    with Mitmdump(SHIPPED, "replay") as proxy:
        proxy.wait_for_log("wiretape: mode replay")
        proxy.stop()
        assert "wiretape knows" not in proxy.log()


# -- who looks at flows ------------------------------------------------------------------------------------------------


def test_with_a_file_for_flows_a_hit_is_a_flow_in_it(tmp_path: Path) -> None:
    file = tmp_path / "flows"
    with Mitmdump(SHIPPED, "replay", args=["-w", str(file)]) as proxy:
        with openai_client(proxy) as client:
            assert ask(client) == chunks_of(load(CHAT))
            assert ask(client) == chunks_of(load(CHAT))
        assert proxy.stop() == 0
        assert (hits(proxy), flows(proxy)) == (2, 2)
        proxy.wait_for_log("wiretape: 2 hits ")
        assert "Addon error" not in proxy.log()
    assert len(kept(file)) == 2
    for flow in kept(file):
        assert (flow.request.pretty_host, flow.request.path) == ("api.fireworks.ai", FIREWORKS_CHAT)
        assert flow.response
        assert flow.response.status_code == 200
        assert (flow.response.text or "").endswith("data: [DONE]\n\n")


def test_with_a_file_for_flows_misses_are_in_it_too(tmp_path: Path) -> None:
    file = tmp_path / "flows"
    with Mitmdump(SHIPPED, "replay", args=["-w", str(file)]) as proxy:
        with openai_client(proxy) as client, pytest.raises(openai.BadRequestError):
            ask(client, "never heard")
        assert proxy.stop() == 0
        assert "Addon error" not in proxy.log()
    (flow,) = kept(file)
    assert flow.response
    assert flow.response.status_code == 400


@pytest.mark.parametrize("mode", ["record", "record-if-missing", "live"])
def test_with_a_file_for_flows_live_answers_are_in_it_too(
    mode: str, provider: Provider, recordings: Path, tmp_path: Path
) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT))
    file = tmp_path / "flows"
    with Mitmdump(recordings, mode, origin=provider, args=["-w", str(file)]) as proxy:
        with openai_client(proxy) as client:
            assert ask(client) == chunks_of(load(CHAT))
        assert proxy.stop() == 0
        assert "Addon error" not in proxy.log()
    (flow,) = kept(file)
    assert flow.response
    assert flow.response.status_code == 200


def test_with_a_file_for_flows_the_fast_lane_can_still_be_had(tmp_path: Path) -> None:
    file = tmp_path / "flows"
    options = {"wiretape_lane": "fast"}
    with Mitmdump(SHIPPED, "replay", args=["-w", str(file)], options=options) as proxy:
        with openai_client(proxy) as client:
            assert ask(client) == chunks_of(load(CHAT))
        assert proxy.stop() == 0
        assert (hits(proxy), flows(proxy)) == (1, 0)
    assert not file.exists() or file.read_bytes() == b""


def test_where_nobody_looks_a_hit_is_no_flow_but_counted_and_in_the_log() -> None:
    with Mitmdump(SHIPPED, "replay") as proxy:
        with openai_client(proxy) as client:
            assert ask(client) == chunks_of(load(CHAT))
            assert ask(client) == chunks_of(load(CHAT))
        completion = load(SAMPLES["fireworks completions"])
        with openai_client(proxy) as client:
            assert [dumped(chunk) for chunk in call(client, completion)] == chunks_of(completion)
        assert proxy.stop() == 0
        assert (hits(proxy), flows(proxy)) == (2, 0)
        assert f"hit {SAMPLES['fireworks completions'].stem}: /v1/completions " in proxy.log()
        proxy.wait_for_log(r"wiretape: 3 hits \([1-9]\d* tokens served from recordings\), 0 misses")


def test_a_miss_is_a_flow_wherever_hits_are_not() -> None:
    with Mitmdump(SHIPPED, "replay") as proxy:
        with openai_client(proxy) as client:
            ask(client)
            with pytest.raises(openai.BadRequestError):
                ask(client, "never heard")
        proxy.stop()
        assert (hits(proxy), flows(proxy)) == (1, 1)
        proxy.wait_for_log("wiretape: 1 hit .*, 1 miss")


def test_a_script_that_looks_at_answers_sees_hits(tmp_path: Path) -> None:
    script = tmp_path / "looking.py"
    script.write_text("import logging\n\ndef response(flow):\n    logging.info('saw %s', flow.request.path)\n")
    with Mitmdump(SHIPPED, "replay", args=["-s", str(script)]) as proxy:
        with openai_client(proxy) as client:
            assert ask(client) == chunks_of(load(CHAT))
        proxy.wait_for_log(f"saw {FIREWORKS_CHAT}")


# -- options -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cache", ["0", "128MB", "1.5GB", "100", "64 kB"])
def test_with_any_memory_hits_are_served(cache: str) -> None:
    with Mitmdump(SHIPPED, "replay", options={"wiretape_cache": cache}) as proxy:
        with openai_client(proxy) as client:
            for _ in range(3):
                assert ask(client) == chunks_of(load(CHAT))
        proxy.stop()
        assert (hits(proxy), flows(proxy)) == (3, 0)
