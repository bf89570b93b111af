"""Offline nothing leaves the machine: the proof is the system's, which sees every connection and every name asked for.

The proxy is the one of ``wiretape run``, in the mode that would record what it does not have; nothing of ours stands
between it and the network.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

STRACE = shutil.which("strace")

CLIENT = r"""
import os, socket, ssl, threading, urllib.parse

proxy = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
here = socket.create_server(("127.0.0.1", 0))
port = here.getsockname()[1]
anybody = ssl.create_default_context()
anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE


def serve():
    while True:
        client, _ = here.accept()
        client.recv(65536)
        client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nhere")
        client.close()


threading.Thread(target=serve, daemon=True).start()


def ask(text, tunnel="", tls_name=""):
    with socket.create_connection((proxy.hostname, proxy.port), 20) as connection:
        if tunnel:
            connection.sendall(f"CONNECT {tunnel} HTTP/1.1\r\nhost: {tunnel}\r\n\r\n".encode())
            told = connection.recv(65536)
            if not told.startswith(b"HTTP/1.1 200"):
                return told.split(b"\r\n")[0].decode()
        try:
            with anybody.wrap_socket(connection, server_hostname=tls_name) if tls_name else connection as inner:
                inner.sendall(text.encode())
                return (inner.recv(65536).split(b"\r\n")[0] or b"closed").decode()
        except OSError as e:
            return f"closed: {type(e).__name__}"


POST = "POST %s HTTP/1.1\r\nhost: %s\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
GET = "GET %s HTTP/1.1\r\nhost: %s\r\n\r\n"
SOCKET = (
    "GET %s HTTP/1.1\r\nhost: %s\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
api = "api.openai.com"
print(ask(POST % ("/v1/chat/completions", api), f"{api}:443", api), "a provider, not recorded")
print(ask(GET % ("/v1/files", api), f"{api}:443", api), "a provider, no endpoint")
print(ask(SOCKET % ("/v1/realtime", api), f"{api}:443", api), "a provider, a WebSocket")
print(ask("SSH-2.0-x\r\n", f"{api}:443"), "a provider, no TLS in a tunnel")
print(ask(POST % (f"http://{api}/v1/chat/completions", api)), "a provider, in clear text")
for host in ("other.invalid", "192.0.2.1", "3221225985", "[2001:db8::1]", "[::ffff:192.0.2.1]", "other.invalid."):
    print(ask("", f"{host}:443"), "a tunnel to", host)
    print(ask(GET % (f"http://{host}/", host)), "a request for", host)
    print(ask(SOCKET % (f"http://{host}/", host)), "a WebSocket of", host)
print(ask(GET % (f"http://127.0.0.1:{port}/", api)), "another name in Host")
print(ask(GET % (f"http://127.0.0.1:{port}/", "127.0.0.1")), "this machine")
print(ask(GET % ("/", "x"), f"db.localhost:{port}"), "this machine by a name")
"""


@pytest.mark.skipif(STRACE is None, reason="strace is not on this machine")
def test_the_system_sees_nothing_leave(tmp_path: Path) -> None:
    app, trace = tmp_path / "app.py", tmp_path / "trace"
    app.write_text(CLIENT)
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    calls = "connect,sendto,sendmsg,sendmmsg"
    command = [str(Path(sys.executable).with_name("wiretape")), "run", "--mode", "record-if-missing", "--offline"]
    command += ["--recordings", str(tmp_path / "recordings"), "--", sys.executable, str(app)]
    done = subprocess.run(
        [str(STRACE), "-f", "--seccomp-bpf", "-qq", "-e", f"trace={calls}", "-o", str(trace), *command],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    if "PTRACE" in done.stderr or "ptrace" in done.stderr:
        pytest.skip(f"strace may not trace here: {done.stderr[:200]}")
    assert done.returncode == 0, done.stderr
    *refused, disagreeing, here, by_name = done.stdout.splitlines()
    assert len(refused) == 23, done.stdout
    assert [line for line in refused if re.match(r"HTTP/1.1 [123]", line)] == []
    assert here.startswith("HTTP/1.1 200"), done.stdout
    assert by_name.startswith("HTTP/1.1 200"), done.stdout
    assert disagreeing, done.stdout
    told = trace.read_text()
    assert "htons" in told, "the client itself has connected to the proxy"
    addresses = re.findall(r'inet_(?:addr|pton)\((?:AF_INET6, )?"([^"]+)"', told)
    assert {each for each in addresses if not each.startswith("127.") and each != "::1"} == set(), told
    # Of a name of this machine's the C library asks its cache of names, where there is one, then /etc/hosts.
    assert [line for line in told.splitlines() if "sun_path" in line and "= 0" in line] == []
