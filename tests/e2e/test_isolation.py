"""``wiretape run --isolate``: a real command in namespaces of its own, and everything that it may try."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import namespaces
from bare_server import BareServer
from forked import Forked
from harness import TO_LOOPBACK, wait_until
from loopback import Provider, from_recording
from places import INVENTED, SHIPPED
from shell_user import User
from wiretape.network.address import Address

SEED = SHIPPED / "default" / "responses" / "e99f14805360.json"
HELLO = "Hello! It's nice to meet you. Is there something I can help you with, or would you like to chat?"
HAS_V6 = Path("/proc/net/if_inet6").exists()
ISOLATED = "wiretape: isolated: the command reaches the proxy and localhost, and nothing else\n"

DIRECT = """
import http.client, json, ssl, sys
trusted = ssl.create_default_context(cafile=sys.argv[2])
client = http.client.HTTPSConnection("api.fireworks.ai", context=trusted)
request = json.load(open(sys.argv[1]))["request"]["body"]
client.request("POST", "/inference/v1/chat/completions", json.dumps(request), {"content-type": "application/json"})
for line in client.getresponse().read().decode().splitlines():
    if line.startswith("data: {"):
        print(json.loads(line[6:])["choices"][0]["delta"].get("content") or "", end="", flush=True)
"""
"""A program that reads no proxy variable, and resolves the name by itself."""

TRIES = """
import socket, sys, threading
def tries(host, port, kind=socket.SOCK_STREAM):
    try:
        family = socket.getaddrinfo(host, port, type=kind)[0][0]
        with socket.socket(family, kind) as connection:
            connection.settimeout(30)
            if kind == socket.SOCK_DGRAM:
                connection.sendto(b"?", (host, port))
                return "sent"
            connection.connect((host, port))
            connection.sendall(b"?")
            return connection.recv(100).decode() or "nothing"
    except OSError as e:
        return type(e).__name__
def serve(host, port=0):
    server = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    def answer():
        while True:
            connection = server.accept()[0]
            connection.recv(1)
            connection.sendall(b"inside")
            connection.close()
    threading.Thread(target=answer, daemon=True).start()
    return server.getsockname()[1]
"""


class Outside(BareServer):
    """A server of this machine, outside of the namespaces."""

    def serve(self, connection: socket.socket) -> None:
        if connection.recv(1):
            connection.sendall(b"outside")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for all tests here: mitmproxy's CA is made there once."""
    namespaces.skip_unless_possible()
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def user(home: Path, tmp_path: Path) -> Iterator[User]:
    """Someone with a shell, whose temporary files are gone in the end."""
    user = User(home, tmp_path)
    yield user
    assert not list(user.temporary.iterdir()), "wiretape left temporary files behind"


@pytest.fixture
def outside() -> Iterator[Outside]:
    """A server of this machine."""
    server = Outside()
    yield server
    server.close()


def isolated(user: User, *arguments: str, mode: str = "replay") -> subprocess.CompletedProcess[str]:
    return user.wiretape("run", "--isolate", "--mode", mode, "--recordings", str(SHIPPED), *arguments)


def python(text: str, *arguments: str) -> list[str]:
    return ["--", sys.executable, "-c", TRIES + textwrap.dedent(text), *arguments]


# -- connections ---------------------------------------------------------------------------------------------------


def test_a_program_that_reads_no_variable_is_answered_from_the_recordings(user: User) -> None:
    store = "/etc/ssl/certs/ca-certificates.crt"
    if not Path(store).exists():
        pytest.skip("this system keeps its CAs elsewhere")
    result = isolated(user, "--", "env", "-i", sys.executable, "-c", DIRECT, str(SEED), store)
    assert result.stdout == HELLO, result.stderr
    assert result.stderr.startswith(ISOLATED)
    assert "1 hit, 0 misses" in result.stderr


def test_it_is_recorded_by_its_name(user: User) -> None:
    with Provider() as origin:
        origin.on("/inference/v1/chat/completions", from_recording(SEED))
        flags = ["--mode", "record", "--isolate=yes", *user.to(origin)]
        shell = 'exec "$0" -c "$1" "$2" "$SSL_CERT_FILE"'
        result = user.wiretape("run", *flags, "--", "sh", "-c", shell, sys.executable, DIRECT, str(SEED))
    assert result.stdout == HELLO, result.stderr
    assert (user.folder / "recordings" / "default" / "responses" / SEED.name).read_bytes() == SEED.read_bytes()
    assert (user.folder / "connects").read_text("utf-8").split() == ["api.fireworks.ai:443"]


def test_every_connection_comes_with_its_target_and_all_else_is_refused(user: User, outside: Outside) -> None:
    user.env["TO_LOOPBACK_ORIGIN"] = json.dumps({"*": outside.port})
    user.env["TO_LOOPBACK_CONNECTS"] = str(user.folder / "connects")
    other = "2001:db8::7" if HAS_V6 else "203.0.113.8"
    script = python(f"""
        print(tries("harmless.example", 8443), tries("203.0.113.7", 22), tries("{other}", 65535))
        print(tries("203.0.113.7", 53, socket.SOCK_DGRAM), tries("{other}", 443, socket.SOCK_DGRAM))
        print(tries("harmless.example", 443, socket.SOCK_DGRAM), *(name for _, name in socket.if_nameindex()))
    """)
    result = isolated(user, "--set", f"scripts={TO_LOOPBACK}", *script)
    expected = ["outside outside outside", "PermissionError PermissionError", "PermissionError lo"]
    assert result.stdout.splitlines() == expected, result.stderr
    targets = ["harmless.example:8443", "203.0.113.7:22", f"{other}:65535"]
    assert (user.folder / "connects").read_text("utf-8").split() == targets
    targets = ["203.0.113.7:53", str(Address(other, 443)), "harmless.example:443"]
    assert re.findall("^wiretape: isolated: UDP to (.*) refused$", result.stderr, re.MULTILINE) == targets


def test_servers_of_this_machine_are_reached_and_those_inside_before_them(user: User, outside: Outside) -> None:
    loopback = "::1" if HAS_V6 else "127.0.0.2"
    script = python(f"""
        print(tries("127.0.0.1", {outside.port}), tries("localhost", {outside.port}))
        own = serve("127.0.0.1")
        print(tries("localhost", own), tries("127.0.0.1", own), tries("{loopback}", serve("{loopback}")))
        serve("127.0.0.1", {outside.port})
        print(tries("127.0.0.1", {outside.port}), tries("127.0.0.1", 9))
    """)
    result = isolated(user, *script)
    assert result.stdout == "outside outside\ninside inside inside\ninside ConnectionRefusedError\n", result.stderr


def test_a_server_that_comes_up_later_is_reached(user: User) -> None:
    """The command has it started outside, as it would by a service such as Docker's."""
    wanted = user.folder / "wanted"
    port = user.folder / "port"
    servers = []

    def start() -> None:
        wait_until(wanted.exists)
        servers.append(Outside())
        port.with_suffix(".new").write_text(str(servers[0].port), "utf-8")
        port.with_suffix(".new").rename(port)

    starting = threading.Thread(target=start)
    starting.start()
    script = """
        import os, time
        open(sys.argv[1], "w").close()
        while not os.path.exists(sys.argv[2]):
            time.sleep(0.01)
        port = int(open(sys.argv[2]).read())
        while (said := tries("127.0.0.1", port)) == "ConnectionRefusedError":
            time.sleep(0.01)
        print(said)
    """
    result = isolated(user, *python(script, str(wanted), str(port)))
    starting.join()
    servers[0].close()
    assert result.stdout == "outside\n", result.stderr


def test_a_model_server_of_this_machine_that_is_down_is_answered_for(user: User) -> None:
    folder = user.folder / "recordings" / "default" / "responses"
    folder.mkdir(parents=True)
    recording = shutil.copy(INVENTED / "2025-09" / "b9b275327438.json", folder)
    script = """
        import http.client, json
        client = http.client.HTTPConnection("localhost", 11434)
        request = json.load(open(sys.argv[1]))["request"]["body"]
        client.request("POST", "/api/chat", json.dumps(request), {"content-type": "application/json"})
        print(client.getresponse().status)
    """
    result = user.wiretape("run", "--isolate", "--mode", "replay", *python(script, str(recording)))
    assert result.stdout == "200\n", result.stderr


def test_only_what_is_allowed_is_reached(user: User, outside: Outside) -> None:
    script = python(f'print(tries("127.0.0.1", {outside.port}), tries("localhost", 5432))')
    result = isolated(user, "--allow", "none", *script)
    assert result.stdout == "ConnectionRefusedError ConnectionRefusedError\n", result.stderr
    assert "isolated: the command reaches the proxy, and nothing else\n" in result.stderr
    result = isolated(user, "--allow", "localhost:5432", "--allow", f"127.0.0.1:{outside.port}", *script)
    assert result.stdout.startswith("outside "), result.stderr
    assert f"reaches the proxy and localhost:5432 and 127.0.0.1:{outside.port}, and" in result.stderr


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_command_is_who_it_was(user: User) -> None:
    script = python("""
        import os
        capabilities = [line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff")]
        print(os.getuid(), os.getgid(), os.getcwd(), os.getpgrp() == os.getpgid(os.getppid()))
        print(*sorted(os.listdir("/proc/self/fd")))
        print(int(capabilities[0], 16) == 0 or os.getuid() == 0)
        sys.exit(7)
    """)
    result = isolated(user, *script)
    assert result.returncode == 7
    assert result.stdout == f"{os.getuid()} {os.getgid()} {user.folder} True\n0 1 2 3\nTrue\n", result.stderr


def test_a_command_that_cannot_run_has_the_code_of_a_shell(user: User) -> None:
    result = isolated(user, "--", "/etc/passwd")
    assert result.returncode == 126
    assert "cannot run /etc/passwd: Permission denied" in result.stderr


def test_a_signal_reaches_the_command_and_ends_it(user: User) -> None:
    ready = user.folder / "ready"
    app = ["--", "sh", "-c", 'touch "$0"; exec sleep 1000', str(ready)]
    command = [user.script, "run", "--isolate", "--mode", "replay", "--recordings", str(SHIPPED), *app]
    with (user.folder / "output").open("w", encoding="utf-8") as output:
        process = Forked(command, cwd=user.folder, env=user.env, output=output, errors=output)
        wait_until(ready.exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM


def test_where_it_is_not_possible_it_is_said_why(user: User) -> None:
    """In namespaces that may have none below them."""
    unshare = shutil.which("unshare")
    if not unshare:
        pytest.skip("unshare is not on this machine")
    closed = [unshare, "-Ur", "sh", "-c", 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"', "sh"]
    flags = ["--mode", "replay", "--recordings", str(SHIPPED), "--isolate"]
    command = [*closed, user.script, "run", *flags, "--", "echo", "ran"]
    result = subprocess.run(command, cwd=user.folder, env=user.env, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("wiretape: --isolate: this system does not let us enter namespaces: ")
    assert "sudo sysctl user.max_user_namespaces=" in result.stderr
