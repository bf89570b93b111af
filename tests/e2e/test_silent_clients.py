"""Who opens connections and does not say who he is leaves room for others; who has said it may be silent."""

import contextlib
import socket
from pathlib import Path

import pytest

from inside import Inside, free_port
from knocking import BODY, HOST, ended, proxy_authorization, read, status
from places import SHIPPED
from samples import FIREWORKS_CHAT
from wiretape.proxy import revoking
from wiretape.sessions import token_file
from wiretape.sessions.model import Role
from wiretape.sessions.tokens import Tokens


def test_only_who_has_shown_a_token_may_be_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token, tokens = Tokens().create("default", Role.READ, "ann")
    token_file.write(tmp_path / "tokens.toml", tokens)
    chosen = {
        "wiretape_mode": "replay",
        "wiretape_recordings": str(SHIPPED),
        "wiretape_tokens": str(tmp_path / "tokens.toml"),
    }
    monkeypatch.setattr(revoking, "_SILENCE", 0.5)
    shown, reverse = proxy_authorization(token.text), free_port()
    post = f"POST {FIREWORKS_CHAT} HTTP/1.1\r\nHost: localhost\r\nx-wiretape-session: default:{token.text}\r\n"
    hit = f"{post}Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n".encode() + BODY
    with contextlib.ExitStack() as stack:
        proxy = stack.enter_context(Inside(chosen, modes=[f"reverse:https://{HOST}@{reverse}"], ports={}))

        def connect(port: int, data: bytes) -> socket.socket:
            made = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            made.sendall(data)
            return made

        tunnel = connect(proxy.port, f"CONNECT {HOST}:443 HTTP/1.1\r\n{shown}\r\n".encode())
        assert status(read(tunnel)) == 200
        kept = connect(reverse, hit)
        assert status(read(kept)) == 200
        silent = [b"", b"GET http://x.exa", f"CONNECT {HOST}:443 HTTP/1.1\r\n{shown}".encode(), b"\x16\x03\x01"]
        waiting = [connect(port, data) for data in silent for port in (proxy.port, reverse)]
        assert all(map(ended, waiting))
        for allowed in (tunnel, kept):
            allowed.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while allowed.recv(65536):
                    pass
                raise AssertionError("it was closed")
