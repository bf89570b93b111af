"""A proxy with tokens: who has none stays outside, whatever he tries, and nothing of his goes on to anybody."""

import asyncio
import base64
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import openai
import pytest

import forked
from harness import Mitmdump, async_openai_client, openai_client, start_expecting_failure
from loopback import Provider
from places import CONFIG, SHIPPED
from talk import URL, Talk, ask, ask_async, body, httpx_client, post, said, written

CONFIG_FILE = CONFIG / "wiretape.toml"
HOUSE = "http://gpu.example.com:8000/team-7/v1/chat/completions"
FOREIGN = "http://other.example/v1/chat/completions"


def wiretape(*args: str) -> subprocess.CompletedProcess[str]:
    """The command, which is to succeed."""
    result = forked.wiretape(*args)
    result.check_returncode()
    return result


@dataclass(frozen=True)
class Lab:
    """A proxy with tokens for session ``checkout``, and providers for every host."""

    proxy: Mitmdump
    providers: tuple[Provider, Provider]
    recordings: Path
    file: Path
    write: str
    read: str
    other: str

    def assert_nobody_was_asked(self) -> None:
        assert self.proxy.connects() == []
        assert [provider.connections for provider in self.providers] == [0, 0]


def create(file: Path, session: str, role: str, name: str) -> str:
    """A token made by the command; it is all that stdout has."""
    return wiretape(
        "token", "create", "--session", session, "--role", role, "--name", name, "--file", str(file)
    ).stdout.strip()


@pytest.fixture(scope="module", name="made")
def _made(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, tuple[str, str, str]]:
    """A file of tokens, and the tokens: made once, as the command takes a second."""
    file = tmp_path_factory.mktemp("tokens") / "tokens.toml"
    write, read = create(file, "checkout", "write", "ann"), create(file, "checkout", "read", "ci")
    return file.read_text(), (write, read, create(file, "billing", "admin", "bob"))


@contextlib.contextmanager
def started(made: tuple[str, tuple[str, str, str]], folder: Path) -> Iterator[Lab]:
    """A lab, all of whose files are in the folder."""
    text, (write, read, other) = made
    recordings, file = folder / "recordings", folder / "tokens.toml"
    file.write_text(text)
    file.chmod(0o600)
    with Provider() as provider, Provider(tls=False) as plain:
        Talk(provider), Talk(plain)
        env = {"TO_LOOPBACK_ORIGIN": json.dumps({"*": plain.port, "api.fireworks.ai": provider.port})}
        options = {"wiretape_tokens": str(file), "wiretape_config": str(CONFIG_FILE), "flow_detail": "3"}
        flows = ["-w", str(folder / "flows")]
        with Mitmdump(recordings, origin=provider, options=options, env=env, args=flows) as proxy:
            yield Lab(proxy, (provider, plain), recordings, file, write, read, other)


@pytest.fixture
def lab(made: tuple[str, tuple[str, str, str]], tmp_path: Path) -> Iterator[Lab]:
    with started(made, tmp_path) as lab:
        yield lab


@pytest.fixture(scope="module")
def closed(made: tuple[str, tuple[str, str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One for the tests in which nobody comes in: what one of them let through, those after it would see too."""
    with started(made, tmp_path_factory.mktemp("closed")) as lab:
        yield lab
        lab.assert_nobody_was_asked()


def wrong(lab: Lab) -> dict[str, tuple[str, int]]:
    """Credentials that open nothing, by what is wrong with them, and how each is refused."""
    return {
        "missing": ("", 407),
        "no token": ("checkout:", 407),
        "wrong": ("checkout:wt_0000000000000000000000000000000000000000000", 407),
        "another session's": (f"checkout:{lab.other}", 407),
        "for another session": (f"main:{lab.write}", 407),
        "no session named": (f":{lab.write}", 407),
        "a user that is none": (f"Checkout:{lab.write}", 407),
        "the token as the user": (f"{lab.write}:", 407),
        "more than it may": (f"checkout+record:{lab.read}", 403),
        "a mode that is not allowed": (f"checkout+live:{lab.write}", 403),
        "a mode that is none": (f"checkout+repeat:{lab.write}", 403),
    }


def header(credentials: str) -> dict[str, str]:
    encoded = base64.b64encode(credentials.encode()).decode()
    return {"proxy-authorization": f"Basic {encoded}"} if credentials else {}


# -- starting ----------------------------------------------------------------------------------------------------------


def test_without_tokens_it_does_not_listen_elsewhere_and_says_how_to_make_one() -> None:
    """The other ways to ask for it, and what is no file of tokens, are in test_addon.py."""
    code, output = start_expecting_failure(["--listen-host", "0.0.0.0"])
    assert code != 0
    assert "Traceback" not in output
    assert "wiretape token create --session NAME --role write" in output
    assert "wiretape_tokens" in output


def test_with_tokens_it_does(made: tuple[str, tuple[str, str, str]], tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    file.write_text(made[0])
    args, options = ["--listen-host", "0.0.0.0"], {"wiretape_tokens": str(file)}
    with Mitmdump(SHIPPED, "replay", args=args, options=options) as proxy:
        proxy.wait_for_log(r"listening at (0\.0\.0\.0|\*):\d+")


def test_a_file_that_is_none_stops_the_start(tmp_path: Path) -> None:
    code, output = start_expecting_failure(["--set", f"wiretape_tokens={tmp_path / 'tokens.toml'}"])
    assert code != 0
    assert "Traceback" not in output
    assert "wiretape_tokens" in output
    assert "wiretape token create" in output


# -- who stays outside -------------------------------------------------------------------------------------------------


def connect(proxy: Mitmdump, target: str, credentials: str) -> tuple[str, str]:
    """Status line and headers of the answer to a CONNECT, and its body."""
    lines = [f"{name}: {value}" for name, value in header(credentials).items()]
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as client:
        client.sendall("\r\n".join([f"CONNECT {target} HTTP/1.1", f"Host: {target}", *lines, "", ""]).encode())
        with client.makefile("rb") as answers:
            head = ""
            while (line := answers.readline()) not in (b"\r\n", b""):
                head += line.decode()
            length = re.search(r"(?i)content-length: (\d+)", head)
            return head, answers.read(int(length[1])).decode() if length else ""


def test_who_has_no_right_token_has_no_tunnel_to_anywhere(closed: Lab) -> None:
    for what, (credentials, status) in wrong(closed).items():
        for target in ("api.fireworks.ai:443", "other.example:443", "127.0.0.1:22", "localhost:80"):
            head, text = connect(closed.proxy, target, credentials)
            assert head.startswith(f"HTTP/1.1 {status} "), (what, target, head)
            assert ("proxy-authenticate: basic" in head.lower()) == (status == 407)
            error = json.loads(text)["error"]
            assert error["code"] == "session_refused"
            assert "wt_" not in error["message"]
    closed.assert_nobody_was_asked()


def test_a_plain_request_is_refused_wherever_it_goes(closed: Lab) -> None:
    with httpx.Client(proxy=closed.proxy.proxy_url, trust_env=False) as client:
        for what, (credentials, status) in wrong(closed).items():
            for url in (HOUSE, FOREIGN, HOUSE.replace("chat/completions", "other"), "http://127.0.0.1:1/"):
                answer = client.post(url, json=body("hello"), headers=header(credentials))
                assert answer.status_code == status, (what, url)
                assert ("proxy-authenticate" in answer.headers) == (status == 407)
                assert answer.json()["error"]["code"] == "session_refused"
        # A header is no credentials where the token does not come with it.
        for name in ("checkout", "checkout:wrong", f"Checkout:{closed.write}"):
            assert client.post(HOUSE, json=body("hello"), headers={"x-wiretape-session": name}).status_code == 407
    closed.assert_nobody_was_asked()
    assert not closed.recordings.exists()


MALFORMED = ["Basic", "Basic %%%", "Bearer x", "Basic Y2hlY2tvdXQ", "Digest username=checkout", "", "Basic  /w=="]


def test_a_malformed_header_is_no_token(closed: Lab) -> None:
    with httpx.Client(proxy=closed.proxy.proxy_url, trust_env=False) as client:
        for value in MALFORMED:
            answer = client.post(HOUSE, json=body("hello"), headers={"proxy-authorization": value})
            assert answer.status_code == 407, value
    closed.assert_nobody_was_asked()


def test_after_a_refusal_the_same_connection_may_show_a_right_one(lab: Lab) -> None:
    with httpx.Client(proxy=lab.proxy.proxy_url, trust_env=False) as client:
        assert client.post(HOUSE, json=body("hello")).status_code == 407
        right = header(f"checkout:{lab.write}")
        assert said(client.post(HOUSE, json=body("hello", stream=False), headers=right)).endswith("hello")
        # And what came with one request opens nothing for the next.
        assert client.post(HOUSE, json=body("hello", stream=False)).status_code == 407


def test_a_request_to_the_proxy_itself_is_refused_too(closed: Lab) -> None:
    """Neither mitmproxy's page for its CA nor anything else is shown to who has no token."""
    with httpx.Client(proxy=closed.proxy.proxy_url, trust_env=False) as client:
        assert client.get("http://mitm.it/").status_code == 407
        assert client.get(f"{closed.proxy.proxy_url}/").status_code in (400, 407, 502)
    closed.assert_nobody_was_asked()


def test_the_sdk_shows_the_message_and_does_not_try_again(lab: Lab) -> None:
    url = "http://gpu.example.com:8000/team-7/v1"
    for credentials, says in ((f"checkout:{lab.other}", "needs a token"), (f"checkout+record:{lab.read}", "role is")):
        with (
            openai_client(lab.proxy, url, credentials=credentials, max_retries=5) as client,
            pytest.raises(openai.APIStatusError, match=says),
        ):
            ask(client, "hello")
    lab.proxy.wait_for_log(r"refused: 127\.0\.0\.1: POST gpu\.example\.com: needs a token")

    async def use() -> None:
        async with async_openai_client(lab.proxy, credentials="checkout:wrong", max_retries=0) as client:
            await ask_async(client, "hello")

    # Of the answer to a CONNECT a client shows the status alone.
    with pytest.raises((openai.APIConnectionError, httpx.ProxyError)) as raised:
        asyncio.run(use())
    assert "407" in f"{raised.value} {raised.value.__cause__}"
    lab.assert_nobody_was_asked()


@pytest.mark.parametrize("to", ["https://api.fireworks.ai", "http://other.example"])
def test_in_reverse_mode(to: str, made: tuple[str, tuple[str, str, str]], recordings: Path, tmp_path: Path) -> None:
    text, (write, read, other) = made
    file = tmp_path / "tokens.toml"
    file.write_text(text)
    with Provider() as provider, Provider(tls=False) as plain:
        Talk(provider), Talk(plain)
        env = {"TO_LOOPBACK_ORIGIN": json.dumps({"*": plain.port, "api.fireworks.ai": provider.port})}
        options = {"wiretape_tokens": str(file)}
        with (
            Mitmdump(recordings, origin=provider, proxy_mode=f"reverse:{to}", options=options, env=env) as proxy,
            httpx.Client(trust_env=False) as client,
        ):
            url = f"{proxy.proxy_url}/inference/v1/chat/completions"
            assert post(client, "hello", url).status_code == 407
            for value in ("checkout", "checkout:", f"checkout:{other}", f":{write}", f"checkout{write}"):
                assert post(client, "hello", url, x_wiretape_session=value).status_code == 407
            assert post(client, "hello", url, x_wiretape_session=f"checkout+record:{read}").status_code == 403
            assert proxy.connects() == []
            answer = said(post(client, "hello", url, x_wiretape_session=f"checkout+live:{write}"))
            assert answer == "answer 1 to hello"
            proxy.stop()
            assert write not in proxy.log()
        (received,) = [*provider.requests, *plain.requests]
        assert not [value for value in received.headers if "wt_" in str(value) or "wiretape" in str(value).lower()]


# -- who comes in ------------------------------------------------------------------------------------------------------


def test_a_right_token_opens_and_is_in_no_file_and_no_log(lab: Lab) -> None:
    """With what shows most: the details of every flow in the log, and all flows in a file."""
    user = f"checkout:{lab.write}"
    with openai_client(lab.proxy, credentials=user, max_retries=0) as client:
        live = ask(client, "hello")
        lab.proxy.wait_for_log("recorded ")
        assert ask(client, "hello") == live
    for http2 in (False, True):
        with httpx_client(lab.proxy, user, http2=http2) as client_of_ours:
            said(post(client_of_ours, f"over {http2}"))
    with httpx_client(lab.proxy, user) as plain:
        said(post(plain, "plain", HOUSE))
        said(post(plain, "foreign", FOREIGN))
    with httpx.Client(proxy=lab.proxy.proxy_url, trust_env=False) as by_header:
        said(post(by_header, "header", HOUSE, x_wiretape_session=user))
    with openai_client(lab.proxy, credentials=f"checkout:{lab.read}", max_retries=0) as reader:
        assert ask(reader, "hello") == live
    with httpx_client(lab.proxy, f"{lab.write}:{lab.other}") as wrong_way_round:
        assert post(wrong_way_round, "hello", HOUSE).status_code == 407
    lab.proxy.stop()
    assert written(lab.recordings).keys() == {"checkout"}
    files = [path for path in lab.file.parent.rglob("*") if path.is_file()]
    assert any(path.name == "flows" and path.stat().st_size for path in files)
    everything = {str(path): path.read_bytes() for path in files} | {"the log": lab.proxy.log().encode()}
    for provider in lab.providers:
        everything[f"port {provider.port}"] = str(provider.requests).encode()
    for token in (lab.write, lab.read, lab.other):
        encodings = [token, base64.b64encode(f"checkout:{token}".encode()).decode()]
        encodings.append(base64.b64encode(token.encode()).decode().rstrip("=")[:-2])
        for where, content in everything.items():
            assert not any(each.encode() in content for each in encodings), where


@pytest.mark.parametrize("http2", [False, True])
def test_a_token_that_is_taken_back_is_refused_at_once_on_open_connections_too(http2: bool, lab: Lab) -> None:
    user = f"checkout:{lab.write}"
    with httpx_client(lab.proxy, user, http2=http2) as tunnel, httpx_client(lab.proxy, user) as plain:
        live = said(post(tunnel, "hello"))
        lab.proxy.wait_for_log("recorded ")
        assert said(post(tunnel, "hello")) == live  # Now in memory too.
        assert said(post(plain, "hello", HOUSE)).endswith("hello")
        before = [len(provider.requests) for provider in lab.providers]
        wiretape("token", "rm", "ann", "--yes", "--file", str(lab.file))
        # A moment later the connection is closed, whether or not somebody asks on it.
        with contextlib.suppress(httpx.TransportError):
            answer = post(tunnel, "hello")
            assert answer.status_code == 407
            assert "needs a token" in answer.json()["error"]["message"]
        with pytest.raises(httpx.ProxyError, match="407"):  # The tunnel is closed, and there is no other.
            post(tunnel, "never asked")
        with contextlib.suppress(httpx.TransportError):
            assert post(plain, "hello", HOUSE).status_code == 407
        for text in ("hello", "never asked"):
            assert post(plain, text, HOUSE).status_code == 407
        head, _ = connect(lab.proxy, "api.fireworks.ai:443", user)
        assert head.startswith("HTTP/1.1 407")
        assert [len(provider.requests) for provider in lab.providers] == before
    # The others' are as good as they were.
    with httpx_client(lab.proxy, f"checkout:{lab.read}") as reader:
        assert said(post(reader, "hello")) == live


def test_a_token_that_is_made_is_good_at_once(lab: Lab) -> None:
    assert connect(lab.proxy, "api.fireworks.ai:443", "late:x")[0].startswith("HTTP/1.1 407")
    late = create(lab.file, "late", "write", "carol")
    with openai_client(lab.proxy, credentials=f"late:{late}", max_retries=0) as client:
        assert ask(client, "hello").endswith("hello")


def test_who_has_a_token_reaches_hosts_that_are_no_provider(lab: Lab) -> None:
    head, _ = connect(lab.proxy, "other.example:443", f"checkout:{lab.write}")
    assert head.startswith("HTTP/1.1 200")
    with httpx_client(lab.proxy, f"checkout:{lab.write}") as client:
        assert said(post(client, "hello", FOREIGN)).endswith("hello")


def test_inside_a_tunnel_no_other_session_is_reached(lab: Lab) -> None:
    """The tunnel's credentials count, and not what a request in it says."""
    with httpx_client(lab.proxy, f"checkout:{lab.write}") as client:
        right = header(f"billing:{lab.other}")
        answer = client.post(URL, json=body("hello", stream=False), headers={**right, "x-wiretape-session": "billing"})
        assert answer.status_code == 200
    lab.proxy.stop()
    assert written(lab.recordings) == {"checkout": ["hello"]}


def test_a_proxy_that_is_reached_over_tls_is_as_closed(lab: Lab) -> None:
    if not shutil.which("curl"):
        pytest.skip("curl is not on this machine")
    command = ["curl", "-sS", "-v", "--proxy-insecure", "--cacert", str(lab.proxy.ca_file), "-o", os.devnull]
    for user, status in (("checkout:wrong", 407), (f"checkout:{lab.write}", 200)):
        for url in (URL, HOUSE):
            proxy = ["--proxy", f"https://{user}@127.0.0.1:{lab.proxy.port}"]
            asked = [*command, *proxy, url, "--json", json.dumps(body("hello"))]
            shown = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60).stderr
            assert re.search(rf"< HTTP/\S+ {status}", shown), shown
        if status == 407:
            lab.assert_nobody_was_asked()
