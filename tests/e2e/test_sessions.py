"""Many sessions in one proxy: a client is where its proxy's URL says, or a header, and nowhere else."""

import asyncio
import json
import random
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import httpx
import openai
import pytest

from harness import Mitmdump, async_openai_client, client_env, openai_client, wait_until
from loopback import Provider, Wait
from places import CONFIG, TESTS
from talk import (
    SECRET,
    URL,
    Talk,
    ask,
    ask_async,
    async_httpx_client,
    body,
    httpx_client,
    post,
    post_async,
    said,
    written,
)
from wiretape.cli.environment import NODE_PRELOAD
from wiretape.policy import Mode

CONFIG_FILE = CONFIG / "wiretape.toml"
HOUSE = "http://gpu.example.com:8000/team-7/v1/chat/completions"
NODE_APP = TESTS / "node" / "app.mjs"
NODE_QUESTION = "Hello, world!"

SESSIONS = """
[session.alpha]
mode = "record"
takes = "sequence"

[session.beta]
modes = ["replay", "live"]

[session.slow]
mode = "replay"
pace = "1000tps,ttft=2s"

[session.turns]
mode = "replay"
takes = "sequence"
"""


@pytest.fixture
def talk(provider: Provider) -> Talk:
    return Talk(provider)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "wiretape.toml"
    path.write_text(SESSIONS)
    return path


# -- clients -----------------------------------------------------------------------------------------------------------


def by_openai(proxy: Mitmdump, user: str, text: str) -> str:
    with openai_client(proxy, credentials=user, max_retries=0) as client:
        return ask(client, text)


def by_openai_async(proxy: Mitmdump, user: str, text: str) -> str:
    async def use() -> str:
        async with async_openai_client(proxy, credentials=user, max_retries=0) as client:
            return await ask_async(client, text)

    return asyncio.run(use())


def by_httpx(proxy: Mitmdump, user: str, text: str) -> str:
    with httpx_client(proxy, user) as client:
        return said(post(client, text))


def by_httpx_http2(proxy: Mitmdump, user: str, text: str) -> str:
    with httpx_client(proxy, user, http2=True) as client:
        answer = post(client, text)
        assert answer.http_version == "HTTP/2"
        return said(answer)


def by_httpx_plain(proxy: Mitmdump, user: str, text: str) -> str:
    with httpx_client(proxy, user) as client:
        return said(post(client, text, HOUSE))


def by_curl(proxy: Mitmdump, user: str, text: str, *flags: str, url: str = URL) -> str:
    if not shutil.which("curl"):
        pytest.skip("curl is not on this machine")
    command = ["curl", "-sS", "--noproxy", "", *flags, url, "-H", f"Authorization: Bearer {SECRET}"]
    command += ["--json", json.dumps(body(text, stream=False))]
    result = subprocess.run(
        command, env=client_env(proxy, user), capture_output=True, text=True, check=True, timeout=30
    )
    content: str = json.loads(result.stdout)["choices"][0]["message"]["content"]
    return content


def by_curl_http2(proxy: Mitmdump, user: str, text: str) -> str:
    return by_curl(proxy, user, text, "--http2")


def by_curl_plain(proxy: Mitmdump, user: str, text: str) -> str:
    return by_curl(proxy, user, text, url=HOUSE)


def by_node(proxy: Mitmdump, user: str, text: str) -> str:
    if not shutil.which("node"):
        pytest.skip("node is not on this machine")
    if not (NODE_APP.parent / "node_modules" / "openai").is_dir():
        pytest.skip("the npm package openai is not there: npm install --no-package-lock in tests/node")
    assert text == NODE_QUESTION
    command = ["node", "--require", str(NODE_PRELOAD), str(NODE_APP)]
    result = subprocess.run(
        command, env=client_env(proxy, user), capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


Client = Callable[[Mitmdump, str, str], str]
CLIENTS: list[Client] = [
    by_openai,
    by_openai_async,
    by_httpx,
    by_httpx_http2,
    by_httpx_plain,
    by_curl,
    by_curl_http2,
    by_curl_plain,
    by_node,
]


@pytest.mark.parametrize(("upstream", "lane"), [("1.1", "auto"), ("2", "flows")])
def test_every_client_is_in_the_session_of_its_proxys_url(upstream: str, lane: str, tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    skipped = []
    with ExitStack() as stack:
        provider = stack.enter_context(Provider(http2=upstream == "2"))
        plain = stack.enter_context(Provider(tls=False))
        talk, house = Talk(provider), Talk(plain)
        env = {"TO_LOOPBACK_ORIGIN": json.dumps({"*": provider.port, "gpu.example.com": plain.port})}
        options = {"wiretape_config": str(CONFIG_FILE), "wiretape_lane": lane}
        proxy = stack.enter_context(Mitmdump(recordings, origin=provider, options=options, env=env))
        expected: dict[str, list[str]] = {}
        for client in CLIENTS:
            session, text = client.__name__.replace("_", "-"), NODE_QUESTION
            try:
                live = client(proxy, session, text)
            except pytest.skip.Exception as e:
                skipped.append(str(e))
                continue
            assert live.endswith(text)
            expected[session] = [text]
            wait_until(lambda: written(recordings).get(session))  # noqa: B023
            # The same again is answered from the session, and nothing is sent on: the live answer would be another.
            assert client(proxy, session, text) == live
            assert client(proxy, f"{session}+replay:", text) == live
        assert written(recordings) == expected
        asked = [*provider.requests, *plain.requests]
        assert len(asked) == len(expected)
        assert len(talk.questions) + len(house.questions) == len(expected)
        for received in asked:
            assert received.header("proxy-authorization") is None
            assert received.header("authorization")
    if skipped and (upstream, lane) == ("1.1", "auto"):
        pytest.skip(", ".join(skipped))


def test_without_credentials_it_is_the_default_session_in_the_proxys_mode(talk: Talk, recordings: Path) -> None:
    with Mitmdump(recordings, "record", session="house", origin=talk.provider) as proxy:
        for _ in range(2):
            by_openai(proxy, "", "hello")
        # Where the proxy's URL names nobody, the header does, in a tunnel too.
        with httpx_client(proxy, "") as client:
            guest = post(client, "hello", **{"x-wiretape-session": "guest+record"})
            wait_until(lambda: written(recordings).get("guest"))
            again = post(client, "hello", **{"x-wiretape-session": "guest+replay"})
            assert said(guest) == said(again)
            assert post(client, "never", **{"x-wiretape-session": "guest+replay"}).is_client_error
        with httpx_client(proxy, "owner+record") as client:
            post(client, "hello", **{"x-wiretape-session": "guest+replay"})
        # Nor is a session another where nobody can tell which it is.
        for credentials in ("Bearer x", "Basic %%%", "Digest username=checkout"):
            with httpx.Client(proxy=httpx.Proxy(proxy.url_for("")), trust_env=False) as client:
                told = client.post(HOUSE, json=body("hello"), headers={"proxy-authorization": credentials})
                assert told.status_code == 407
        proxy.stop()
    assert talk.questions == ["hello"] * 4
    assert written(recordings) == {"guest": ["hello"], "house": ["hello"], "owner": ["hello"]}


RUBY = """
require "net/http"
uri = URI("https://api.openai.com/v1/chat/completions")
http = Net::HTTP.new(uri.host, uri.port)
http.use_ssl = true
answer = http.post(uri.path, ARGV[0], {"content-type" => "application/json", "authorization" => "Bearer x"})
abort answer.body unless answer.code == "200"
"""


def test_who_sends_its_user_only_when_asked_is_asked(talk: Talk, recordings: Path) -> None:
    options = {"wiretape_ask": "true"}
    skipped = ""
    with Mitmdump(recordings, "record", origin=talk.provider, options=options) as proxy:
        assert by_curl(proxy, "checkout", "asked", "--proxy-anyauth").endswith("asked")
        assert by_curl(proxy, "checkout+record-if-missing", "plain").endswith("plain")
        expected = {"checkout": ["asked", "plain"]}
        with httpx.Client(proxy=proxy.url_for(""), trust_env=False) as client:
            told = client.post(HOUSE, json=body("hello"))
            assert told.status_code == 407
            assert told.headers["proxy-authenticate"] == 'Basic realm="wiretape"'
            assert "HTTPS_PROXY=http://SESSION@HOST:PORT" in told.text
        if ruby := shutil.which("ruby"):
            # It decodes the user as a form, in which + is a blank.
            for user in ("rb+record", "rb%2Brecord", "rb"):
                command = [ruby, "-e", RUBY, json.dumps(body(f"of {user}", stream=False))]
                subprocess.run(command, env=client_env(proxy, f"{user}:x"), check=True, timeout=60)
            expected["rb"] = ["of rb", "of rb%2Brecord", "of rb+record"]
        else:
            skipped = "ruby is not on this machine"
        wait_until(lambda: written(recordings) == expected)
        proxy.stop()
    assert len(talk.questions) == sum(map(len, expected.values()))
    if skipped:
        pytest.skip(skipped)


def test_the_mode_that_is_asked_for(talk: Talk, recordings: Path, config: Path) -> None:
    options = {"wiretape_config": str(config), "wiretape_modes": ",".join(Mode)}
    with Mitmdump(recordings, "replay", origin=talk.provider, options=options) as proxy:
        with pytest.raises(openai.BadRequestError, match='session "mine"'):
            by_openai(proxy, "mine", "hello")
        assert by_openai(proxy, "mine+live", "hello") == "answer 1 to hello"
        assert by_openai(proxy, "mine+record", "hello") == "answer 2 to hello"
        proxy.wait_for_log("recorded ")
        assert by_openai(proxy, "mine", "hello") == "answer 2 to hello"
        assert by_openai(proxy, "mine+record-if-missing", "hello") == "answer 2 to hello"
        assert by_openai(proxy, "mine%2Brecord", "hello") == "answer 3 to hello"
        # And that of the configuration, where none is asked for.
        assert by_openai(proxy, "alpha", "hello") == "answer 4 to hello"
        with pytest.raises(openai.BadRequestError):
            by_openai(proxy, "beta", "hello")
        proxy.stop()
    assert written(recordings) == {"mine": ["hello"], "alpha": ["hello"]}


def refused_tunnel(proxy: Mitmdump, user: str) -> str:
    """What a client sees of the answer to its CONNECT, as curl shows it."""
    command = ["curl", "-sS", "-v", "-X", "POST", URL]
    result = subprocess.run(command, env=client_env(proxy, user), capture_output=True, text=True, check=False)
    assert result.returncode != 0
    return result.stderr


@pytest.mark.parametrize("user", ["beta+record", "beta+record-if-missing"])
def test_a_mode_that_the_session_does_not_allow_is_refused_by_name(
    user: str, talk: Talk, recordings: Path, config: Path
) -> None:
    options = {"wiretape_config": str(config)}
    with Mitmdump(recordings, origin=talk.provider, options=options) as proxy:
        assert " 403 " in refused_tunnel(proxy, user)
        with httpx_client(proxy, user) as client:
            answer = post(client, "hello", "http://api.fireworks.ai/inference/v1/chat/completions")
        assert answer.status_code == 403
        assert "beta allows replay and live, not record" in answer.json()["error"]["message"]
        proxy.wait_for_log("refused: .*allows replay and live")
        assert proxy.connects() == []
    assert talk.provider.connections == 0


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mitmdump, Talk, Path]]:
    """A proxy that nobody comes into, its provider, and where it would record."""
    recordings = tmp_path_factory.mktemp("untouched") / "recordings"
    with Provider() as provider, Mitmdump(recordings, origin=provider) as proxy:
        yield proxy, Talk(provider), recordings


@pytest.mark.parametrize("user", ["Checkout", "..", "checkout+repeat", "checkout+"])
def test_what_is_no_session_is_refused_and_told_what_is_one(user: str, untouched: tuple[Mitmdump, Talk, Path]) -> None:
    proxy, talk, recordings = untouched
    with pytest.raises((openai.APIConnectionError, httpx.ProxyError)):
        by_openai(proxy, user, "hello")
    with httpx_client(proxy, user) as client:
        answer = post(client, "hello", "http://api.fireworks.ai/inference/v1/chat/completions")
    assert answer.status_code == 403
    assert "checkout+replay" in answer.json()["error"]["message"]
    assert talk.provider.connections == 0
    assert not recordings.exists()


# -- reverse mode, and plain requests: a header ------------------------------------------------------------------------


@pytest.mark.parametrize(("upstream", "lane"), [("1.1", "auto"), ("2", "flows")])
def test_in_reverse_mode_a_header_says_it_and_stays_here(upstream: str, lane: str, recordings: Path) -> None:
    with Provider(http2=upstream == "2") as provider:
        Talk(provider)
        reverse = "reverse:https://api.fireworks.ai"
        options = {"wiretape_lane": lane, "wiretape_modes": ",".join(Mode)}
        with (
            Mitmdump(recordings, "replay", origin=provider, proxy_mode=reverse, options=options) as proxy,
            httpx.Client(trust_env=False) as client,
        ):
            url = f"{proxy.proxy_url}/inference/v1/chat/completions"
            names = {"x_wiretape_session": "checkout+record", "x_wiretape_test_id": "tests/test_a.py::test_b"}
            first = said(post(client, "hello", url, **names))
            proxy.wait_for_log("recorded ")
            replayed = [
                said(post(client, "hello", url, **{**names, "x_wiretape_session": name}))
                for name in ("checkout", "checkout+replay", "checkout+record-if-missing")
            ]
            assert replayed == [first] * 3
            assert post(client, "hello", url).status_code == 400
            assert post(client, "hello", url, x_wiretape_session="../up").status_code == 403
            assert said(post(client, "hello", url, x_wiretape_session="other+live")) == "answer 2 to hello"
            with openai_client(proxy, f"{proxy.proxy_url}/inference/v1", max_retries=0) as sdk:
                named = sdk.with_options(default_headers={"x-wiretape-session": "sdk+record"})
                assert ask(named, "from the SDK") == "answer 3 to from the SDK"
            proxy.stop()
        assert len(provider.requests) == 3
        for received in provider.requests:
            assert not [name for name, _ in received.headers if "wiretape" in name.lower()], received.headers
            assert received.header("proxy-authorization") is None
            assert received.header("authorization") == f"Bearer {SECRET}"
    assert written(recordings) == {"checkout": ["hello"], "sdk": ["from the SDK"]}


@pytest.mark.parametrize("lane", ["auto", "flows"])
def test_no_provider_sees_what_is_for_us(lane: str, recordings: Path) -> None:
    """Without a tunnel, in one, and to a host that is no provider; in every mode that sends something on."""
    with Provider() as provider, Provider(tls=False) as plain:
        Talk(provider), Talk(plain)
        env = {"TO_LOOPBACK_ORIGIN": json.dumps({"*": plain.port, "api.fireworks.ai": provider.port})}
        options = {"wiretape_config": str(CONFIG_FILE), "wiretape_lane": lane}
        names = {"x_wiretape_session": "elsewhere", "x_wiretape_test_id": "a"}
        urls = [URL, HOUSE, "http://other.example/v1/chat/completions", HOUSE.replace("chat/completions", "other")]
        with Mitmdump(recordings, origin=provider, options=options, env=env) as proxy:
            for mode in ("live", "record", "record-if-missing"):
                with httpx_client(proxy, f"mine+{mode}:wt_secret") as client:
                    for url in urls:
                        assert said(post(client, f"{mode} hello", url, **names)).endswith(f"{mode} hello")
            proxy.stop()
        received = [*provider.requests, *plain.requests]
        assert len(received) == 12
        for each in received:
            sent = [f"{name}: {value}" for name, value in each.headers]
            assert not [line for line in sent if re.search("(?i)wiretape|proxy-auth|wt_secret|elsewhere", line)], sent
    # Where there are credentials, the header does not count; in a tunnel neither.
    assert {*written(recordings)} == {"mine"}


# -- side by side ------------------------------------------------------------------------------------------------------


def test_modes_and_takes_of_many_sessions_at_once(talk: Talk, recordings: Path, config: Path) -> None:
    options = {"wiretape_config": str(config)}
    with (
        Mitmdump(recordings, origin=talk.provider, options=options) as proxy,
        ThreadPoolExecutor(5) as pool,
        ExitStack() as stack,
    ):
        users = ["alpha", "missing", "missing-2+record-if-missing", "passing+live", "beta+live"]
        clients = [stack.enter_context(openai_client(proxy, credentials=user, max_retries=0)) for user in users]

        def talk_to(client: openai.OpenAI, user: str) -> list[str]:
            return [ask(client, f"{user} {number % 4}") for number in range(12)]

        answers = [*pool.map(talk_to, clients, users)]
        proxy.stop()
    for user, got in zip(users, answers, strict=True):
        assert [text.partition(" to ")[2] for text in got] == [f"{user} {number % 4}" for number in range(12)]
    asked = {user: sum(text.startswith(f"{user} ") for text in talk.questions) for user in users}
    # With a moment between answer and file, one that is missing may be asked for twice.
    assert {user: asked[user] for user in users if "missing" not in user} == dict.fromkeys(
        ["alpha", "passing+live", "beta+live"], 12
    )
    assert all(4 <= asked[user] <= 6 for user in users if "missing" in user)
    found = written(recordings)
    assert {*found} == {"alpha", "missing", "missing-2"}
    assert found["alpha"] == sorted(f"alpha {number % 4}" for number in range(12))  # Three takes of each.
    assert found["missing"] == [f"missing {number}" for number in range(4)]


def test_takes_are_counted_for_each_session_and_rewound_for_all(talk: Talk, recordings: Path, config: Path) -> None:
    options = {"wiretape_config": str(config)}
    rewinder = recordings.parent / "rewinder.py"
    rewinder.write_text(
        "from mitmproxy import ctx\n\ndef requestheaders(flow):\n"
        "    if flow.request.pretty_host == 'rewind.example':\n        ctx.master.commands.execute('wiretape.rewind')\n"
    )
    with Mitmdump(recordings, origin=talk.provider, options=options, args=["-s", str(rewinder)]) as proxy:
        for _ in range(3):
            by_openai(proxy, "alpha", "hello")
        proxy.wait_for_log(r"(recorded [\s\S]*){3}")
        shutil.copytree(recordings / "alpha", recordings / "turns")
        one = [by_openai(proxy, "alpha+replay", "hello") for _ in range(2)]
        other = [by_openai(proxy, "turns", "hello") for _ in range(4)]
        takes = [f"answer {number} to hello" for number in (1, 2, 3)]
        assert (one, other) == (takes[:2], [*takes, takes[2]])
        assert by_openai(proxy, "alpha+replay", "hello") == takes[2]
        with httpx_client(proxy) as client:
            client.get("http://rewind.example/")
        assert by_openai(proxy, "alpha+replay", "hello") == by_openai(proxy, "turns", "hello") == takes[0]


def test_the_pace_of_one_is_not_that_of_another(talk: Talk, recordings: Path, config: Path) -> None:
    options = {"wiretape_config": str(config)}
    with Mitmdump(recordings, origin=talk.provider, options=options) as proxy:
        by_openai(proxy, "quick", "hello")
        wait_until(lambda: written(recordings).get("quick"))
        shutil.copytree(recordings / "quick", recordings / "slow")
        with (
            openai_client(proxy, credentials="slow") as slow,
            openai_client(proxy, credentials="quick") as quick,
            ThreadPoolExecutor(1) as pool,
        ):
            begun = time.monotonic()
            waiting = pool.submit(ask, slow, "hello")
            for _ in range(5):
                assert ask(quick, "hello") == "answer 1 to hello"
            assert not waiting.done()
            assert waiting.result() == "answer 1 to hello"
            assert time.monotonic() - begun >= 2
    assert len(talk.questions) == 1


@pytest.mark.parametrize("lane", ["auto", "flows"])
def test_what_is_in_memory_of_one_is_never_served_in_another(lane: str, talk: Talk, recordings: Path) -> None:
    """The same request, recorded differently: asked alternately on connections that stay open, and on new ones."""
    options = {"wiretape_lane": lane}
    names = [f"s{number}" for number in range(4)]
    with Mitmdump(recordings, origin=talk.provider, options=options) as proxy:
        expected = {name: by_httpx(proxy, name, "hello") for name in names}
        wait_until(lambda: len(written(recordings)) == len(names))
        assert len({*expected.values()}) == len(names)

        async def alternate(clients: list[tuple[str, httpx.AsyncClient]], seed: int) -> set[str]:
            chosen = random.Random(seed)
            wrong = set()
            for _ in range(100):
                name, client = chosen.choice(clients)
                if (got := said(await post_async(client, "hello"))) != expected[name]:
                    wrong.add(f"{name}: {got}")
            return wrong

        async def all_at_once() -> set[str]:
            async with AsyncExitStack() as stack:
                clients = [
                    (name, await stack.enter_async_context(async_httpx_client(proxy, name, http2=http2)))
                    for name in names
                    for http2 in (False, True)
                ]
                return set().union(*await asyncio.gather(*(alternate(clients, seed) for seed in range(4))))

        assert asyncio.run(all_at_once()) == set()
        # With a tunnel of their own for each.
        for name in names * 2:
            assert by_httpx(proxy, name, "hello") == by_httpx_http2(proxy, name, "hello") == expected[name]
        # And where one connection is everybody's.
        with httpx.Client(proxy=proxy.proxy_url, trust_env=False) as plain:
            url = "http://api.fireworks.ai/inference/v1/chat/completions"
            assert post(plain, "hello", url, x_wiretape_session="nowhere+replay").status_code == 400
    assert len(talk.questions) == len(names)


def test_on_one_plain_connection_every_request_is_in_its_own_session(recordings: Path) -> None:
    with Provider(tls=False) as plain:
        Talk(plain)
        env = {"TO_LOOPBACK_ORIGIN": json.dumps({"*": plain.port})}
        options = {"wiretape_config": str(CONFIG_FILE)}
        with (
            Mitmdump(recordings, options=options, env=env) as proxy,
            httpx.Client(proxy=proxy.proxy_url, trust_env=False) as client,
        ):
            names = ["one", "two", "three"]
            first = {name: said(post(client, "hello", HOUSE, x_wiretape_session=name)) for name in names}
            wait_until(lambda: len(written(recordings)) == 3)
            for name in random.Random(7).choices(names, k=60):
                assert said(post(client, "hello", HOUSE, x_wiretape_session=name)) == first[name]
        assert len(plain.requests) == len({*first.values()}) == 3


def test_an_answer_under_way_is_shared_within_a_session_alone(provider: Provider, recordings: Path) -> None:
    go_on = threading.Event()
    talk = Talk(provider)
    provider.on("/inference/v1/chat/completions", lambda received: talk.answer(received).insert(0, Wait(go_on)))
    users = ["one", "one", "two", "two", "three"]
    with Mitmdump(recordings, origin=provider) as proxy, ThreadPoolExecutor(5) as pool, ExitStack() as stack:
        clients = [stack.enter_context(openai_client(proxy, credentials=user, max_retries=0)) for user in users]
        stack.callback(go_on.set)  # Whatever fails, nobody waits for an answer.
        asked = [pool.submit(ask, client, "hello") for client in clients]
        provider.wait_for_requests(3)
        proxy.wait_for_log(r"(following an equal request[\s\S]*){2}")
        assert len(provider.requests) == 3
        go_on.set()
        answers = [each.result() for each in asked]
        proxy.stop()
        assert "2 followed an equal one" in proxy.log()
    assert answers[0] == answers[1] != answers[2] == answers[3]
    assert len({*answers}) == 3
    assert {session: len(texts) for session, texts in written(recordings).items()} == dict.fromkeys(users, 1)
