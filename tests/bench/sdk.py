"""Calls a second of the openai SDK: what users feel. One client process, calls one after the other.

The SDK stops reading at [DONE] and closes its connection, so each call through a proxy pays for a new CONNECT and TLS.
And for each chunk, since its HTTP parser is Python. server-replay sends one body, so wiretape is measured with an
answer that the provider sent so, too, next to the usual one, in the provider's chunks.
"""

import json
import sys
from pathlib import Path
from typing import Any

from bench import hits, machine, material, peers
from bench.servers import Bench, Server

CLIENT = Path(__file__).with_name("sdk_client.py")


def sdk(bench: Bench) -> dict[str, Any]:
    """The group."""
    cassette = bench.folder / "cassette.yaml"
    # YAML takes JSON.
    cassette.write_text(json.dumps(_cassette()), "utf-8")
    contenders = [
        bench.server_replay(),
        bench.wiretape(bench.recordings(1)),
        bench.wiretape(bench.recordings(1, whole=True), name="wiretape, one body", pieces="one body"),
        peers.aimock(bench),
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
