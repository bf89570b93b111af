"""Who may ask the reverse port and the page of counters: programs, and no web page that somebody else has made."""

import pytest

from wiretape.network.dns_rebinding import Visits, own_names

NAMES = own_names("proxy.example, *.corp.example", ("0.0.0.0", "Listen.Example.", ""))

OWN = ["127.0.0.1:8081", "127.0.0.1", "localhost:8081", "LOCALHOST.", "app.localhost:1", "[::1]:8081", "[::1]"]
OWN += ["10.0.0.5:8081", "[fd00::1]", "0.0.0.0", "2130706433", "proxy.example:8081", "PROXY.example."]
OWN += ["a.b.corp.example", "listen.example", "127.0.0.1:"]

FOREIGN = ["evil.example", "evil.example:8081", "127.0.0.1.evil.example", "localhost.evil.example", "corp.example", ""]
FOREIGN += [" ", "evilcorp.example", "proxy.example.evil.example", "x@127.0.0.1", "127.0.0.1@evil.example", "*", "a b"]
FOREIGN += ["http://127.0.0.1", "127.0.0.1/", "127.0.0.1:80:80", "[::1", "::1", "127.0.0.1, evil.example"]
FOREIGN += ["evil.example#127.0.0.1"]


@pytest.mark.parametrize("host", OWN)
def test_who_asks_for_a_host_of_ours(host: str) -> None:
    assert NAMES.stranger((host,), None, None) is None


@pytest.mark.parametrize("host", FOREIGN)
def test_who_asks_for_another_host(host: str) -> None:
    stranger = NAMES.stranger((host,), None, None)
    assert stranger
    assert stranger.status == 421
    assert "wiretape_hosts" in stranger.reason


def test_who_asks_for_none_is_no_browser_and_who_asks_for_two_is_refused() -> None:
    assert NAMES.stranger((), None, None) is None
    assert NAMES.stranger(("127.0.0.1", "127.0.0.1"), None, None)


@pytest.mark.parametrize(
    ("host", "origin", "site", "refused"),
    [
        ("127.0.0.1:8081", "http://127.0.0.1:8081", "same-origin", False),
        ("127.0.0.1:8081", "http://localhost:3000", "cross-site", False),
        ("127.0.0.1:8081", "https://proxy.example", None, False),
        ("10.0.0.5:8081", "http://10.0.0.5:8081", None, False),
        ("10.0.0.5:8081", "http://10.0.0.6:8081", None, True),
        ("127.0.0.1:8081", "http://evil.example", None, True),
        ("127.0.0.1:8081", "https://evil.example", "same-origin", True),
        ("127.0.0.1:8081", "http://127.0.0.1.evil.example", None, True),
        ("127.0.0.1:8081", "null", None, True),
        ("127.0.0.1:8081", "", None, True),
        ("127.0.0.1:8081", "file://", None, True),
        ("127.0.0.1:8081", "http://localhost@evil.example", None, True),
        ("127.0.0.1:8081", "http://localhost http://evil.example", None, True),
        ("127.0.0.1:8081", None, "cross-site", True),
        ("127.0.0.1:8081", None, "Cross-Site ", True),
        ("127.0.0.1:8081", None, "same-site", False),
        ("127.0.0.1:8081", None, "none", False),
    ],
)
def test_a_web_page_of_another_origin_is_refused(
    host: str, origin: str | None, site: str | None, refused: bool
) -> None:
    assert (NAMES.stranger((host,), origin, site) is not None) is refused


def test_of_one_connection_each_request_is_asked() -> None:
    visits = Visits(NAMES)
    here, elsewhere = (b"127.0.0.1",), (b"evil.example",)
    asked = [(here, None), (here, None), (elsewhere, None), (elsewhere, None), (here, None), (here, b"http://evil")]
    answered = [visits.stranger(hosts, origin, None) is None for hosts, origin in asked]
    assert answered == [True, True, False, False, True, False]
    assert visits.stranger((b"\xe9vil\xff",), None, b"cross-site")


@pytest.mark.parametrize("listed", ["*", "a:80", "http://a", "a*.b", "a b", "[::1]", "*.*.a"])
def test_a_wrong_list_is_told(listed: str) -> None:
    with pytest.raises(ValueError, match=r"proxy\.example,\*\.corp\.example"):
        own_names(f"good.example,{listed}")
