"""The proxy's side of a client's TLS handshake, at a fifth of its cost. Beside the way: about connections only.

mitmproxy makes no use of what two connections to one host have in common: it puts certificate and key onto each, and
signs with RSA. Here they are put into a context once for each certificate, and next to mitmproxy's certificate is the
same one again for an elliptic-curve key, which a client gets that can do with it, as all have for a decade. Names,
dates and extensions are those that mitmproxy chose, for whatever reason; protocol versions, ciphers, chain, ALPN and
key log are mitmproxy's, made by its own functions of its own options. Keys stay in memory.

What is unusual is left to mitmproxy: client certificates, ciphers that a user chose, upstream's chain, DTLS, TLS to
the proxy itself. So is all where mitmproxy's private parts are not as they were when this was written: see
``compat.supported``.
"""

import inspect
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from mitmproxy import certs, ctx, tls
from mitmproxy.addons import tlsconfig
from mitmproxy.net import tls as net_tls
from OpenSSL import SSL

from wiretape.proxy.compat import supported
from wiretape.proxy.compat.supported import Feature

logger = logging.getLogger(__name__)

_CONTEXTS = 128
"""Contexts that are kept, at about 60 kB; mitmproxy keeps 100 certificates."""

_STRONGEST = 3072
"""Bits of RSA that are no stronger than P-256: who has asked for more (``key_size``) is to have it."""


@dataclass(frozen=True, slots=True)
class _Settings:
    """mitmproxy's options that a handshake depends on: read once, as reading one takes microseconds."""

    is_unusual: bool
    min_version: net_tls.Version
    max_version: net_tls.Version
    ecdh_curve: str | None
    http2: bool

    @classmethod
    def read(cls) -> "_Settings":
        chosen = ctx.options
        return cls(
            bool(chosen.request_client_cert or chosen.add_upstream_certs_to_client_chain or chosen.ciphers_client),
            net_tls.Version[chosen.tls_version_client_min],
            net_tls.Version[chosen.tls_version_client_max],
            chosen.tls_ecdh_curve_client,
            chosen.http2,
        )


class Handshake:
    """Contexts of the certificates that were served of late."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._settings: _Settings | None = None
        self._store: certs.CertStore | None = None
        # By the entry's identity, which holds while the entry is kept: entries cannot be hashed.
        self._contexts: OrderedDict[int, tuple[certs.CertStoreEntry, SSL.Context]] = OrderedDict()
        self._warned = False

    def forget(self) -> None:
        """Options have changed: read them again, and make new contexts."""
        self._settings = None
        self._contexts.clear()

    def tls_start_client(self, data: tls.TlsData) -> None:
        """Of mitmproxy's hooks: set ``data.ssl_conn`` for a client's connection, or leave that to mitmproxy."""
        if not supported.has(Feature.HANDSHAKE) or data.ssl_conn is not None or data.is_dtls:
            return
        try:
            self._start(data)
        except Exception as e:  # noqa: BLE001 - mitmproxy's own handshake follows: it works, or says what is wrong
            if not self._warned:
                logger.warning("wiretape: a TLS handshake was left to mitmproxy, whose own is slower: %r", e)
            self._warned = True

    def _start(self, data: tls.TlsData) -> None:
        config = ctx.master.addons.get("tlsconfig")
        client = data.context.client
        self._settings = self._settings or _Settings.read()
        settings = self._settings
        is_inside = len(data.context.layers) > 2  # mitmproxy forces HTTP/1.1 where the proxy itself is met over TLS.
        if type(config) is not tlsconfig.TlsConfig or settings.is_unusual or client.cipher_list or not is_inside:
            return
        if config.certstore is not self._store:
            self._contexts.clear()
            self._store = config.certstore
        entry = config.get_cert(data.context)
        known = self._contexts.get(id(entry))
        if known:
            self._contexts.move_to_end(id(entry))
        else:
            known = self._contexts[id(entry)] = entry, self._context(entry, settings, config.certstore)
            if len(self._contexts) > _CONTEXTS:
                self._contexts.popitem(last=False)
        connection = SSL.Connection(known[1])
        alpn = tlsconfig.AppData(client_alpn=client.alpn, server_alpn=data.context.server.alpn, http2=settings.http2)
        connection.set_app_data(alpn)
        connection.set_accept_state()
        data.ssl_conn = connection

    def _context(self, entry: certs.CertStoreEntry, settings: _Settings, store: certs.CertStore) -> SSL.Context:
        # Not the cached function: its contexts are shared with connections of other certificates.
        make: Any = inspect.unwrap(net_tls.create_client_proxy_context)
        context: SSL.Context = make(
            method=net_tls.Method.TLS_SERVER_METHOD,
            min_version=settings.min_version,
            max_version=settings.max_version,
            cipher_list=tuple(tlsconfig._default_ciphers(settings.min_version)),
            ecdh_curve=net_tls.get_curve(settings.ecdh_curve),
            chain_file=entry.chain_file,
            alpn_select_callback=tlsconfig.alpn_select_callback,
            request_client_cert=False,
            extra_chain_certs=(),
            dhparams=store.dhparams,
        )
        context.use_certificate(entry.cert.to_cryptography())
        context.use_privatekey(entry.privatekey)
        if _is_generated(entry, store):
            # OpenSSL keeps one certificate for each kind of key, and prefers the curve where a client knows both.
            context.use_certificate(with_key(entry, store, self._key))
            context.use_privatekey(self._key)
        return context


def _is_generated(entry: certs.CertStoreEntry, store: certs.CertStore) -> bool:
    """Return whether mitmproxy made the certificate, not its user (``certs``), with a key no stronger than ours."""
    key = store.default_privatekey
    return (
        entry.chain_certs is store.default_chain_certs
        and entry.privatekey is key
        and isinstance(key, rsa.RSAPrivateKey)
        and key.key_size <= _STRONGEST
    )


def with_key(entry: certs.CertStoreEntry, store: certs.CertStore, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """Return the same certificate for another key, signed by the same authority."""
    known = entry.cert.to_cryptography()
    builder = (
        x509.CertificateBuilder()
        .subject_name(known.subject)
        .issuer_name(known.issuer)
        .not_valid_before(known.not_valid_before_utc)
        .not_valid_after(known.not_valid_after_utc)
        .serial_number(x509.random_serial_number())
        .public_key(key.public_key())
    )
    for extension in known.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(store.default_privatekey, hashes.SHA256())
