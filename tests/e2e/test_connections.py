"""Connections: which certificate a client gets, that strict ones take it, and that what users set up still holds."""

import json
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from mitmproxy import certs

from harness import Mitmdump
from loopback import Provider
from samples import CHAT, FIREWORKS_CHAT, RESPONSES, load

HOST = "api.fireworks.ai"
BODY = json.dumps(load(CHAT)["request"]["body"]).encode()
REQUEST = (
    f"POST {FIREWORKS_CHAT} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
    f"Content-Length: {len(BODY)}\r\nConnection: close\r\n\r\n"
).encode() + BODY


def replaying(options: Mapping[str, str] | None = None, env: Mapping[str, str] | None = None) -> Mitmdump:
    return Mitmdump(RESPONSES.parents[1], "replay", options=options, env=env)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mitmdump]:
    """With a CA as mitmproxy makes it: its key is of RSA."""
    confdir = tmp_path_factory.mktemp("confdir")
    certs.CertStore.from_store(confdir, "mitmproxy", 2048)
    with replaying({"confdir": str(confdir)}) as proxy:
        yield proxy


def client(proxy: Mitmdump) -> ssl.SSLContext:
    """What a client of Python 3.13 has: strict."""
    made = ssl.create_default_context(cafile=str(proxy.ca_file))
    made.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return made


def connect(proxy: Mitmdump, tls: ssl.SSLContext, host: str = HOST) -> ssl.SSLSocket:
    raw = socket.create_connection(("127.0.0.1", proxy.port), timeout=60)
    raw.sendall(f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        more = raw.recv(4096)
        assert more, head
        head += more
    return tls.wrap_socket(raw, server_hostname=host)


def leaf(connection: ssl.SSLSocket) -> x509.Certificate:
    data = connection.getpeercert(binary_form=True)
    assert data
    return x509.load_der_x509_certificate(data)


def ask(connection: ssl.SSLSocket) -> bytes:
    """The whole answer."""
    connection.sendall(REQUEST)
    got = b""
    while more := connection.recv(65536):
        got += more
    assert got.startswith(b"HTTP/1.1 200 "), got
    assert b"[DONE]" in got
    return got


def test_a_strict_client_is_served_with_a_key_on_the_curve(proxy: Mitmdump) -> None:
    with connect(proxy, client(proxy)) as connection:
        assert isinstance(leaf(connection).public_key(), ec.EllipticCurvePublicKey)
        ask(connection)


def test_each_host_has_its_own_certificate(proxy: Mitmdump) -> None:
    serials: dict[str, int] = {}
    for host in (HOST, "api.openai.com", HOST, "api.anthropic.com"):
        with connect(proxy, client(proxy), host) as connection:
            certificate = leaf(connection)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [host]
        assert serials.setdefault(host, certificate.serial_number) == certificate.serial_number
    assert len({*serials.values()}) == 3


def test_an_address_has_a_certificate(provider: Provider) -> None:
    with (
        Mitmdump(mode="live", proxy_mode=f"reverse:https://127.0.0.1:{provider.port}", origin=provider) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as raw,
        client(proxy).wrap_socket(raw, server_hostname="127.0.0.1") as connection,
    ):
        certificate = leaf(connection)
        assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)


@pytest.mark.parametrize(("offered", "agreed"), [(["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1"), ([], None)])
def test_the_protocol_is_negotiated(proxy: Mitmdump, offered: list[str], agreed: str | None) -> None:
    tls = client(proxy)
    if offered:
        tls.set_alpn_protocols(offered)
    with connect(proxy, tls) as connection:
        assert connection.selected_alpn_protocol() == agreed


@pytest.mark.parametrize(
    ("ciphers", "key"),
    [("ECDHE+AESGCM", ec.EllipticCurvePublicKey), ("ECDHE-RSA-AES128-GCM-SHA256", rsa.RSAPublicKey)],
)
def test_an_older_client(proxy: Mitmdump, ciphers: str, key: type) -> None:
    """TLS 1.2, with the curve and without."""
    tls = client(proxy)
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.set_ciphers(ciphers)
    with connect(proxy, tls) as connection:
        assert connection.version() == "TLSv1.2"
        assert isinstance(leaf(connection).public_key(), key)
        ask(connection)


def test_a_session_can_be_taken_up_again(proxy: Mitmdump) -> None:
    """With the host that it was begun with; with another one there is a whole handshake."""
    tls = client(proxy)
    with connect(proxy, tls) as connection:
        ask(connection)
        session = connection.session
    for host, reused in ((HOST, True), ("api.openai.com", False)):
        raw = socket.create_connection(("127.0.0.1", proxy.port), timeout=60)
        raw.sendall(f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode())
        assert raw.recv(4096).endswith(b"\r\n\r\n")
        with tls.wrap_socket(raw, server_hostname=host, session=session) as connection:
            assert connection.session_reused is reused
            if reused:
                ask(connection)


def test_curl_and_openssl_take_it(proxy: Mitmdump, tmp_path: Path) -> None:
    curl, openssl = shutil.which("curl"), shutil.which("openssl")
    if not curl or not openssl:
        pytest.skip("curl and openssl are needed")
    body = tmp_path / "body"
    body.write_bytes(BODY)
    url = f"https://{HOST}{FIREWORKS_CHAT}"
    ca = ["--cacert", str(proxy.ca_file)]
    asked = [curl, "-sSf", "-x", proxy.proxy_url, *ca, "-H", "Content-Type: application/json", "-d", f"@{body}", url]
    assert "[DONE]" in subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout
    shaken = [openssl, "s_client", "-proxy", f"127.0.0.1:{proxy.port}", "-connect", f"{HOST}:443", "-servername", HOST]
    shaken += ["-verify_return_error", "-x509_strict", "-verify_hostname", HOST, "-CAfile", str(proxy.ca_file)]
    done = subprocess.run(shaken, input="", capture_output=True, text=True, check=False, timeout=60)
    assert "Verify return code: 0 (ok)" in done.stdout, done.stdout + done.stderr
    assert re.search(r"Peer signature type: ecdsa", done.stdout, re.IGNORECASE)


def test_the_users_certificate_is_served(tmp_path: Path) -> None:
    authority = trustme.CA()
    mine = authority.issue_cert(HOST)
    file, ca = tmp_path / "mine.pem", tmp_path / "ca.pem"
    mine.private_key_and_cert_chain_pem.write_to_path(file)
    authority.cert_pem.write_to_path(ca)
    with replaying({"certs": f"{HOST}={file}"}) as proxy:
        for _ in range(2):
            with connect(proxy, ssl.create_default_context(cafile=ca)) as connection:
                assert leaf(connection) == x509.load_pem_x509_certificate(mine.cert_chain_pems[0].bytes())
                ask(connection)
        with connect(proxy, client(proxy), "api.openai.com") as connection:
            assert isinstance(leaf(connection).public_key(), ec.EllipticCurvePublicKey)


def test_a_client_certificate_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "client.pem"
    trustme.CA().issue_cert("someone@example.com").private_key_and_cert_chain_pem.write_to_path(file)
    seen = tmp_path / "seen.py"
    seen.write_text(
        "import logging\n"
        "def tls_established_client(data):\n"
        "    logging.warning('client certificates: %s', len(data.conn.certificate_list))\n"
    )
    with Mitmdump(
        RESPONSES.parents[1], "replay", options={"request_client_cert": "true"}, args=["-s", str(seen)]
    ) as proxy:
        tls = client(proxy)
        with connect(proxy, tls) as connection:
            ask(connection)
        proxy.wait_for_log("client certificates: 0")
        tls.load_cert_chain(file)
        with connect(proxy, tls) as connection:
            ask(connection)
        proxy.wait_for_log("client certificates: [12]")


def test_the_key_log_is_written(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    with replaying(env={"SSLKEYLOGFILE": str(keys)}) as proxy, connect(proxy, client(proxy)) as connection:
        assert isinstance(leaf(connection).public_key(), ec.EllipticCurvePublicKey)
        ask(connection)
    assert "SERVER_TRAFFIC_SECRET_0" in keys.read_text()


def test_addons_are_there_while_the_chain_is_short(tmp_path: Path) -> None:
    """An option that is set later, an addon that listens to the log, and who is told of the end."""
    script = tmp_path / "later.py"
    script.write_text(
        "import asyncio\n"
        "from mitmproxy import ctx\n"
        "lines = []\n"
        "def add_log(entry):\n"
        "    lines.append(entry.msg)\n"
        "def tls_established_client(data):\n"
        "    ctx.options.update(block_list=['/~u completions/444'])\n"
        "def done():\n"
        "    print('chain:', len(ctx.master.addons.chain), 'lines:', sum('client connect' in x for x in lines))\n"
    )
    hits = Mitmdump(RESPONSES.parents[1], "replay", options={"wiretape_lane": "flows"}, args=["-s", str(script)])
    with hits as proxy:
        with connect(proxy, client(proxy)) as connection:
            connection.sendall(REQUEST)
            assert connection.recv(4096) == b""
        proxy.wait_for_log("client disconnect")
        proxy.stop()
        told = proxy.wait_for_log(r"chain: (\d+) lines: (\d+)")
        assert int(told[1]) > 30  # As it was.
        assert int(told[2]) == 1
