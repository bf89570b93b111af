"""Takes, the 2026 form, recorded errors, foreign names and a team's own providers, through a real mitmdump."""

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from harness import Mitmdump, client_env, environment, openai_client, wait_until
from loopback import Answer, Provider, error_answer, from_recording, json_answer, sse
from samples import CHAT, FIREWORKS_CHAT, MODEL, chunks_of, dumped, load
from sharing import Shared
from wiretape import recording


def written(session: Path) -> list[Path]:
    """The recordings in a session's folder."""
    return sorted((session / "responses").glob("*"))


def say(text: str) -> Answer:
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": "stop"}
    return Answer(steps=list(sse([{**chunk, "choices": [choice]}])))


def ask(client: openai.OpenAI, **arguments: Any) -> str:
    stream = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "Hello, world!"}], stream=True, **arguments
    )
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream)


def take(recordings: Path, words: list[str], takes: str) -> None:
    with (
        Provider() as provider,
        Mitmdump(recordings, "record", origin=provider, options={"wiretape_takes": takes}) as proxy,
        openai_client(proxy) as client,
    ):
        provider.on(FIREWORKS_CHAT, *map(say, words))
        for number, word in enumerate(words, 1):
            assert ask(client) == word
            proxy.wait_for_log(rf"(recorded [\s\S]*){{{number}}}")


def test_record_replaces_with_last_and_adds_a_take_with_the_others(recordings: Path) -> None:
    take(recordings, ["one", "two"], "last")
    assert [path.name for path in written(recordings / "default")] == ["e99f14805360.json"]
    assert b'"two"' in written(recordings / "default")[0].read_bytes()
    take(recordings, ["three", "four"], "sequence")
    assert [path.name for path in written(recordings / "default")] == [
        "e99f14805360.2.json",
        "e99f14805360.3.json",
        "e99f14805360.json",
    ]


PLAYED = {
    "first": "one one one one",
    "last": "three three three three",
    "sequence": "one two three three",
    "cycle": "one two three one",
}


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings with three takes of one request, which tests replay only."""
    recordings = tmp_path_factory.mktemp("three") / "recordings"
    take(recordings, ["one", "two", "three"], "sequence")
    return recordings


@pytest.mark.parametrize("takes", PLAYED)
def test_which_take_is_played(takes: str, three: Path) -> None:
    with (
        Mitmdump(three, "replay", options={"wiretape_takes": takes}) as proxy,
        openai_client(proxy) as client,
    ):
        assert " ".join(ask(client) for _ in range(4)) == PLAYED[takes]


def test_a_rewind_starts_sequences_again(recordings: Path, tmp_path: Path) -> None:
    take(recordings, ["one", "two"], "sequence")
    # A command of mitmproxy's, called as a key binding or another addon calls it.
    script = tmp_path / "remote.py"
    script.write_text(
        "from mitmproxy import ctx\n"
        "def requestheaders(flow):\n"
        "    if flow.request.headers.pop('x-rewind', ''):\n"
        "        ctx.master.commands.call('wiretape.rewind')\n"
    )
    with (
        Mitmdump(recordings, "replay", options={"wiretape_takes": "sequence"}, args=["-s", str(script)]) as proxy,
        openai_client(proxy) as client,
    ):
        assert [ask(client), ask(client), ask(client)] == ["one", "two", "two"]
        assert ask(client, extra_headers={"x-rewind": "1"}) == "one"


def test_the_2026_form_carries_the_test_and_no_noise(provider: Provider, recordings: Path) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT))
    options = {"wiretape_format": "2026"}
    headers = {"x-wiretape-test-id": "tests/test_x.py::test_y"}
    with Mitmdump(recordings, "record", origin=provider, options=options) as proxy, openai_client(proxy) as client:
        ask(client, extra_headers=headers)
        ask(client)
        wait_until(lambda: len(written(recordings / "default")) == 2)
        proxy.stop()
    assert [each.header("x-wiretape-test-id") for each in provider.requests] == [None, None]
    found = {content["test_id"]: content for content in map(load, written(recordings / "default"))}
    assert set(found) == {"tests/test_x.py::test_y", None}
    for path in written(recordings / "default"):
        content = load(path)
        assert list(content) == ["test_id", "request", "response", "id_normalization_mapping"]
        assert content["response"]["body"][0]["__data__"]["id"] == f"rec-{path.name[:12]}"
        assert content["response"]["body"][0]["__data__"]["created"] == 0
        assert path.stem == recording.loads(path.read_bytes()).name
    with Mitmdump(recordings, "replay") as proxy, openai_client(proxy) as client:
        assert ask(client, extra_headers=headers) == ask(client)
        # A recording for another test is none for this one; the one for no test serves all.
        assert ask(client, extra_headers={"x-wiretape-test-id": "another"}) == ask(client)


def test_a_client_goes_on_from_an_id_that_the_2026_form_has_replaced(provider: Provider, recordings: Path) -> None:
    provider.on("/v1/responses", *(json_answer({"id": f"resp_{n}", "object": "response", "output": []}) for n in "123"))

    def chain(client: openai.OpenAI, run: str) -> list[str]:
        made = partial(client.responses.create, model="m", prompt_cache_key=run)
        first = made(input="one")
        second = made(input="two", previous_response_id=first.id)
        third = made(input="three", previous_response_id=second.id)
        return [first.id, second.id, third.id]

    base = "https://api.openai.com/v1"
    with (
        Mitmdump(recordings, "record", origin=provider, options={"wiretape_format": "2026"}) as proxy,
        openai_client(proxy, base) as client,
    ):
        came = chain(client, "run-1")
        wait_until(lambda: len(written(recordings / "default")) == 3)
    with Mitmdump(recordings, "replay", options={"wiretape_wire": "false"}) as proxy:
        with openai_client(proxy, base, max_retries=0) as client:
            again = chain(client, "run-1")
            assert chain(client, "run-2") == again, "also where a rule is needed"
        assert [each[:4] for each in (*came, *again)] == ["resp"] * 3 + ["rec-"] * 3
        assert len(set(again)) == 3
        assert proxy.connects() == []


def test_one_made_for_a_test_is_not_served_to_another(provider: Provider, recordings: Path) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT))
    with (
        Mitmdump(recordings, "record", origin=provider, options={"wiretape_format": "2026"}) as proxy,
        openai_client(proxy) as client,
    ):
        ask(client, extra_headers={"x-wiretape-test-id": "mine"})
        proxy.stop()
    with Mitmdump(recordings, "replay") as proxy, openai_client(proxy) as client:
        with pytest.raises(openai.BadRequestError):
            ask(client, extra_headers={"x-wiretape-test-id": "another"})
        assert ask(client).startswith("Hello!")  # Who names no test is served what there is.


def test_what_is_wrong_with_the_request_is_recorded_as_an_error(provider: Provider, shared: Shared) -> None:
    provider.on(FIREWORKS_CHAT, error_answer(400, "Invalid base64 image_url.", code="invalid_base64"))

    def fail(proxy: Mitmdump) -> openai.BadRequestError:
        with openai_client(proxy) as client, pytest.raises(openai.BadRequestError) as raised:
            ask(client)
        return raised.value

    with shared.lent("record", provider) as proxy:
        live = fail(proxy)
        proxy.wait_for_log(" recorded ")
        response = load(written(proxy.folder)[0])["response"]
        assert (response["body"], response["is_streaming"], response["is_exception"]) == (None, False, True)
        assert response["exception_data"]["type"] == "BadRequestError"
        proxy.in_mode("replay")
        replayed = fail(proxy)
        assert (replayed.status_code, replayed.body, str(replayed)) == (400, live.body, str(live))
        assert replayed.response.content == live.response.content
    assert len(provider.requests) == 1


def test_the_same_request_to_two_providers_is_two_recordings(provider: Provider, shared: Shared) -> None:
    provider.on("/v1/chat/completions", say("from one"), say("from the other"))
    bases = ["https://api.cerebras.ai/v1", "https://api.together.xyz/v1"]
    with shared.lent("record", provider) as proxy:
        for base in bases:
            with openai_client(proxy, base) as client:
                ask(client)
        proxy.wait_for_log(r"( recorded [\s\S]*){2}")
        assert len(written(proxy.folder)) == 2
        proxy.in_mode("replay")
        for base, words in zip(bases, ["from one", "from the other"], strict=True):
            with openai_client(proxy, base) as client:
                assert ask(client) == words


def test_a_teams_own_provider_needs_no_code(recordings: Path, tmp_path: Path) -> None:
    config = tmp_path / "wiretape.toml"
    config.write_text(
        '[[provider]]\nname = "our vllm"\nscheme = "http"\nhosts = ["gpu-*:8000"]\n'
        'base = "/v1"\nendpoints = ["openai"]\n'
    )
    with Provider(tls=False) as vllm:
        vllm.on("/v1/chat/completions", say("ours"))
        options = {"wiretape_config": str(config)}
        base = "http://gpu-7:8000/v1"
        with (
            Mitmdump(recordings, "record", origin=vllm, options=options) as proxy,
            openai_client(proxy, base) as client,
        ):
            assert ask(client) == "ours"
            proxy.stop()
    (path,) = written(recordings / "default")
    assert load(path)["request"]["url"] == "http://gpu-7:8000/v1/v1/chat/completions"
    with Mitmdump(recordings, "replay", options=options) as proxy, openai_client(proxy, base) as client:
        assert ask(client) == "ours"
        assert proxy.connects() == []


def test_lists_of_models_are_one_list(provider: Provider, shared: Shared) -> None:
    def models(*ids: str) -> Answer:
        data = [{"id": id_, "object": "model", "created": 1, "owned_by": "x"} for id_ in ids]
        return json_answer({"object": "list", "data": data})

    provider.on("/inference/v1/models", models("b", "a"), models("c", "a"), models("b", "a"))
    with shared.lent("record", provider) as proxy:
        with openai_client(proxy) as client:
            for _ in range(3):
                [*client.models.list()]
        proxy.wait_for_log(r"( recorded [\s\S]*){3}")
        assert [path.name[:20] for path in written(proxy.folder)] == ["models-7d9446738fd7-"] * 2
        proxy.in_mode("replay")
        with openai_client(proxy) as client:
            assert [model.id for model in client.models.list()] == ["a", "b", "c"]


def test_a_key_inside_a_body_is_not_written_and_does_not_matter(provider: Provider, recordings: Path) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT))

    def with_key(proxy: Mitmdump, key: str) -> int:
        body = {"model": MODEL, "messages": [], "stream": True, "tools": [{"type": "mcp", "authorization": key}]}
        with environment(client_env(proxy)), httpx.Client() as client:
            return client.post(f"https://api.fireworks.ai{FIREWORKS_CHAT}", json=body).status_code

    with Mitmdump(recordings, "record", origin=provider) as proxy:
        assert with_key(proxy, "first-secret") == 200
        proxy.stop()
        assert "first-secret" not in proxy.log() + written(recordings / "default")[0].read_text()
    assert json.loads(provider.requests[0].body)["tools"][0]["authorization"] == "first-secret"
    with Mitmdump(recordings, "replay") as proxy:
        assert with_key(proxy, "rotated-secret") == 200


def test_a_hundred_foreign_names_are_found(shared: Shared) -> None:
    with shared.lent("replay") as proxy, openai_client(proxy) as client:
        folder = proxy.folder / "responses"
        folder.mkdir(parents=True)
        for number in range(100):
            content = CHAT.read_text().replace("Hello, world!", f"Hello, {number}!")
            (folder / f"recorded by hand {number}.json").write_text(content)
        shutil.copy(CHAT, folder / "and the sample itself.json")
        stream = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Hello, 73!"}], stream=True
        )
        assert [dumped(chunk) for chunk in stream] == chunks_of(load(CHAT))
        assert ask(client).startswith("Hello!")
