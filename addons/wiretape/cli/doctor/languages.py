"""What each language that is on the path needs to trust the proxy that the variables name, and whether it has it.

Which variables there are, and what ``wiretape run`` puts into them, is ``cli.environment``'s affair: the table here
tells who reads which. Behind no wiretape there is nothing to look at, and a line tells what is on the path.
"""

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from wiretape.cli.authority import Authority
from wiretape.cli.doctor.finding import Finding, fault, ok, warning
from wiretape.cli.doctor.proxies import Way

_SET = 'eval "$(wiretape env)" sets it, and so does wiretape run for its command'
_LARGEST = 1 << 24
"""Bytes of a bundle that are read: those of systems have a quarter of a megabyte."""
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Language:
    """A program, or what is written in a language."""

    name: str
    programs: tuple[str, ...]
    """By one of these names it is on the path."""
    variable: str
    """What tells it which CAs it trusts."""
    note: str = ""
    """What is to be known besides."""


_PYTHON = ("python3", "python")

LANGUAGES = (
    Language("curl", ("curl",), "CURL_CA_BUNDLE"),
    Language("git", ("git",), "GIT_SSL_CAINFO"),
    Language("python httpx", _PYTHON, "SSL_CERT_FILE", "the SDKs of OpenAI, Anthropic and others are built on it"),
    Language("python requests", _PYTHON, "REQUESTS_CA_BUNDLE"),
    Language("python aiohttp", _PYTHON, "SSL_CERT_FILE", "it reads a proxy only where it is made with trust_env=True"),
    Language("node", ("node",), "NODE_EXTRA_CA_CERTS"),
    Language("deno", ("deno",), "DENO_CERT"),
    Language("bun", ("bun",), "NODE_EXTRA_CA_CERTS"),
    Language("go", ("go",), "SSL_CERT_FILE", "which Go reads on Linux alone"),
    Language("ruby", ("ruby",), "SSL_CERT_FILE"),
    Language("rust", ("cargo", "rustc"), "SSL_CERT_FILE", "where its TLS library trusts what the system does"),
    Language(".net", ("dotnet",), "SSL_CERT_FILE", "which .NET reads on Linux alone"),
    Language("java", ("java",), "JAVA_TOOL_OPTIONS"),
    Language("php", ("php",), "PHP_INI_SCAN_DIR", "its streams read no proxy: wiretape run --isolate"),
)


def findings(environ: Mapping[str, str], way: Way) -> Iterator[Finding]:
    """Look at the languages on the path."""
    path = environ.get("PATH")
    there = [each for each in LANGUAGES if any(shutil.which(name, path=path) for name in each.programs)]
    if not way.is_ours or not way.authority:
        names = ", ".join(dict.fromkeys(each.name.partition(" ")[0] for each in there))
        yield ok(
            "languages", f"on the path: {names or 'none'}", "wiretape run and wiretape env set what each of them reads"
        )
        return
    for language in there:
        look = _LOOKS.get(language.name, _by_file)
        finding = look(language, environ, way, way.authority)
        if language.note:
            finding = Finding(finding.check, finding.state, f"{finding.said}; {language.note}", finding.advice)
        yield finding


type _Look = Callable[[Language, Mapping[str, str], Way, Authority], Finding]


def _by_file(language: Language, environ: Mapping[str, str], _way: Way, wanted: Authority) -> Finding:
    name = language.variable
    if not environ.get(name):
        return warning(language.name, f"{name} is not set: it does not trust the proxy", _SET)
    file = Path(environ[name])
    wrong = _why_not(file, wanted)
    if wrong:
        return fault(language.name, f"{name}: {wrong}", _SET)
    return ok(language.name, f"trusts the proxy, by {name}")


def _why_not(file: Path, wanted: Authority) -> str:
    """Return why a bundle does not do; empty where it does."""
    data = _read(file)
    if not data:
        return f"{file} cannot be read"
    if not wanted.is_in(data):
        return f"the proxy's CA is not in {file}"
    return ""


def _read(file: Path) -> bytes:
    # A pipe would keep us waiting.
    try:
        if not file.is_file():
            return b""
        with file.open("rb") as opened:
            return opened.read(_LARGEST)
    except OSError:
        return b""


def _node(language: Language, environ: Mapping[str, str], way: Way, wanted: Authority) -> Finding:
    version = _node_version(environ)
    trusts = _by_file(language, environ, way, wanted)
    reads_itself = version >= (24, 0) or (22, 21) <= version < (23, 0)
    has_variable = environ.get("NODE_USE_ENV_PROXY") == "1"
    has_preload = "node-proxy.cjs" in environ.get("NODE_OPTIONS", "")
    shown = ".".join(map(str, version))
    if not has_preload and not (has_variable and reads_itself):
        said = f"Node {shown} reads no proxy: NODE_USE_ENV_PROXY is not 1"
        if has_variable:
            said = f"Node {shown} reads no proxy by itself (22.21, 24 and newer do), and NODE_OPTIONS preloads nothing"
        return warning("node", said, _SET)
    return Finding("node", trusts.state, f"Node {shown}: {trusts.said}", trusts.advice)


def _node_version(environ: Mapping[str, str]) -> tuple[int, int]:
    """Return the version of Node, or zeros where it does not tell."""
    clean = {name: value for name, value in environ.items() if not name.startswith("NODE_")}
    try:
        told = subprocess.run(
            ["node", "--version"],  # noqa: S607  the one on the user's path
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            env=clean,
            check=False,
        ).stdout
    except (OSError, subprocess.SubprocessError, ValueError):
        return 0, 0
    match = re.match(r"v(\d{1,4})\.(\d{1,4})", told)
    if not match:
        return 0, 0
    return int(match[1]), int(match[2])


def _java(language: Language, environ: Mapping[str, str], way: Way, wanted: Authority) -> Finding:
    try:
        words = shlex.split(environ.get("JAVA_TOOL_OPTIONS", ""))
    except ValueError:
        return fault("java", "JAVA_TOOL_OPTIONS has a quote without an end", _SET)
    chosen = dict(each.removeprefix("-D").partition("=")[::2] for each in words if each.startswith("-D"))
    assert way.proxy
    host = chosen.get("https.proxyHost")
    if not host:
        return warning("java", "JAVA_TOOL_OPTIONS names no proxy, and Java reads no other variable", _SET)
    if (host, chosen.get("https.proxyPort")) != (way.proxy.address.host, str(way.proxy.address.port)):
        return fault("java", "JAVA_TOOL_OPTIONS names another proxy than HTTPS_PROXY", _SET)
    store = _read(Path(chosen.get("javax.net.ssl.trustStore", "")))
    if wanted.certificate.public_bytes(Encoding.DER) not in store:
        return fault("java", "the proxy's CA is not in the store that JAVA_TOOL_OPTIONS names", _SET)
    return ok(language.name, "trusts the proxy, by JAVA_TOOL_OPTIONS")


_CAINFO = re.compile(r'^[ \t]*curl\.cainfo[ \t]*=[ \t]*"?([^"\n]+)"?[ \t]*$', re.MULTILINE)


def cainfo(settings: str) -> list[Path]:
    """Return the bundles that a file of PHP's settings names for curl."""
    return [Path(match) for match in _CAINFO.findall(settings)]


def _php(language: Language, environ: Mapping[str, str], _way: Way, wanted: Authority) -> Finding:
    folders = [Path(each) for each in environ.get("PHP_INI_SCAN_DIR", "").split(":") if each]
    files = [file for folder in folders for file in sorted(folder.glob("*.ini"))]
    bundles = [bundle for file in files for bundle in cainfo(_read(file).decode("utf-8", "replace"))]
    if not bundles:
        return warning(language.name, "no folder of PHP_INI_SCAN_DIR has a file that sets curl.cainfo", _SET)
    wrong = _why_not(bundles[-1], wanted)
    if wrong:
        return fault(language.name, f"curl.cainfo: {wrong}", _SET)
    return ok(language.name, "curl trusts the proxy, by PHP_INI_SCAN_DIR")


_LOOKS: Mapping[str, _Look] = {"node": _node, "java": _java, "php": _php}
"""How it is looked at those that need more than a file."""
