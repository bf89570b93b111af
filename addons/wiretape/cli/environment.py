"""The environment of the child: it names our proxy and our CA bundle. Values in, values out.

No program reads all of these names, and none reads them all alike: curl takes ``http_proxy`` in lower case only, Node
reads proxies only when told to, nearly every ecosystem has its own name for a CA file, and Java and PHP read none: they
have settings of their own, which variables can add to.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wiretape.cli.options import CONTROL

if TYPE_CHECKING:
    from wiretape.cli.certificates import TrustFiles

NODE_PRELOAD = Path(__file__).with_name("node-proxy.cjs").resolve()

CA_VARIABLES = (
    "SSL_CERT_FILE",  # OpenSSL, Python's ssl and httpx, Go, Ruby, rustls-native-certs, uv
    "REQUESTS_CA_BUNDLE",  # Python requests
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
    "PIP_CERT",
    "AWS_CA_BUNDLE",
    "CARGO_HTTP_CAINFO",
    "DENO_CERT",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "HTTPLIB2_CA_CERTS",
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
    "PERL_LWP_SSL_CA_FILE",
    "NIX_SSL_CERT_FILE",
    "CODEX_CA_CERTIFICATE",
)


def child_environment(
    environ: Mapping[str, str],
    proxy: str,
    trust: "TrustFiles",
    past: Iterable[str] = (),
    preload: str = str(NODE_PRELOAD),
    *,
    control: str = "",
) -> dict[str, str]:
    """Return ``environ`` with our proxy (``http://host:port``) and its CA in every variable that names one.

    ``past`` are hosts that are reached past the proxy. ``preload`` is where Node finds ``node-proxy.cjs``,
    ``control`` where the proxy's API is; empty for nowhere. An environment that is already so comes back as it is.
    """
    child = dict(environ)
    # One of a proxy around this one would be about other calls.
    child.pop(CONTROL, None)
    if control:
        child[CONTROL] = control
        past = (*past, urlsplit(control).netloc)
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        child[name] = child[name.lower()] = proxy
    for name in ("ALL_PROXY", "all_proxy"):
        # It is for protocols that we may not speak, so it is not added. But one that is set would lead past us.
        if name in child:
            child[name] = proxy
    for name in ("NO_PROXY", "no_proxy"):
        # "*" would lead everything past us. The user wants other hosts in it: a database, a local service.
        kept = [host.strip() for host in child.pop(name, "").split(",") if host.strip() not in ("", "*")]
        kept += past
        if kept:
            child[name] = ",".join(kept)
    child |= dict.fromkeys(CA_VARIABLES, trust.pem)
    child["AIOHTTP_TRUST_ENV"] = "True"  # LiteLLM reads this; aiohttp itself reads no variable.
    child.setdefault("DENO_NO_UPDATE_CHECK", "1")  # Deno would ask its maker, in a replay too, before anything else.
    child["JAVA_TOOL_OPTIONS"] = _with_java_options(child, proxy, trust.java)
    # An empty entry stands for the folder that PHP was built with.
    scanned = child.get("PHP_INI_SCAN_DIR", "")
    if trust.php not in scanned.split(os.pathsep):
        child["PHP_INI_SCAN_DIR"] = scanned + os.pathsep + trust.php
    child["NODE_USE_ENV_PROXY"] = "1"
    child["NODE_OPTIONS"] = _with_preload(child.get("NODE_OPTIONS", ""), preload)
    return child


_JAVA_LOCAL = ("localhost", "127.*", "[::1]")
"""The hosts that Java reaches directly by default."""


def _with_java_options(child: Mapping[str, str], proxy: str, store: str) -> str:
    address = urlsplit(proxy)
    hosts = [host for name in ("NO_PROXY", "no_proxy") for host in child.get(name, "").split(",") if host]
    past = [*_JAVA_LOCAL]
    for host in dict.fromkeys(hosts):
        # With or without a dot before it, it stands for all names that end so. Java knows no port here.
        name = host
        if host.count(":") < 2:
            name = host.lstrip("*.").partition(":")[0]
        past += [name, f"*.{name}"]
    options = {
        "https.proxyHost": address.hostname,
        "https.proxyPort": address.port,
        "http.proxyHost": address.hostname,
        "http.proxyPort": address.port,
        "http.nonProxyHosts": "|".join(past),
        "javax.net.ssl.trustStore": store,
        "javax.net.ssl.trustStoreType": "PKCS12",
        "javax.net.ssl.trustStorePassword": "",
    }
    # Java splits it at blanks, unless they are in quotes. The last of several equal options counts.
    ours = " ".join(
        f'"-D{name}={value}"' if " " in str(value) else f"-D{name}={value}" for name, value in options.items()
    )
    given = child.get("JAVA_TOOL_OPTIONS", "")
    if given.endswith(ours):
        return given
    return f"{given} {ours}".strip()


def _with_preload(node_options: str, preload: str) -> str:
    # NODE_OPTIONS is split at spaces, with double quotes and, inside them, backslashes as escapes.
    quoted = '"' + preload.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if quoted in node_options:  # wiretape run -- wiretape run -- ...
        return node_options
    return f"{node_options} --require {quoted}".strip()
