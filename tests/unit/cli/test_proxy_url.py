"""The URL of a proxy: read as users write it, told without its token."""

import pytest

from wiretape.cli import proxy_url


@pytest.mark.parametrize(
    ("text", "value", "told"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("proxy.example", "http://proxy.example:8080", "http://proxy.example:8080"),
        ("http://proxy:9/", "http://proxy:9", "http://proxy:9"),
        ("http://[::1]:9", "http://[::1]:9", "http://[::1]:9"),
        ("sky+replay@proxy:9", "http://sky+replay@proxy:9", "http://sky+replay@proxy:9"),
        ("http://sky:wt_a-b@proxy:9", "http://sky:wt_a-b@proxy:9", "http://sky:***@proxy:9"),
        ("http://sky:p%40ss%2F%24@proxy:9", "http://sky:p%40ss%2F%24@proxy:9", "http://sky:***@proxy:9"),
        ("http://:wt_a@proxy:9", "http://:wt_a@proxy:9", "http://:***@proxy:9"),
    ],
)
def test_what_users_write(text: str, value: str, told: str) -> None:
    url = proxy_url.parse(text)
    assert url.value == value
    assert str(url) == told
    assert proxy_url.parse(url.value) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://secret:secret@proxy",
        "socks5://secret@proxy",
        "http://secret@",
        "http://secret@proxy:99999",
        "http://secret@proxy/path",
        "http://secret@proxy?q",
        "http://secret@pro xy",
        "http://secret@pro\nxy",
        "http://[secret",
    ],
)
def test_what_is_none_is_told_without_what_is_in_it(text: str) -> None:
    with pytest.raises(ValueError, match="it is http://HOST:PORT") as error:
        proxy_url.parse(text)
    assert "secret" not in str(error.value)
    assert error.value.__cause__ is None


def test_another_session_keeps_the_token_and_the_header_shows_both() -> None:
    url = proxy_url.parse("http://sky:wt_a@proxy:9").of_session("sea+replay")
    assert url.value == "http://sea+replay:wt_a@proxy:9"
    assert url.authorization == "Basic c2VhK3JlcGxheTp3dF9h"
    assert not proxy_url.parse("proxy:9").authorization


@pytest.mark.parametrize(("text", "here"), [("localhost", True), ("127.0.0.2:9", True), ("10.0.0.1:9", False)])
def test_whether_it_is_on_this_machine(text: str, here: bool) -> None:
    assert proxy_url.parse(text).is_here is here
