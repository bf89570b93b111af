"""``--mode transparent``: clients that name no proxy, in a network of their own whose packets lead to mitmdump.

The test runs this file as a program in namespaces: what it makes there, of addresses and rules, is gone with it.
"""

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from harness import Mitmdump
from knocking import BODY, HOST, read, status
from places import SHIPPED, SUPPORT, TESTS
from samples import FIREWORKS_CHAT

ADDRESS = "198.51.100.7"
"""It stands for every host."""

RULES = """
table ip nat {{
    chain output {{
        type nat hook output priority -100;
        ip daddr {address} tcp dport 443 redirect to :{port}
    }}
}}
"""

REQUEST = (
    f"POST {FIREWORKS_CHAT} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nConnection: close\r\n"
    f"Content-Length: {len(BODY)}\r\n\r\n"
).encode() + BODY


def test_a_client_that_names_no_proxy_is_answered_and_nothing_leaves() -> None:
    unshare = shutil.which("unshare")
    if not unshare or not shutil.which("nft") or not shutil.which("ip"):
        pytest.skip("unshare, nft or ip is not on this machine")
    if subprocess.run([unshare, "-Urn", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets its users have no namespaces")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (SUPPORT, TESTS)))}
    command = [unshare, "-Urn", sys.executable, "-P", str(Path(__file__).resolve())]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"recorded": 200, "unknown": 400, "connects": [], "no provider": "refused"}


def inside() -> None:
    """What is done in the namespaces; it prints what came out."""
    for command in ("link set lo up", f"addr add {ADDRESS}/32 dev lo"):
        subprocess.run(["ip", *command.split()], check=True)
    with Mitmdump(SHIPPED, "replay", proxy_mode="transparent", args=["--listen-host", ""], fork=False) as proxy:
        port = int(proxy.wait_for_log(r" listening at 127\.0\.0\.1:(\d+)\.")[1])
        subprocess.run(["nft", "-f", "-"], input=RULES.format(address=ADDRESS, port=port), text=True, check=True)
        outcome = {
            "recorded": status(asked(proxy, REQUEST)),
            "unknown": status(asked(proxy, REQUEST.replace(b"POST ", b"POST /other", 1))),
            "connects": proxy.connects(),
            "no provider": no_provider(),
        }
        proxy.assert_sound()
    print(json.dumps(outcome))


def asked(proxy: Mitmdump, request: bytes) -> bytes:
    """The answer to a request in TLS, by an address, as a name server would give it."""
    context = ssl.create_default_context(cafile=str(proxy.ca_file))
    connection = socket.create_connection((ADDRESS, 443), timeout=60)
    with context.wrap_socket(connection, server_hostname=HOST) as secure:
        secure.sendall(request)
        return read(secure)


def no_provider() -> str:
    """What becomes of TLS for another host: its server is not to be had here."""
    context = ssl.create_default_context()
    try:
        connection = socket.create_connection((ADDRESS, 443), timeout=60)
        with context.wrap_socket(connection, server_hostname="harmless.example"):
            return "answered"
    except OSError:
        return "refused"


if __name__ == "__main__":
    inside()
