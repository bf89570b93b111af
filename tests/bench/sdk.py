"""Calls a second of the openai SDK: what users feel. One client process, calls one after the other.

The SDK stops reading at [DONE] and closes its connection, so each call through a proxy pays for a new CONNECT and TLS.
And for each chunk, since its HTTP parser is Python. server-replay sends one body, so wiretape is measured with an
answer that the provider sent so, too, next to the usual one, in the provider's chunks. How much of a call is the
client's own is told by a program that does next to nothing.
"""

import json
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from bench import hits, machine, material, peers
from bench.servers import Bench, Contender, Server
from wiretape.codecs.http1 import LAST_CHUNK, chunk

CLIENT = Path(__file__).with_name("sdk_client.py")


def sdk(bench: Bench) -> dict[str, Any]:
    """The group."""
    cassette = bench.folder / "cassette.yaml"
    # YAML takes JSON.
    cassette.write_text(json.dumps(_cassette()), "utf-8")
    leaf = bench.authority.leaf(bench.folder, ec.generate_private_key(ec.SECP256R1()))
    contenders = [
        bench.server_replay(),
        bench.wiretape(bench.recordings(1)),
        bench.wiretape(bench.recordings(1, whole=True), name="wiretape, one body", pieces="one body"),
        peers.aimock(bench),
        _floor(bench, leaf, whole=False),
        _floor(bench, leaf, whole=True),
    ]
    local = {
        "VCR.py": ("in the client's process; one body; method, URL and body", ["vcr", material.BASE_URL]),
        "no network": ("a transport in the client's process; one body; nothing", ["none", material.BASE_URL]),
    }
    rows: list[dict[str, Any]] = [{"name": name, "how": how, "runs": []} for name, (how, _) in local.items()]

    def measure(server: Server) -> dict[str, Any]:
        plain = server.name == "aimock"
        base_url = f"{server.url}/v1" if plain else material.BASE_URL
        env = {"SSL_CERT_FILE": str(bench.authority.certificate), "HTTPS_PROXY": server.url}
        return _client(["network", base_url], bench, {} if plain else env)

    def with_local(server: Server) -> dict[str, Any]:
        # What needs no server takes its turn with the first one that does.
        if server.name == contenders[0].name:
            for row, (_, arguments) in zip(rows, local.values(), strict=True):
                row["runs"].append(_client(arguments, bench, {}, cassette))
        return measure(server)

    served = hits.interleaved(bench, contenders, with_local, warm=None)
    title = "Streamed chat calls of the openai SDK, one after the other"
    return {"kind": "rate", "title": title, "unit": "calls/s", "rows": [*served, *rows]}


def _floor(bench: Bench, leaf: tuple[Path, Path], *, whole: bool) -> Contender:
    """What the client needs by itself: the answer from a program that does nothing else (``c/floor.c``)."""
    head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    events = [material.numbered(event, 0) for event in material.events(material.content())]
    body = b"".join(events)
    if whole:
        sent = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
    else:
        sent = f"{head}transfer-encoding: chunked\r\n\r\n".encode() + b"".join(map(chunk, events)) + LAST_CHUNK
    file = bench.folder / f"floor-{whole}"
    file.write_bytes(sent)
    arguments = [*map(str, leaf), str(file)]
    pieces = "one body" if whole else f"{len(events)} chunks"
    return Contender(
        f"a program in C, {pieces}",
        f"CONNECT, TLS; {pieces}; nothing",
        lambda port: [str(bench.folder / "floor"), str(port), *arguments],
    )


def _client(arguments: list[str], bench: Bench, env: dict[str, str], cassette: Path | None = None) -> dict[str, Any]:
    command = [sys.executable, str(CLIENT), *arguments, f"{bench.seconds:g}", *([str(cassette)] if cassette else [])]
    return machine.ask(command, env)


def _cassette() -> dict[str, Any]:
    request = {
        "method": "POST",
        "uri": f"{material.BASE_URL}/chat/completions",
        "body": material.numbered(material.body(), 0).decode(),
        "headers": {"content-type": ["application/json"]},
    }
    response = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"content-type": ["text/event-stream; charset=utf-8"]},
        "body": {"string": material.numbered(material.answer(), 0).decode()},
    }
    return {"version": 1, "interactions": [{"request": request, "response": response}]}
