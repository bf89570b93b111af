"""What a command behind the proxy finds in its environment: every way to the proxy and its CA, and nothing past it."""

import os
import shlex

import pytest

from wiretape.cli.certificates import TrustFiles
from wiretape.cli.environment import NODE_PRELOAD, child_environment

PROXY = "http://127.0.0.1:4321"
TRUST = TrustFiles("/t/ca.pem", "/t/java store.p12", "/t/php")
PEM_VARIABLES = """
SSL_CERT_FILE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS GIT_SSL_CAINFO PIP_CERT AWS_CA_BUNDLE
CARGO_HTTP_CAINFO DENO_CERT GRPC_DEFAULT_SSL_ROOTS_FILE_PATH HTTPLIB2_CA_CERTS CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE
PERL_LWP_SSL_CA_FILE NIX_SSL_CERT_FILE CODEX_CA_CERTIFICATE
"""


def child(**environ: str) -> dict[str, str]:
    return child_environment(environ, PROXY, TRUST)


def test_every_name_of_a_proxy_and_of_a_ca_is_ours() -> None:
    found = child(HTTPS_PROXY="http://company:8080", http_proxy="x", SSL_CERT_FILE="/other.pem", HOME="/home/jane")
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        assert found[name] == PROXY
    for name in PEM_VARIABLES.split():
        assert found[name] == "/t/ca.pem", name
    assert found["NODE_USE_ENV_PROXY"] == "1"
    assert found["AIOHTTP_TRUST_ENV"] == "True"
    assert found["DENO_NO_UPDATE_CHECK"] == "1"
    assert found["HOME"] == "/home/jane"


def test_what_stands_for_all_protocols_is_not_added_but_leads_to_us() -> None:
    assert not {"ALL_PROXY", "all_proxy"} & child().keys()
    assert child(ALL_PROXY="socks5://x")["ALL_PROXY"] == PROXY
    assert child(all_proxy="socks5://x")["all_proxy"] == PROXY


@pytest.mark.parametrize(
    ("said", "kept"),
    [("*", None), ("", None), ("db.local, *,", "db.local"), ("a, b ,c", "a,b,c"), ("*.local", "*.local")],
)
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_hosts_that_go_past_a_proxy_stay_but_not_all(name: str, said: str, kept: str | None) -> None:
    assert child(**{name: said}).get(name) == kept


def test_the_control_api_is_told_and_reached_past_the_proxy() -> None:
    control = "http://127.0.0.1:9465"
    found = child_environment({"WIRETAPE_CONTROL": "http://127.0.0.1:1"}, PROXY, TRUST, control=control)
    assert found["WIRETAPE_CONTROL"] == control
    assert found["NO_PROXY"] == found["no_proxy"] == "127.0.0.1:9465"
    assert "127.0.0.1" not in found["NO_PROXY"].split(","), "a provider on this machine goes through the proxy"
    around = child(WIRETAPE_CONTROL="http://127.0.0.1:1")
    assert "WIRETAPE_CONTROL" not in around, "that of a proxy around this one is about other calls"


def test_java_is_told_by_options() -> None:
    options = shlex.split(child(JAVA_TOOL_OPTIONS="-Xmx1g", NO_PROXY=".corp.example,db:5432,::1")["JAVA_TOOL_OPTIONS"])
    assert options == [
        "-Xmx1g",
        "-Dhttps.proxyHost=127.0.0.1",
        "-Dhttps.proxyPort=4321",
        "-Dhttp.proxyHost=127.0.0.1",
        "-Dhttp.proxyPort=4321",
        "-Dhttp.nonProxyHosts=localhost|127.*|[::1]|corp.example|*.corp.example|db|*.db|::1|*.::1",
        "-Djavax.net.ssl.trustStore=/t/java store.p12",
        "-Djavax.net.ssl.trustStoreType=PKCS12",
        "-Djavax.net.ssl.trustStorePassword=",
    ]


def test_php_reads_our_folder_after_its_own() -> None:
    assert child()["PHP_INI_SCAN_DIR"] == f"{os.pathsep}/t/php"
    assert child(PHP_INI_SCAN_DIR="/own")["PHP_INI_SCAN_DIR"] == f"/own{os.pathsep}/t/php"


def test_node_has_the_preload_once() -> None:
    options = child(NODE_OPTIONS="--inspect")["NODE_OPTIONS"]
    assert shlex.split(options) == ["--inspect", "--require", str(NODE_PRELOAD)]
    assert child(NODE_OPTIONS=options)["NODE_OPTIONS"] == options
    assert NODE_PRELOAD.is_file()


def test_the_given_environment_is_not_changed() -> None:
    environ = {"NO_PROXY": "*"}
    child_environment(environ, PROXY, TRUST)
    assert environ == {"NO_PROXY": "*"}
