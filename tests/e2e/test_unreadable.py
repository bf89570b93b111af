"""Recordings that cannot be read, before a real proxy and a real SDK: nothing is asked of the provider again."""

import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import openai
import pytest

from harness import Mitmdump, openai_client, wait_until
from loopback import Provider
from talk import Talk, ask, httpx_client, post, said, written

MODES = ["", "default+replay:x"]


@pytest.fixture
def talk(provider: Provider) -> Talk:
    return Talk(provider)


@pytest.fixture
def proxy(talk: Talk, recordings: Path) -> Iterator[Mitmdump]:
    """A proxy that has two recordings, and reads them for each request."""
    with Mitmdump(recordings, origin=talk.provider, options={"wiretape_cache": "0"}) as proxy:
        with openai_client(proxy) as client:
            assert ask(client, "one") == "answer 1 to one"
            assert ask(client, "two") == "answer 2 to two"
        wait_until(lambda: written(recordings) == {"default": ["one", "two"]})
        proxy.wait_for_log("recorded.*\n(.*\n)*.*recorded")
        yield proxy


def file(path: Path) -> None:
    path.write_bytes(b"in the way")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def dangle(path: Path) -> None:
    path.symlink_to("not-mounted")


DAMAGE: list[tuple[str, Callable[[Path], None]]] = [
    (place, break_)
    for place in ("default/wire", "default/responses", "default", ".")
    for break_ in (file, loop, dangle)
    if place != "." or break_ is file
]
"""What is broken, and how. To root, who may read all, a file of its own is never unreadable."""


def test_what_cannot_be_read_is_unavailable_and_not_sent_again(proxy: Mitmdump, talk: Talk, recordings: Path) -> None:
    aside = recordings.parent / "aside"
    for place, break_ in DAMAGE:
        path = recordings / place
        path.rename(aside)
        break_(path)
        for credentials in MODES:
            with openai_client(proxy, credentials=credentials, max_retries=0) as client:
                with pytest.raises(openai.APIStatusError) as raised:
                    ask(client, "one")
                assert (raised.value.status_code, raised.value.code) == (503, "recordings_unavailable"), place
        path.unlink()
        aside.rename(path)
        for credentials in MODES:
            with openai_client(proxy, credentials=credentials, max_retries=0) as client:
                assert ask(client, "one") == "answer 1 to one", place
    assert talk.questions == ["one", "two"]


def test_a_session_of_which_it_cannot_be_told_whether_it_is_frozen_is_not_recorded_in(
    proxy: Mitmdump, talk: Talk, recordings: Path
) -> None:
    file(recordings / "default" / ".wiretape")
    with openai_client(proxy, max_retries=0) as client:
        with pytest.raises(openai.APIStatusError, match="whether session default is frozen") as raised:
            ask(client, "three")
        assert (raised.value.status_code, raised.value.code) == (503, "recordings_unavailable")
    for credentials in MODES:
        with openai_client(proxy, credentials=credentials) as client:
            assert ask(client, "one") == "answer 1 to one"
    assert talk.questions == ["one", "two"]
    with openai_client(proxy, credentials="default+record:x") as client:
        assert ask(client, "one") == "answer 3 to one", "a client that wants it live gets it"
    proxy.wait_for_log("RECORDING LOST")
    assert written(recordings) == {"default": ["one", "two"]}


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="no prlimit here")
def test_a_proxy_without_file_descriptors_asks_nobody_again(proxy: Mitmdump, talk: Talk, recordings: Path) -> None:
    limits = resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE)
    with httpx_client(proxy) as client:
        once = said(post(client, "one"))
        # Until it is written, who asks the same follows.
        wait_until(lambda: said(post(client, "one")) == once and "hit " in proxy.log())
        # What is open stays open, and nothing else can be opened.
        resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            answers = [post(client, "one") for _ in range(3)]
        finally:
            resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE, limits)
        assert [answer.status_code for answer in answers] == [503] * 3
        assert all(answer.json()["error"]["code"] == "recordings_unavailable" for answer in answers)
        assert said(post(client, "one")) == once
    assert talk.questions == ["one", "two", "one"]
