"""A handshake of ours with a strict client of Python's, in memory; certificates are those of mitmproxy's own addon."""

import contextlib
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from OpenSSL import SSL

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from mitmproxy import certs, connection
    from mitmproxy.addons import tlsconfig
    from mitmproxy.net import tls as net_tls
    from mitmproxy.proxy import context
    from mitmproxy.test import taddons, tflow
    from mitmproxy.tls import TlsData

    from wiretape.proxy.compat import supported
    from wiretape.proxy.layers import tls
    from wiretape.proxy.layers.tls import Handshake

HOST = "api.example.com"


@pytest.fixture(scope="module")
def confdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("confdir")
    certs.CertStore.from_store(folder, "mitmproxy", 2048)
    return folder


@pytest.fixture
def tctx(confdir: Path) -> Iterator[taddons.context]:
    config = tlsconfig.TlsConfig()
    with taddons.context(config) as tctx:
        tctx.configure(config, confdir=str(confdir))
        yield tctx


def start(tctx: taddons.context, sni: str | None = HOST, address: str = HOST, **chosen: Any) -> TlsData:
    made = context.Context(tflow.tclient_conn(), tctx.options)
    made.client.sni, made.client.alpn, made.client.cipher_list = sni, None, []
    made.client.sockname = ("127.0.0.1", 8080)
    made.server = connection.Server(address=(address, 443))
    made.layers = [object()] * 3  # type: ignore[list-item]
    data = TlsData(made.client, made, is_dtls=chosen.pop("is_dtls", False))
    for name, value in chosen.items():
        setattr(made if name == "layers" else made.client, name, value)
    return data


def connection_of(data: TlsData) -> SSL.Connection:
    assert data.ssl_conn
    return data.ssl_conn


def ours(tctx: taddons.context, sni: str | None = HOST, address: str = HOST, **chosen: Any) -> SSL.Connection:
    data = start(tctx, sni, address, **chosen)
    Handshake().tls_start_client(data)
    return connection_of(data)


def client(confdir: Path) -> ssl.SSLContext:
    """What a client of Python 3.13 has: strict."""
    made = ssl.create_default_context(cafile=str(confdir / "mitmproxy-ca-cert.pem"))
    made.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return made


def shake(server: SSL.Connection, tls: ssl.SSLContext, name: str = HOST) -> ssl.SSLObject:
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    made = tls.wrap_bio(to_client, to_server, server_hostname=name)
    for _ in range(10):
        for do, waits in ((made.do_handshake, ssl.SSLWantReadError), (server.do_handshake, SSL.WantReadError)):
            with contextlib.suppress(waits):
                do()
            if data := to_server.read():
                server.bio_write(data)
            with contextlib.suppress(SSL.WantReadError):
                to_client.write(server.bio_read(65535))
        if made.version() and made.cipher():
            break
    return made


def leaf(tls: ssl.SSLObject) -> x509.Certificate:
    data = tls.getpeercert(binary_form=True)
    assert data
    return x509.load_der_x509_certificate(data)


def sans(certificate: x509.Certificate) -> list[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names]


@pytest.mark.parametrize(
    ("sni", "address", "name", "names"),
    [
        (HOST, HOST, HOST, [HOST]),
        (HOST, "other.example", HOST, [HOST, "other.example"]),
        ("xn--bcher-kva.example", "bücher.example", "bücher.example", ["xn--bcher-kva.example"]),
        (None, "192.0.2.7", "192.0.2.7", ["127.0.0.1", "192.0.2.7"]),
        (None, "2001:db8::7", "2001:db8::7", ["127.0.0.1", "2001:db8::7"]),
        ("x" * 63 + ".example.com", HOST, "x" * 63 + ".example.com", ["x" * 63 + ".example.com", HOST]),
    ],
)
def test_a_strict_client_takes_the_curve(
    tctx: taddons.context, confdir: Path, *, sni: str | None, address: str, name: str, names: list[str]
) -> None:
    certificate = leaf(shake(ours(tctx, sni, address), client(confdir), name))
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    assert sans(certificate) == names


def test_the_certificate_is_mitmproxys_in_all_but_the_key(tctx: taddons.context, confdir: Path) -> None:
    data = start(tctx)
    config = tctx.master.addons.get("tlsconfig")
    known = config.get_cert(data.context).cert.to_cryptography()
    made = leaf(shake(ours(tctx), client(confdir)))
    for name in ("subject", "issuer", "not_valid_before_utc", "not_valid_after_utc"):
        assert getattr(made, name) == getattr(known, name), name
    assert [*made.extensions] == [*known.extensions]
    assert made.serial_number != known.serial_number


def test_organization_and_names_of_upstreams_certificate(tctx: taddons.context, confdir: Path) -> None:
    authority = trustme.CA()
    upstream = authority.issue_cert("upstream.example", organization_name="Upstream")
    data = start(tctx)
    data.context.server.certificate_list = [certs.Cert.from_pem(upstream.cert_chain_pems[0].bytes())]
    Handshake().tls_start_client(data)
    made = leaf(shake(connection_of(data), client(confdir)))
    assert sans(made) == ["upstream.example", HOST]
    assert "Upstream" in made.subject.rfc4514_string()


def test_a_client_without_the_curve_gets_rsa(tctx: taddons.context, confdir: Path) -> None:
    tls = client(confdir)
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    assert isinstance(leaf(shake(ours(tctx), tls)).public_key(), ec.EllipticCurvePublicKey)
    tls.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    assert isinstance(leaf(shake(ours(tctx), tls)).public_key(), rsa.RSAPublicKey)


def test_contexts_are_kept_for_each_host(tctx: taddons.context) -> None:
    made = Handshake()
    contexts = []
    for host in (HOST, HOST, "other.example"):
        data = start(tctx, host, host)
        made.tls_start_client(data)
        contexts.append(connection_of(data).get_context())
    assert contexts[0] is contexts[1]
    assert contexts[0] is not contexts[2]


def test_contexts_are_bounded(tctx: taddons.context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "_CONTEXTS", 2)
    made = Handshake()
    contexts = []
    for host in ("a.example", "b.example", "a.example", "c.example", "a.example", "b.example"):
        data = start(tctx, host, host)
        made.tls_start_client(data)
        contexts.append(connection_of(data).get_context())
    assert contexts[0] is contexts[2] is contexts[4]
    assert contexts[1] is not contexts[5]


@pytest.mark.parametrize(
    ("offered", "http2", "preset", "agreed"),
    [
        (["h2", "http/1.1"], True, None, "h2"),
        (["http/1.1", "h2"], True, None, "http/1.1"),
        (["h2", "http/1.1"], False, None, "http/1.1"),
        (["h2", "http/1.1"], True, b"http/1.1", "http/1.1"),
        (["foo"], True, None, None),
        ([], True, None, None),
    ],
)
def test_alpn_is_mitmproxys(
    tctx: taddons.context, confdir: Path, *, offered: list[str], http2: bool, preset: bytes | None, agreed: str | None
) -> None:
    tctx.options.http2 = http2
    tls = client(confdir)
    if offered:
        tls.set_alpn_protocols(offered)
    assert shake(ours(tctx, alpn=preset), tls).selected_alpn_protocol() == agreed


def test_options_hold_once_they_change(tctx: taddons.context, confdir: Path) -> None:
    made, versions = Handshake(), []
    for version in ("UNBOUNDED", "TLS1_2"):
        tctx.options.tls_version_client_max = version
        made.forget()
        data = start(tctx)
        made.tls_start_client(data)
        versions.append(shake(connection_of(data), client(confdir)).version())
    assert versions == ["TLSv1.3", "TLSv1.2"]


def test_a_new_authority_signs(tctx: taddons.context, confdir: Path, tmp_path: Path) -> None:
    made = Handshake()
    data = start(tctx)
    made.tls_start_client(data)
    config = tctx.master.addons.get("tlsconfig")
    tctx.configure(config, confdir=str(tmp_path))
    data = start(tctx)
    made.tls_start_client(data)
    assert leaf(shake(connection_of(data), client(tmp_path)))


def test_a_certificate_of_the_users_is_served_as_it_is(tctx: taddons.context, tmp_path: Path) -> None:
    authority = trustme.CA()
    mine = authority.issue_cert(HOST)
    file, ca = tmp_path / "mine.pem", tmp_path / "ca.pem"
    mine.private_key_and_cert_chain_pem.write_to_path(file)
    authority.cert_pem.write_to_path(ca)
    tctx.configure(tctx.master.addons.get("tlsconfig"), certs=[f"{HOST}={file}"])
    tls = ssl.create_default_context(cafile=ca)
    made = leaf(shake(ours(tctx), tls))
    assert made == x509.load_pem_x509_certificate(mine.cert_chain_pems[0].bytes())


def test_a_stronger_key_that_was_asked_for_is_used(
    tctx: taddons.context, confdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "_STRONGEST", 1024)
    assert isinstance(leaf(shake(ours(tctx), client(confdir))).public_key(), rsa.RSAPublicKey)


def test_the_key_log_is_written(
    tctx: taddons.context, confdir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = net_tls.MasterSecretLogger(tmp_path / "keys")
    monkeypatch.setattr(net_tls, "log_master_secret", log)
    shake(ours(tctx), client(confdir))
    log.close()
    assert "SERVER_TRAFFIC_SECRET_0" in (tmp_path / "keys").read_text()


@pytest.mark.parametrize(
    "options",
    [
        {"request_client_cert": True},
        {"add_upstream_certs_to_client_chain": True},
        {"ciphers_client": "ECDHE-RSA-AES128-GCM-SHA256"},
    ],
)
def test_unusual_options_are_left_to_mitmproxy(tctx: taddons.context, options: dict[str, Any]) -> None:
    tctx.options.update(**options)
    data = start(tctx)
    Handshake().tls_start_client(data)
    assert data.ssl_conn is None


@pytest.mark.parametrize(
    "chosen", [{"is_dtls": True}, {"cipher_list": ["ECDHE-RSA-AES128-GCM-SHA256"]}, {"layers": [object()] * 2}]
)
def test_unusual_connections_are_left_to_mitmproxy(tctx: taddons.context, chosen: dict[str, Any]) -> None:
    data = start(tctx, **chosen)
    Handshake().tls_start_client(data)
    assert data.ssl_conn is None


def test_what_another_addon_has_set_stays(tctx: taddons.context) -> None:
    data = start(tctx)
    data.ssl_conn = known = SSL.Connection(SSL.Context(SSL.TLS_SERVER_METHOD))
    Handshake().tls_start_client(data)
    assert data.ssl_conn is known


def test_another_tls_addon_is_not_circumvented(tctx: taddons.context) -> None:
    class Own(tlsconfig.TlsConfig):
        pass

    tctx.master.addons.lookup["tlsconfig"] = Own()
    data = start(tctx)
    Handshake().tls_start_client(data)
    assert data.ssl_conn is None


def test_a_failure_leaves_it_to_mitmproxy_and_is_told_once(
    tctx: taddons.context, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = Handshake()
    with monkeypatch.context() as patch:
        patch.setattr(tls, "with_key", lambda *_: 1 / 0)
        for _ in range(2):
            data = start(tctx)
            made.tls_start_client(data)
            assert data.ssl_conn is None
    assert caplog.text.count("ZeroDivisionError") == 1
    made.tls_start_client(data)
    assert data.ssl_conn


def test_an_unknown_mitmproxy_does_it_itself(tctx: taddons.context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supported, "has", lambda _: False)
    data = start(tctx)
    Handshake().tls_start_client(data)
    assert data.ssl_conn is None
