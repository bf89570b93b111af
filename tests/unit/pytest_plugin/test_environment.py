import os

from wiretape.pytest_plugin import environment

PROXY = {
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "SSL_CERT_FILE": "/ca",
    "NO_PROXY": None,
}
WORKER = {
    "PYTEST_XDIST_WORKER": "gw1",
    "PYTEST_WIRETAPE": str(os.getppid()),
    "HTTPS_PROXY": "http://main:none@127.0.0.1:9",
}


def test_the_client_is_the_user_of_every_proxys_url() -> None:
    chosen = environment.variables(PROXY, {}, "main")
    assert chosen["HTTPS_PROXY"] == chosen["http_proxy"] == "http://main:none@127.0.0.1:9"
    assert chosen["SSL_CERT_FILE"] == "/ca"
    assert chosen["NO_PROXY"] is None


def test_a_process_of_xdist_puts_its_own_name_into_what_it_inherits() -> None:
    assert environment.client(WORKER) == "gw1"
    assert environment.variables({}, WORKER, "gw1")["HTTPS_PROXY"] == "http://gw1:none@127.0.0.1:9"


def test_a_pytest_that_a_test_starts_is_no_process_of_xdist() -> None:
    inherited = dict(WORKER)
    environment.apply(environment.variables({}, WORKER, "gw1"), inherited)
    assert not environment.is_inherited(inherited)
    assert environment.client({**WORKER, "PYTEST_WIRETAPE": "1"}) == "main"


def test_a_token_stays() -> None:
    url = environment.with_user("http://team:wt_secret@proxy.example:8080", "gw0")
    assert url == "http://gw0:wt_secret@proxy.example:8080"
    assert environment.token({"HTTPS_PROXY": url}) == "wt_secret"
    assert environment.token(WORKER) == environment.token({}) == ""


def test_what_was_before_comes_back() -> None:
    environ = {"HTTPS_PROXY": "http://company.example", "NO_PROXY": "db"}
    with environment.applied(PROXY, environ):
        assert environ == {name: value for name, value in PROXY.items() if value}
    assert environ == {"HTTPS_PROXY": "http://company.example", "NO_PROXY": "db"}
