"""Sessions that stand on others, and sessions that are frozen: as a proxy that runs sees them change."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import openai
import pytest

import forked
from harness import TO_LOOPBACK, Mitmdump, client_env, openai_client, start_expecting_failure, wait_until
from loopback import Provider, Wait
from s3 import BUCKET, S3Server
from talk import URL, Talk, ask, body, httpx_client, post, said, written
from wiretape.store.opening import StoreUrl

HOUSE = "http://gpu.example.com:8000/v1/chat/completions"
LAYERS = """
[[provider]]
name = "house-vllm"
hosts = ["gpu.example.com:8000"]
scheme = "http"
base = "/v1"
endpoints = ["openai"]

[session.checkout]
layers = ["main"]

[session.main]
layers = ["base"]

[session.closed]
frozen = true

[session.reading]
layers = ["checkout"]
modes = ["replay"]
"""


@pytest.fixture
def talk(provider: Provider) -> Talk:
    return Talk(provider)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "wiretape.toml"
    path.write_text(LAYERS)
    return path


@pytest.fixture
def proxy(talk: Talk, recordings: Path, config: Path) -> Iterator[Mitmdump]:
    options = {"wiretape_config": str(config)}
    with Mitmdump(recordings, origin=talk.provider, options=options) as proxy:
        yield proxy


def wiretape(*args: str, env: dict[str, str] | None = None) -> str:
    """What the command, which is to succeed, wrote to stdout."""
    result = forked.wiretape(*args, env=env)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def get(proxy: Mitmdump, user: str, text: str) -> str:
    with openai_client(proxy, credentials=user, max_retries=0) as client:
        return ask(client, text)


def record(proxy: Mitmdump, user: str, text: str) -> str:
    """A live answer, when its recording is written."""
    before = proxy.log().count(" recorded ")
    answer = get(proxy, user, text)
    proxy.wait_for_log(rf"( recorded [\s\S]*){{{before + 1}}}")
    return answer


def folder(recordings: Path, session: str) -> Path:
    return recordings / session / "responses"


# -- layers ------------------------------------------------------------------------------------------------------------


def test_what_is_lacking_comes_from_below_and_what_is_recorded_stays_above(
    talk: Talk, proxy: Mitmdump, recordings: Path
) -> None:
    below = {name: record(proxy, name, f"of {name}") for name in ("base", "main")}
    for _ in range(2):  # The second time from memory.
        assert get(proxy, "checkout", "of base") == below["base"]  # Two levels deep.
        assert get(proxy, "checkout+replay", "of main") == below["main"]
        assert get(proxy, "reading", "of base") == below["base"]  # Three.
    own = record(proxy, "checkout", "of checkout")
    assert get(proxy, "reading", "of checkout") == own
    for name in ("main+replay", "base+replay"):
        with pytest.raises(openai.BadRequestError):
            get(proxy, name, "of checkout")
    with pytest.raises(openai.BadRequestError):
        get(proxy, "base+replay", "of main")
    assert written(recordings) == {"base": ["of base"], "main": ["of main"], "checkout": ["of checkout"]}
    assert len(talk.questions) == 3


def test_a_recording_above_goes_before_one_below(talk: Talk, proxy: Mitmdump, recordings: Path) -> None:
    base, main = (record(proxy, name, "hello") for name in ("base+record", "main+record"))
    assert get(proxy, "checkout", "hello") == get(proxy, "main", "hello") == main
    own = record(proxy, "checkout+record", "hello")
    assert len({base, main, own}) == 3
    assert [get(proxy, name, "hello") for name in ("checkout", "main", "base")] == [own, main, base]
    # Under another name too, which only its content tells, against one below that has the name.
    (path,) = folder(recordings, "checkout").glob("*.json")
    path.rename(path.with_name("my favourite.json"))
    assert get(proxy, "checkout", "hello") == own
    (path,) = folder(recordings, "base").glob("*.json")
    path.rename(path.with_name("another.json"))
    assert [get(proxy, name, "hello") for name in ("checkout", "base")] == [own, base]


def test_a_layer_below_that_changes_while_the_proxy_runs(talk: Talk, proxy: Mitmdump, recordings: Path) -> None:
    old = record(proxy, "base", "hello")
    with httpx_client(proxy, "reading") as client, httpx_client(proxy, "reading", http2=True) as client_2:
        record(proxy, "whole", "hello")  # So that there is another answer to the same request.
        # The SDK's request was a stream; these clients ask in one piece.
        live = said_by(proxy, "base")
        for each in (client, client_2):
            assert [said(post(each, "in one piece")) for _ in range(3)] == [live] * 3
        (path,) = [path for path in folder(recordings, "base").glob("*.json") if "in one piece" in path.read_text()]
        wire = recordings / "base" / "wire" / path.name
        # Replaced.
        kept = path.read_bytes()
        wire.unlink()
        path.write_bytes(kept.replace(b"in one piece\\n", b"").replace(live.encode(), b"mended by hand"))
        wait_until(lambda: said(post(client, "in one piece")) == "mended by hand", 2)
        assert said(post(client_2, "in one piece")) == "mended by hand"
        # Removed.
        path.unlink()
        wait_until(lambda: post(client, "in one piece").status_code == 400, 2)
        assert post(client_2, "in one piece").status_code == 400
        # Added, and in a layer between.
        folder(recordings, "main").mkdir(parents=True)
        (folder(recordings, "main") / "any name.json").write_bytes(kept)
        assert said(post(client, "in one piece")) == said(post(client_2, "in one piece")) == live
        # Added above it.
        (folder(recordings, "checkout")).mkdir(parents=True)
        above = folder(recordings, "checkout") / path.name
        above.write_bytes(kept.replace(live.encode(), b"from above"))
        wait_until(lambda: said(post(client, "in one piece")) == "from above", 2)
        assert said(post(client_2, "in one piece")) == "from above"
    assert get(proxy, "reading", "hello") == old
    assert len(talk.questions) == 3


def said_by(proxy: Mitmdump, user: str) -> str:
    before = proxy.log().count(" recorded ")
    with httpx_client(proxy, user) as client:
        answer = said(post(client, "in one piece"))
    proxy.wait_for_log(rf"( recorded [\s\S]*){{{before + 1}}}")
    return answer


def test_what_is_promoted_is_served_from_below_at_once(
    talk: Talk, proxy: Mitmdump, recordings: Path, config: Path
) -> None:
    old = record(proxy, "main+record", "hello")
    new = record(proxy, "checkout+record", "hello")
    other = record(proxy, "checkout", "another")
    assert get(proxy, "main+replay", "hello") == old
    told = ["--recordings", str(recordings), "--config", str(config), "--yes"]
    wiretape("session", "promote", "checkout", "--into", "main", *told)
    wait_until(lambda: get(proxy, "main+replay", "hello") == new, 2)
    assert get(proxy, "main+replay", "another") == other
    wiretape("session", "rm", "checkout", "--recordings", str(recordings), "--yes")
    assert {*written(recordings)} == {"main"}
    # From now on it comes from below.
    assert get(proxy, "checkout", "hello") == new
    assert get(proxy, "checkout", "another") == other
    assert len(talk.questions) == 3


def test_a_miss_looks_at_all_layers_for_what_is_near(talk: Talk, proxy: Mitmdump) -> None:
    record(proxy, "base", "hello")
    with pytest.raises(openai.BadRequestError, match="nearest recording") as raised:
        get(proxy, "checkout+replay", "hullo")
    assert '"hello" in the recording' in str(raised.value)


def test_a_configuration_that_is_wrong_stops_the_start(tmp_path: Path) -> None:
    """What else is wrong in one is in test_addon.py."""
    config = tmp_path / "wiretape.toml"
    config.write_text('[session.a]\nlayers = ["b"]\n[session.b]\nlayers = ["a"]\n')
    code, output = start_expecting_failure(["--set", f"wiretape_config={config}", "--set", "wiretape_mode=record"])
    assert code != 0
    assert "Traceback" not in output
    assert "a -> b -> a" in output


def test_wiretape_run_in_a_session_with_layers(talk: Talk, proxy: Mitmdump, recordings: Path, config: Path) -> None:
    below = record(proxy, "base", "from below")
    proxy.stop()
    script = (
        "import os, sys, openai\n"
        "client = openai.OpenAI(base_url='https://api.fireworks.ai/inference/v1', api_key='sk-test-secret')\n"
        "for text in sys.argv[1:]:\n"
        f"    body = {{**{body('')!r}, 'messages': [{{'role': 'user', 'content': text}}]}}\n"
        "    stream = client.chat.completions.create(**body)\n"
        "    print(''.join(chunk.choices[0].delta.content or '' for chunk in stream))\n"
    )
    env = client_env(proxy)
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        del env[name], env[name.lower()]
    env |= {
        "TO_LOOPBACK_ORIGIN": f'{{"*": {talk.provider.port}}}',
        "TO_LOOPBACK_CONNECTS": str(recordings.parent / "connects"),
        "SSL_CERT_FILE": str(talk.provider.ca_pem),
    }
    options = ["--session", "checkout", "--recordings", str(recordings), "--set", f"wiretape_config={config}"]
    options += ["--set", f"scripts={TO_LOOPBACK}"]
    shown = wiretape("run", *options, "--", sys.executable, "-c", script, "from below", "its own", env=env)
    assert shown.splitlines() == [below, "answer 2 to its own"]
    assert written(recordings) == {"base": ["from below"], "checkout": ["its own"]}
    shown = wiretape("run", "--mode", "replay", *options, "--", sys.executable, "-c", script, "its own", env=env)
    assert shown.splitlines() == ["answer 2 to its own"]
    assert len(talk.questions) == 2


# -- frozen ------------------------------------------------------------------------------------------------------------


def refused(proxy: Mitmdump, user: str) -> str:
    """Why a request is not served: as told to a client that needs no tunnel."""
    with httpx_client(proxy, user) as client:
        answer = post(client, "hello", "http://api.fireworks.ai/inference/v1/chat/completions")
    assert answer.status_code == 403, answer.text
    message: str = answer.json()["error"]["message"]
    # And to one that does.
    with httpx_client(proxy, user) as client, pytest.raises(httpx.ProxyError, match="403"):
        post(client, "hello", URL)
    return message


def test_a_session_that_is_frozen_and_thawed_under_a_running_proxy(
    talk: Talk, proxy: Mitmdump, recordings: Path, config: Path
) -> None:
    told = ["--recordings", str(recordings), "--config", str(config), "--yes"]
    with (
        openai_client(proxy, credentials="team", max_retries=0) as client,
        openai_client(proxy, credentials="team+record", max_retries=0) as recording,
    ):
        first = ask(client, "hello")
        proxy.wait_for_log("recorded ")
        wiretape("session", "freeze", "team", *told)
        # Who named no mode goes on in replay, on the connection that it has.
        assert ask(client, "hello") == first
        with pytest.raises(openai.BadRequestError):
            ask(client, "never asked")
        with pytest.raises((openai.PermissionDeniedError, openai.APIConnectionError)):
            ask(recording, "hello")
        for mode in ("record", "record-if-missing"):
            assert "team is frozen" in refused(proxy, f"team+{mode}")
        assert get(proxy, "team+live", "hello") == "answer 2 to hello"
        assert written(recordings) == {"team": ["hello"]}
        wiretape("session", "thaw", "team", *told)
        assert ask(client, "never asked") == "answer 3 to never asked"
        assert ask(recording, "again") == "answer 4 to again"
    proxy.stop()
    assert written(recordings) == {"team": ["again", "hello", "never asked"]}


def test_what_is_under_way_when_a_session_is_frozen_reaches_its_client_and_no_disk(
    talk: Talk, proxy: Mitmdump, recordings: Path
) -> None:
    go_on = Event()
    path = "/inference/v1/chat/completions"
    record(proxy, "team", "hello")
    talk.provider.on(path, lambda received: talk.answer(received).insert(2, Wait(go_on)))
    with openai_client(proxy, credentials="team", max_retries=0) as client:
        stream: Any = client.chat.completions.create(**body("late"))
        chunks = [next(stream)]
        wiretape("session", "freeze", "team", "--recordings", str(recordings), "--yes")
        go_on.set()
        chunks += [*stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == "answer 2 to late"
    proxy.wait_for_log("not recorded: .*team is frozen")
    assert written(recordings) == {"team": ["hello"]}


def test_a_session_that_the_configuration_freezes(talk: Talk, proxy: Mitmdump, recordings: Path) -> None:
    with pytest.raises(openai.BadRequestError):
        get(proxy, "closed", "hello")
    assert "closed is frozen" in refused(proxy, "closed+record")
    assert talk.questions == []
    assert not recordings.exists()


def test_in_a_bucket_every_proxy_sees_it(moto: S3Server, talk: Talk, tmp_path: Path, config: Path) -> None:
    url = f"s3://{BUCKET}/frozen-{tmp_path.name}"
    told = ["--recordings", url, "--config", str(config), "--yes"]
    env = {**os.environ, **moto.env}

    def proxy(name: str) -> Mitmdump:
        options = {"wiretape_config": str(config), "wiretape_local": str(tmp_path / name)}
        return Mitmdump(url, origin=talk.provider, options=options, env=moto.env)

    with proxy("one") as one, proxy("two") as two:
        record(one, "another", "hello")
        first = record(one, "team", "hello")
        for session in ("another", "team"):
            wiretape("session", "freeze", session, *told, env=env)
        # Who has not looked before sees it at once, whether a request brings its credentials or a tunnel does.
        with httpx_client(two, "another") as client:
            assert post(client, "never asked", HOUSE).status_code == 400
        assert "team is frozen" in refused(two, "team+record")
        # Who has, after some seconds.
        wait_until(lambda: _is_refused(one, "team+record"), 10)
        for each in (one, two):
            assert get(each, "team", "hello") == first
            with pytest.raises(openai.BadRequestError):
                get(each, "team", "never asked")
        wiretape("session", "thaw", "team", *told, env=env)
        for each in (one, two):
            wait_until(lambda each=each: not _is_refused(each, "team+record"), 10)  # type: ignore[misc]
        answer = record(two, "team+record", "now")
        wait_until(lambda: _get_or_none(one, "team+replay", "now") == answer, 5)
    assert [text for text in talk.questions if text != "probe"] == ["hello", "hello", "now"]
    with pytest.MonkeyPatch.context() as patch:
        for key, value in moto.env.items():
            patch.setenv(key, value)
        store = StoreUrl(url, str(tmp_path / "looking")).open()
        assert len(store.scan("team")) == 2
        store.close()


def _is_refused(proxy: Mitmdump, user: str) -> bool:
    # A method that is recorded nowhere.
    with httpx_client(proxy, user) as client:
        answer = client.request("OPTIONS", "http://api.fireworks.ai/inference/v1/other", json=body("probe"))
    return answer.status_code == 403


def _get_or_none(proxy: Mitmdump, user: str, text: str) -> str | None:
    try:
        return get(proxy, user, text)
    except openai.BadRequestError:
        return None
