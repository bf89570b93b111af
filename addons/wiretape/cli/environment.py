"""What the child finds in its environment: our proxy, our CA bundle. Values in, values out.

No program reads all of these names, and none reads them all alike: curl takes ``http_proxy`` in lower case only, Node
reads proxies only when told to, and nearly every ecosystem has its own name for a CA file.
"""

from collections.abc import Mapping
from pathlib import Path

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
)


def child_environment(environ: Mapping[str, str], proxy: str, bundle: str) -> dict[str, str]:
    """``environ`` with every way to our proxy (``http://host:port``) and its CA (``bundle``, a PEM file) set in it."""
    child = dict(environ)
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        child[name] = child[name.lower()] = proxy
    for name in ("ALL_PROXY", "all_proxy"):
        # It stands for protocols that we may not speak, so it is not added; but one that is there would lead past us.
        if name in child:
            child[name] = proxy
    for name in ("NO_PROXY", "no_proxy"):
        # "*" would lead everything past us. Other hosts in it are the user's wish: a database, a local service.
        kept = [host.strip() for host in child.pop(name, "").split(",") if host.strip() not in ("", "*")]
        if kept:
            child[name] = ",".join(kept)
    child |= dict.fromkeys(CA_VARIABLES, bundle)
    child["NODE_USE_ENV_PROXY"] = "1"
    child["NODE_OPTIONS"] = _with_preload(child.get("NODE_OPTIONS", ""))
    return child


def _with_preload(node_options: str) -> str:
    # NODE_OPTIONS is split at spaces, with double quotes and, inside them, backslashes as escapes.
    quoted = '"' + str(NODE_PRELOAD).replace("\\", "\\\\").replace('"', '\\"') + '"'
    if quoted in node_options:  # wiretape run -- wiretape run -- ...
        return node_options
    return f"{node_options} --require {quoted}".strip()
