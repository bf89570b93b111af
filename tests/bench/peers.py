"""The servers that users would pick instead, each with the same answer, as fast as its own options make it.

MockServer and WireMock take a CONNECT and open the TLS inside it; aimock has neither and is met over plain HTTP. None
of them keeps a journal or a log here, as far as it can be told not to.
"""

import json
import re
import shutil
import urllib.request
from pathlib import Path

from bench import material
from bench.machine import FOLDER, BenchError
from bench.servers import Bench, Contender, way

MODULES = FOLDER / "node_modules"
JAVA = 60.0
"""Seconds of work after which Java's servers, on one core, have compiled most of what is hot. WireMock starts at a
thirtieth of its later rate."""
QUESTION = material.numbered(material.QUESTION.encode(), 0).decode()


def aimock(bench: Bench) -> Contender:
    """A mock of LLM APIs: it makes the chunks itself, from the text."""
    fixture = bench.folder / "aimock.json"
    chunks = material.content()
    text = "".join(chunks)
    fixture.write_text(
        json.dumps({"fixtures": [{"match": {"userMessage": QUESTION}, "response": {"content": text}}]}), "utf-8"
    )
    script = MODULES / "@copilotkit" / "aimock" / "dist" / "cli.js"
    node = shutil.which("node") or "node"
    options = ["-f", str(fixture), "--log-level", "silent", "--chunk-size", str(-(-len(text) // len(chunks)))]
    return Contender(
        "aimock",
        f"plain HTTP; {material.CHUNKS + 3} chunks; the last user message",
        lambda port: [node, str(script), "-p", str(port), *options],
        path="/v1/chat/completions",
        plain=True,
        learn=_learn,
        missing=_missing(script, "node"),
    )


def _learn(port: int) -> bytes:
    """aimock's answer, with NUL where it differs from one to the next: the id and the time."""
    asked = material.numbered(material.body(), 0)
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    with urllib.request.urlopen(urllib.request.Request(url, asked, {"content-type": "application/json"})) as answer:
        body: bytes = answer.read()
    parts = [json.loads(line[6:]) for line in body.split(b"\n\n") if line.startswith(b"data: {")]
    text = "".join(part["choices"][0]["delta"].get("content", "") for part in parts)
    if text != "".join(material.content()):
        raise BenchError("aimock gives another answer than its fixture says")
    return re.sub(rb'(?<="id":")[^"]+|(?<="created":)\d+', lambda found: b"\0" * len(found[0]), body)


def mockserver(bench: Bench, *, plain: bool = False) -> Contender:
    """MockServer: a mock and a proxy in one."""
    expectation = {
        "httpRequest": {
            "method": "POST",
            "path": material.PATH,
            "body": {"type": "JSON", "json": _asked(), "matchType": "STRICT"},
        },
        "httpResponse": {
            "statusCode": 200,
            "headers": {"content-type": ["text/event-stream; charset=utf-8"]},
            "body": _answer(),
        },
        "times": {"unlimited": True},
    }
    file = bench.folder / "mockserver.json"
    file.write_text(json.dumps([expectation]), "utf-8")
    jar = _jar("mockserver-node", "mockserver-netty-*.jar")
    settings = {
        "initializationJsonPath": file,
        "logLevel": "OFF",
        "disableSystemOut": "true",
        "certificateAuthorityCertificate": bench.authority.certificate,
        "certificateAuthorityPrivateKey": bench.authority.key,
    }
    options = [f"-Dmockserver.{name}={value}" for name, value in settings.items()]
    return Contender(
        "MockServer",
        f"{way(plain)}; one body; the whole request as JSON",
        lambda port: [_java(), *options, "-jar", str(jar), "-p", str(port)],
        plain=plain,
        missing=_missing(jar, "java"),
        warm=JAVA,
    )


def wiremock(bench: Bench, *, plain: bool = False) -> Contender:
    """WireMock, as a proxy (``--enable-browser-proxying``) unless it is met over plain HTTP."""
    root = bench.folder / "wiremock"
    (root / "mappings").mkdir(parents=True, exist_ok=True)
    mapping = {
        "request": {"method": "POST", "urlPath": material.PATH, "bodyPatterns": [{"equalToJson": _asked()}]},
        "response": {
            "status": 200,
            "headers": {"content-type": "text/event-stream; charset=utf-8"},
            "body": _answer(),
        },
    }
    (root / "mappings" / "answer.json").write_text(json.dumps(mapping), "utf-8")
    jar = _jar("wiremock", "build/wiremock-standalone-*.jar")
    options = ["--root-dir", str(root), "--bind-address", "127.0.0.1", "--disable-banner", "--no-request-journal"]
    options += ["--disable-request-logging"]
    if not plain:
        options += ["--enable-browser-proxying", "--ca-keystore", str(bench.authority.keystore())]
        options += ["--ca-keystore-type", "pkcs12", "--ca-keystore-password", "password"]
    return Contender(
        "WireMock",
        f"{way(plain)}; one body; the whole request as JSON",
        lambda port: [_java(), "-jar", str(jar), "--port", str(port), *options],
        plain=plain,
        missing=_missing(jar, "java"),
        warm=JAVA,
    )


def _asked() -> object:
    return json.loads(material.numbered(material.body(), 0))


def _answer() -> str:
    return material.numbered(material.answer(), 0).decode()


def _java() -> str:
    return shutil.which("java") or "java"


def _jar(package: str, pattern: str) -> Path:
    return next(iter(sorted((MODULES / package).glob(pattern))), MODULES / package / pattern)


def versions() -> dict[str, str]:
    """Of those that are installed."""
    names = ("@copilotkit/aimock", "mockserver-node", "wiremock")
    files = {name: MODULES / name / "package.json" for name in names}
    return {name: json.loads(file.read_bytes())["version"] for name, file in files.items() if file.exists()}


def _missing(file: Path, program: str) -> str:
    if not shutil.which(program):
        return f"{program} is not on the path: install it and run make bench again"
    if not file.exists():
        return "not installed: npm install --prefix tests/bench --no-package-lock"
    return ""
