"""``wiretape serve``: real workers behind one port, real clients, and what happens when one of them dies."""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

import spares
from forked import wiretape
from harness import openai_client, wait_until
from loopback import Provider, Wait, from_recording
from places import SHIPPED
from samples import BASES, CHAT, FIREWORKS_CHAT, chunks_of, dumped, load
from serving import WIRETAPE, Serve, command_line
from wiretape.cluster.balancer import haproxy, has_reuseport

BODY: dict[str, Any] = {key: value for key, value in load(CHAT)["request"]["body"].items() if value != {}}
ALL = chunks_of(load(CHAT))
TAKES = 24

needs_haproxy = pytest.mark.skipif(haproxy() is None, reason="HAProxy is not on this machine")
BALANCES = [
    pytest.param("haproxy", marks=needs_haproxy),
    pytest.param("reuseport", marks=pytest.mark.skipif(not has_reuseport(), reason="the kernel cannot balance")),
]
pytestmark = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are looked at in /proc")


@pytest.fixture(scope="module", params=BALANCES)
def team(request: pytest.FixtureRequest) -> Iterator[Serve]:
    """Of three workers, for all that only replay: what a test counts, it counts from where it began."""
    with Serve(SHIPPED, "replay", balance=request.param, fork=True) as serve:
        yield serve
        assert serve.connects() == []


@pytest.fixture
def takes(tmp_path: Path) -> Path:
    """A session whose one request has many takes: the chunks' id tells which is which."""
    content = CHAT.read_text("utf-8")
    folder = tmp_path / "recordings" / "default" / "responses"
    folder.mkdir(parents=True)
    for number in range(1, TAKES + 1):
        name = CHAT.stem if number == 1 else f"{CHAT.stem}.{number}"
        text = content.replace(ALL[0]["id"], f"take-{number}")
        (folder / f"{name}.json").write_text(text, "utf-8")
    return tmp_path / "recordings"


def ask(proxy: Serve, retries: int = 0) -> list[Any]:
    """The chunks, over a connection of its own."""
    with openai_client(proxy, max_retries=retries) as client:
        return [dumped(chunk) for chunk in client.chat.completions.create(**BODY)]


def ask_many(proxy: Serve, count: int) -> list[list[Any]]:
    # Clients take proxy and CA from the environment, which is the process's: made one after the other.
    clients = [openai_client(proxy, max_retries=0) for _ in range(count)]
    try:
        with ThreadPoolExecutor(16) as pool:
            streams = pool.map(lambda client: [*client.chat.completions.create(**BODY)], clients)
            return [[dumped(chunk) for chunk in chunks] for chunks in streams]
    finally:
        for client in clients:
            client.close()


def kill_one(team: Serve) -> None:
    """Kill a worker, and wait until there is another one in its place."""
    before = team.workers()
    # The first of them has run for longest: a new one comes last.
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: len(team.workers()) == len(before) and team.workers() != before, 30)
    team.wait_for_workers(len(before))


def is_gone(process: int) -> bool:
    return not command_line(process)


def test_many_clients_get_their_answers_from_all_workers(team: Serve) -> None:
    before = team.counters()
    assert ask_many(team, 48) == [ALL] * 48
    team.wait_for_hits(before.hits + 48)
    assert team.counters().connections == 0
    # What each has saved: 14 tokens that were read, 26 that were said, at 20 cents a million.
    wait_until(lambda: team.counters().saved_usd == Decimal("0.000008") * team.counters().hits)
    shares = [len(re.findall(rf"^\[{worker}\] .*client connect$", team.log(), re.MULTILINE)) for worker in (1, 2, 3)]
    assert min(shares) >= 4, shares


def test_the_page_tells_of_workers_and_health(team: Serve) -> None:
    assert "\nwiretape_workers 3.0\n" in team.page()
    assert team.page("/healthz") == "ok\n"


def test_status_shows_what_was_counted(team: Serve) -> None:
    before = team.counters().hits
    ask(team)
    team.wait_for_hits(before + 1)
    shown = wiretape("status", "--url", team.metrics_url)
    heading, session, total = shown.stdout.splitlines()
    assert heading.split()[:3] == ["session", "hits", "misses"]
    assert session.split()[:2] == ["default", f"{before + 1}"]
    assert total.split()[:2] == ["total", f"{before + 1}"]


@pytest.mark.parametrize("balance", BALANCES)
def test_takes_come_in_order_whichever_worker_answers(balance: str, takes: Path) -> None:
    options = {"wiretape_takes": "sequence"}
    with Serve(takes, "replay", workers=2, balance=balance, options=options, fork=True) as team:
        first = [ask(team)[0]["id"] for _ in range(6)]
        assert first == [f"take-{number}" for number in range(1, 7)]
        # Each once, and none twice, however many ask at the same time; a worker that comes back goes on, not anew.
        kill_one(team)
        rest = [chunks[0]["id"] for chunks in ask_many(team, TAKES - 6)]
        assert sorted(rest) == sorted(f"take-{number}" for number in range(7, TAKES + 1))


def restarts(team: Serve) -> int:
    return sum(int(float(count)) for count in re.findall(r"^wiretape_worker_restarts_.* (\S+)$", team.page(), re.M))


def test_what_killed_workers_have_counted_stays_counted(team: Serve) -> None:
    hits, started = team.counters().hits, restarts(team)
    for kills in (1, 2):
        ask_many(team, 12)
        team.wait_for_hits(hits + 12 * kills)
        kill_one(team)
    team.wait_for_hits(hits + 24)
    assert restarts(team) == started + 2


def test_a_worker_that_is_killed_costs_no_later_request(team: Serve) -> None:
    stop = threading.Event()
    answers: list[list[Any]] = []
    broken: list[openai.OpenAIError] = []

    def go_on() -> None:
        while not stop.is_set():
            try:
                answers.append(ask(team, retries=2))
            except openai.OpenAIError as e:
                broken.append(e)

    asking = threading.Thread(target=go_on)
    asking.start()
    try:
        kill_one(team)
    finally:
        stop.set()
        asking.join()
    assert answers
    assert all(answer == ALL for answer in answers)
    assert len(broken) <= 1  # The one that was being answered, at most.


@needs_haproxy
def test_haproxy_comes_back_too_and_no_client_is_refused_meanwhile() -> None:
    with Serve(SHIPPED, "replay", workers=1, fork=True) as team:
        assert ask(team) == ALL
        before = wait_until(lambda: team.children("haproxy.cfg"))[0]
        os.kill(before, signal.SIGKILL)
        assert ask(team) == ALL
        assert team.children("haproxy.cfg") not in ([], [before])


@pytest.mark.parametrize("balance", BALANCES)
def test_sigterm_ends_all_and_what_was_recorded_is_written(balance: str, recordings: Path, provider: Provider) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT))
    with Serve(recordings, "record", workers=2, balance=balance, origin=provider, fork=True) as team:
        processes = team.children()
        assert ask(team) == ALL
        assert team.stop(signal.SIGTERM) == 0
        assert all(is_gone(process) for process in processes)
    assert (recordings / "default" / "responses" / CHAT.name).read_bytes() == CHAT.read_bytes()


@pytest.mark.parametrize("balance", BALANCES)
def test_nothing_is_left_when_it_is_killed(balance: str) -> None:
    # All of them are started, as no test here starts others.
    with Serve(SHIPPED, "replay", workers=2, balance=balance) as team:
        wait_until(lambda: len(team.children()) == (3 if balance == "haproxy" else 2))
        processes = team.children()
        team.process.kill()
        wait_until(lambda: all(is_gone(process) for process in processes), 20)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A file of tokens, and the token: made once, as the command takes a second."""
    file = tmp_path_factory.mktemp("tokens") / "wiretape-tokens.toml"
    created = wiretape("token", "create", "--session", "*", "--role", "read", "--file", file)
    return file, created.stdout.strip()


@pytest.mark.parametrize("balance", BALANCES)
def test_open_to_other_machines_it_lets_in_who_has_a_token_and_counts_by_session(
    balance: str, tokens: tuple[Path, str], tmp_path: Path
) -> None:
    for session in ("checkout", "search"):
        shutil.copytree(CHAT.parent, tmp_path / "recordings" / session / "responses")
    file, token = tokens
    chosen: dict[str, Any] = {"options": {"wiretape_tokens": str(file)}, "args": ["--listen", "0.0.0.0:0"]}
    with Serve(tmp_path / "recordings", "replay", workers=2, balance=balance, fork=True, **chosen) as team:

        def post(credentials: str) -> int:
            proxy = f"http://{credentials}127.0.0.1:{team.port}"
            context = ssl.create_default_context(cafile=str(team.ca_file))
            with httpx.Client(proxy=proxy, verify=context, trust_env=False) as client:
                return client.post(f"{BASES['api.fireworks.ai']}/chat/completions", json=BODY).status_code

        assert [post(f"checkout:{token}@") for _ in range(4)] == [200] * 4
        assert [post(f"search:{token}@") for _ in range(2)] == [200] * 2
        for credentials in ("", "checkout:wrong@"):
            with pytest.raises(httpx.ProxyError, match="407"):
                post(credentials)
        team.wait_for_hits(6)
        assert {session: counted.hits for session, counted in team.sessions().items() if counted.hits} == {
            "checkout": 4,
            "search": 2,
        }


def test_a_stream_goes_on_while_another_worker_dies(recordings: Path, provider: Provider) -> None:
    go_on = threading.Event()
    provider.on(FIREWORKS_CHAT, from_recording(CHAT).insert(3, Wait(go_on)))
    balance = "haproxy" if haproxy() else "reuseport"
    with Serve(recordings, "record", workers=2, balance=balance, origin=provider, fork=True) as team:
        with openai_client(team, max_retries=0) as client:
            stream = client.chat.completions.create(**BODY)
            chunks = [next(stream)]
            # The one that has a connection to the provider is the one that carries it.
            wait_until(lambda: "server connect" in team.log())
            busy = 1 if "[1] " in next(line for line in team.log().splitlines() if "server connect" in line) else 2
            workers = {int(spares.role(each).split()[1]): each for each in team.workers()}
            os.kill(workers[3 - busy], signal.SIGKILL)
            team.wait_for_log(rf"\[{3 - busy}\] was ended by signal 9")
            go_on.set()
            chunks += stream
        assert [dumped(chunk) for chunk in chunks] == ALL


ONE_WORKER = ["serve", "--workers", "1", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]
REFUSED = {
    "a wrong value": (["--set", "wiretape_mode=repeat"], "live, record, replay, record-if-missing"),
    "no such option": (["--set", "wiretape_mood=replay"], "unknown option wiretape_mood"),
    "an open port without tokens": (["--listen", "0.0.0.0:0"], "wiretape token create --session NAME --role write"),
    "no address": (["--listen", "here"], "HOST:PORT"),
    "no balance": (["--balance", "nginx"], "haproxy, reuseport"),
    "no worker": (["--workers", "0"], "one at least"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_is_told_with_exit_code_2(what: str, tmp_path: Path) -> None:
    arguments, message = REFUSED[what]
    code, output = refused([*arguments, "--set", f"confdir={tmp_path}"])
    assert code == 2, output
    assert message in output
    assert "Traceback" not in output


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for flag in ("--listen", "--metrics"):
            code, output = refused([flag, address])
            assert code == 2
            assert f"cannot listen on {address}" in output


@pytest.mark.skipif(not has_reuseport(), reason="the kernel cannot balance")
def test_without_haproxy_it_says_how_to_get_it_and_goes_on() -> None:
    # In a view of the files of its own, where no program is behind the name.
    within = ["unshare", "--mount", "sh", "-c", 'mount --bind /dev/null "$0" && exec "$@"', haproxy() or ""]
    if haproxy() and subprocess.run([*within, "true"], capture_output=True, check=False).returncode:
        pytest.skip("HAProxy is on this machine, and cannot be hidden without being root")
    # A wrong option ends it, but only after it has chosen.
    arguments = [*ONE_WORKER, "--set", "wiretape_mode=repeat"]
    command = [*(within if haproxy() else []), *WIRETAPE, *arguments]
    env = {**os.environ, "COLUMNS": "200"}
    result = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    code, output = result.returncode, result.stderr
    assert code == 2
    assert "apt install haproxy" in output
    assert "--balance reuseport" in output
    assert "live, record, replay" in output


def refused(arguments: list[str]) -> tuple[int, str]:
    result = wiretape(*ONE_WORKER, *arguments, env={**os.environ, "COLUMNS": "200"})
    return result.returncode, result.stdout + result.stderr
