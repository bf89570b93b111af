"""Where the proxy may listen: elsewhere for those alone who have a token, and who can show it."""

from collections.abc import Mapping

import pytest
from mitmproxy import exceptions
from mitmproxy.options import Options

from wiretape.proxy.compat import loopback
from wiretape.proxy.configure import check_listening

HERE = [
    {},
    {"listen_host": ""},
    {"listen_host": "127.0.0.1"},
    {"listen_host": "127.8.9.10"},
    {"listen_host": "::1"},
    {"listen_host": "localhost"},
    {"mode": ["regular@8081", "reverse:https://api.example.com@127.0.0.1:8082"]},
]
ELSEWHERE = [
    ({"listen_host": "0.0.0.0"}, "0.0.0.0"),
    ({"listen_host": "::"}, "::"),
    ({"listen_host": "192.0.2.7"}, "192.0.2.7"),
    ({"listen_host": "tape.internal"}, "tape.internal"),
    ({"mode": ["regular@0.0.0.0:8081"]}, "0.0.0.0"),
    ({"mode": ["regular", "reverse:https://api.example.com@192.0.2.7:8082"]}, "192.0.2.7"),
    ({"listen_host": "127.0.0.1", "mode": ["regular@tape.internal:8081"]}, "tape.internal"),
]
MODES = ["regular", "upstream:http://proxy.example.com:3128", "reverse:https://api.example.com"]
MODES += ["reverse:http://api.example.com", "regular@0.0.0.0:8081"]
CANNOT_SHOW = ["socks5", "transparent", "dns", "reverse:tcp://api.example.com:443", "reverse:dns://192.0.2.7"]
CANNOT_SHOW += ["wireguard", "local"]


def options(chosen: Mapping[str, object], tokens: str = "") -> Options:
    found = Options(**chosen)
    found.add_option("wiretape_tokens", str, tokens, "")
    return found


@pytest.mark.parametrize("chosen", HERE)
def test_this_machine_alone_needs_no_tokens(chosen: dict[str, object]) -> None:
    found = options(chosen)
    assert loopback.elsewhere(found) == ""
    check_listening(found)


@pytest.mark.parametrize(("chosen", "host"), ELSEWHERE)
def test_elsewhere_needs_tokens_and_says_how_to_make_one(chosen: dict[str, object], host: str) -> None:
    found = options(chosen)
    assert loopback.elsewhere(found) == host
    with pytest.raises(exceptions.OptionsError) as raised:
        check_listening(found)
    for part in (host, "wiretape token create", "wiretape_tokens"):
        assert part in str(raised.value)


@pytest.mark.parametrize(("chosen", "host"), ELSEWHERE)
def test_with_tokens_it_may_listen_anywhere(chosen: dict[str, object], host: str) -> None:
    check_listening(options(chosen, "tokens.toml"))


@pytest.mark.parametrize("mode", MODES)
def test_with_tokens_in_the_modes_in_which_one_can_be_shown(mode: str) -> None:
    check_listening(options({"mode": [mode]}, "tokens.toml"))


@pytest.mark.parametrize("mode", CANNOT_SHOW)
def test_with_tokens_no_mode_in_which_none_can_be_shown(mode: str) -> None:
    with pytest.raises(exceptions.OptionsError, match="cannot name its token"):
        check_listening(options({"mode": ["regular", mode]}, "tokens.toml"))
