"""The one answer that all servers give, and the request for it: as recordings, as flows, for the load generator.

A streamed chat completion of 60 chunks and about 20 kB, or of fewer. Where many different ones are needed, they differ
in a number of eight digits in the question and in each chunk's id: who mixes two of them up is found out.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import httpx2
import openai
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from mitmproxy import certs, connection, http
from mitmproxy.io import FlowWriter

from bench.machine import BenchError
from wiretape.matching import request
from wiretape.providers import table, wire
from wiretape.proxy.layers.tls import with_key
from wiretape.recording import RecordedRequest, capture, dumps, loads, make, request_name

HOST = "api.fireworks.ai"
BASE_URL = f"https://{HOST}/inference/v1"
PATH = "/inference/v1/chat/completions"
MODEL = "accounts/fireworks/models/llama-v3p1-8b-instruct"
MARK = "@@@@@@@@"
"""Stands for the number."""
CHUNKS = 60
FEW = 22
"""Chunks of an answer whose recording has 20 kB, and 9 kB of capture beside it. That of the 60 has 54 kB and 24 kB."""
QUESTION = f"Tell me a story about a lighthouse, number {MARK}."

_TALE = """
the keeper climbed up to light a lamp and wrote of wind tide ships that passed far out before dawn while rain fell on
slate and gulls slept under eaves so every page of his log began with weather and ended with a name
"""


def numbered(text: bytes, number: int) -> bytes:
    """The text of one case."""
    return text.replace(MARK.encode(), b"%08d" % number)


def content(chunks: int = CHUNKS) -> list[str]:
    """What the answer says, chunk by chunk: about 120 characters each, the same in every run."""
    tale = _TALE.split()
    words = iter(tale[(7 * place + place // 11) % len(tale)] for place in range(chunks * 24))
    return ["".join(f" {next(words)}" for _ in range(24)) for _ in range(chunks)]


def events(chunks: Sequence[str]) -> list[bytes]:
    """The stream's events as a provider sends them, ``[DONE]`` included."""
    made = []
    for place, text in enumerate(chunks):
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": "stop" if place == len(chunks) - 1 else None}
        data = {"id": f"chatcmpl-{MARK}", "object": "chat.completion.chunk", "created": 1758920391, "model": MODEL}
        made.append(f"data: {json.dumps({**data, 'choices': [choice]}, separators=(',', ':'))}\n\n".encode())
    return [*made, b"data: [DONE]\n\n"]


@cache
def body() -> bytes:
    """The request's body as the SDK writes it: server replay compares it byte for byte."""
    sent = []

    def keep(asked: httpx2.Request) -> httpx2.Response:
        sent.append(asked.content)
        return httpx2.Response(200, json={"choices": []})

    http_client = httpx2.Client(transport=httpx2.MockTransport(keep))
    with openai.OpenAI(base_url=BASE_URL, api_key="none", http_client=http_client) as client:
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": QUESTION}], stream=True)
    return sent[0]


def answer(chunks: int = CHUNKS) -> bytes:
    """The answer's body in one piece."""
    return b"".join(events(content(chunks)))


class Case:
    """A recording and its capture as templates: one file each for as many numbers as are wanted."""

    def __init__(
        self, pieces: Sequence[bytes], pause: float = 0.02, asked: bytes | None = None, end: bytes = b""
    ) -> None:
        """Pieces a pause apart, the first at once; ``end`` goes with the last of them."""
        route = table.load({}).route("POST", "https", HOST, 443, PATH)
        if route is None:
            raise BenchError(f"{HOST} is no provider")
        self.request = request.recorded(route, asked or body())
        pieces = [*pieces[:-1], pieces[-1] + end]
        at = tuple(place * pause * 1000 for place in range(len(pieces)))
        headers = (("content-type", "text/event-stream; charset=utf-8"),)
        arrived = wire.LiveResponse(200, headers, tuple(pieces), at, ended=True)
        self.recording = dumps(make(self.request, wire.response(self.request, arrived), "2025-09"))
        self.capture = capture.dumps(capture.Capture("sha256:" + MARK, 200, headers, tuple(pieces), at))

    def write(self, root: Path, number: int) -> None:
        """Write both files of a number below ``root``, in session ``default``."""
        recording = numbered(self.recording, number)
        asked = _numbered_request(self.request, number)
        name = f"{request_name(asked, '2025-09')}.json"
        head, _, rest = self.capture.partition(b"sha256:" + MARK.encode())
        (root / "default" / "responses" / name).write_bytes(recording)
        kept = head + capture.digest(recording).encode() + numbered(rest, number)
        (root / "default" / "wire" / name).write_bytes(kept)
        if number == 0 and f"{loads(recording).name}.json" != name:
            raise BenchError("a recording has another name than its request")


def _numbered_request(asked: RecordedRequest, number: int) -> RecordedRequest:
    filled = json.loads(numbered(json.dumps(asked.body).encode(), number))
    return RecordedRequest(asked.url, filled, asked.endpoint, asked.method)


def write_recordings(root: Path, count: int, case: Case) -> Path:
    """As many recordings, numbered from 0, in a folder for ``wiretape_recordings``."""
    for folder in ("responses", "wire"):
        (root / "default" / folder).mkdir(parents=True)
    for number in range(count):
        case.write(root, number)
    return root


def write_flows(file: Path, count: int, chunks: int = CHUNKS) -> Path:
    """The same answers as a flow file for mitmproxy's server replay."""
    template = answer(chunks)
    with file.open("wb") as out:
        writer = FlowWriter(out)
        for number in range(count):
            client = connection.Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2))
            flow = http.HTTPFlow(client, connection.Server(address=(HOST, 443)))
            url = f"https://{HOST}{PATH}"
            flow.request = http.Request.make(
                "POST", url, numbered(body(), number), http.Headers(content_type="application/json")
            )
            headers = http.Headers(content_type="text/event-stream; charset=utf-8")
            flow.response = http.Response.make(200, numbered(template, number), headers)
            writer.add(flow)
    return file


class Authority:
    """mitmproxy's CA, which signs for every server here, so that clients trust one file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = certs.CertStore.from_store(folder, "mitmproxy", 2048)
        self.certificate = folder / "mitmproxy-ca-cert.pem"
        self.key = folder / "key.pem"
        self.key.write_bytes(_pem(self.store.default_privatekey))

    def keystore(self) -> Path:
        """The CA as Java reads it; its password is ``password``."""
        file = self.folder / "keystore.p12"
        key, certificate = self.store.default_privatekey, self.store.default_ca.to_cryptography()
        secret = BestAvailableEncryption(b"password")
        file.write_bytes(pkcs12.serialize_key_and_certificates(b"wiremock", key, certificate, None, secret))
        return file

    def leaf(self, folder: Path, key: ec.EllipticCurvePrivateKey | None = None) -> tuple[Path, Path]:
        """Certificate and key of a server for HOST, as PEM files; mitmproxy's own, or the same for another key."""
        entry = self.store.get_cert(HOST, [x509.DNSName(HOST)])
        made = with_key(entry, self.store, key) if key else entry.cert.to_cryptography()
        certificate, file = folder / "leaf.pem", folder / "leaf.key"
        certificate.write_bytes(made.public_bytes(Encoding.PEM))
        file.write_bytes(_pem(key or entry.privatekey))
        return certificate, file


def _pem(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
