"""The ``wiretape`` command as a user meets it: real processes, and a provider that is on loopback or nowhere."""

import json
import os
import pty
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

import wiretape
from loopback import Provider, Wait, from_recording
from places import ROOT, SHIPPED
from shell_user import PLAIN, User
from talk import Talk
from wiretape.cli.certificates import TrustFiles, trust_files, trusted_pem
from wiretape.cli.environment import CA_VARIABLES, child_environment
from wiretape.cli.options import check_names, is_ci
from wiretape.cli.serve_plan import worker_options as proxy_names

RECORDINGS = SHIPPED
SEED = RECORDINGS / "default" / "responses" / "e99f14805360.json"
HELLO = "Hello! It's nice to meet you. Is there something I can help you with, or would you like to chat?"

APP = """
from openai import OpenAI
client = OpenAI(base_url="https://api.fireworks.ai/inference/v1", api_key="sk-secret-of-the-user")
messages = [{"role": "user", "content": "Hello, world!"}]
model = "accounts/fireworks/models/llama-v3p1-8b-instruct"
for chunk in client.chat.completions.create(model=model, messages=messages, stream=True):
    print(chunk.choices[0].delta.content or "", end="", flush=True)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for all tests here."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def user(home: Path, tmp_path: Path) -> Iterator[User]:
    """Someone with a shell in an empty folder, whose temporary files are their own to inspect."""
    user = User(home, tmp_path)
    yield user
    assert not list(user.temporary.iterdir()), "wiretape left temporary files behind"


def replayed(user: User, *command: str) -> subprocess.CompletedProcess[str]:
    """The command against the shipped recordings."""
    options = ["--mode", "replay", "--isolate=no", "--recordings", str(RECORDINGS)]
    return user.wiretape("run", *options, "--", *command)


def test_addon_prints_the_script_and_version_the_version(user: User) -> None:
    script = user.started("addon").stdout.removesuffix("\n")
    assert Path(script).is_absolute()
    assert Path(script).name == "wiretape_addon.py"
    assert Path(script).is_file()
    assert user.started("--version").stdout == f"wiretape {wiretape.__version__}\n"


# -- run: the main job -------------------------------------------------------------------------------


def test_an_unmodified_app_is_answered_from_the_recordings(user: User) -> None:
    options = ["--mode", "replay", "--isolate=no", "--recordings", str(RECORDINGS)]
    result = user.started("run", *options, "--", *user.app(APP))
    assert result.returncode == 0, result.stderr
    assert result.stdout == HELLO
    assert result.stderr == (
        "wiretape: replay, session default: 1 hit, 0 misses, 0 recordings made, 26 tokens served from recordings, "
        "saved 0.000008 USD\n"
    )


def test_a_known_program_is_known_by_its_command_before_it_has_sent_anything(user: User) -> None:
    """What it asks others for, as npm does for it, leaves no replay: there is no such host."""
    program = user.folder / "opencode"
    url = "https://registry.invalid/@opencode-ai%2fplugin"
    program.write_text(f"#!{sys.executable}\nimport urllib.request\nprint(urllib.request.urlopen({url!r}).status)\n")
    program.chmod(0o755)
    result = replayed(user, str(program))
    assert result.stdout == "200\n", result.stderr
    assert "0 misses" in result.stderr
    assert "1 request beside the model ignored" in result.stderr


def test_faults_are_told_as_they_come_and_counted(user: User) -> None:
    config = user.folder / "team.toml"
    config.write_text("[[fault]]\nnth = 1\nstatus = 503\n", encoding="utf-8")
    options = ["--mode", "replay", "--isolate=no", "--recordings", str(RECORDINGS)]
    options += ["--set", f"wiretape_config={config}"]
    result = user.wiretape("run", *options, "--", *user.app(APP))
    assert result.stdout == HELLO, "the SDK has tried again"
    first, last = result.stderr.splitlines()
    assert first.startswith("wiretape: fault: status 503: /v1/chat/completions ")
    assert last.endswith("26 tokens served from recordings, saved 0.000008 USD, 1 fault injected")


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not on this machine")
def test_curl_goes_through_with_the_bundle(user: User) -> None:
    body = json.dumps(json.loads(SEED.read_text("utf-8"))["request"]["body"])
    url = "https://api.fireworks.ai/inference/v1/chat/completions"
    result = replayed(user, "curl", "-sSf", url, "-H", "content-type: application/json", "-d", body)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("data: {")
    assert result.stdout.endswith("data: [DONE]\n\n")
    assert "1 hit" in result.stderr


def test_record_then_replay_without_the_provider(user: User) -> None:
    app = user.app(PLAIN)
    with Provider() as origin:
        origin.on("/inference/v1/chat/completions", from_recording(SEED))
        recorded = user.wiretape("run", "--mode", "record", *user.to(origin), "--", *app)
        assert len(origin.requests) == 1
    assert recorded.stdout == HELLO, recorded.stderr
    assert "record, session default" in recorded.stderr
    assert "1 request sent to a provider, 1 recording made" in recorded.stderr
    kept = user.folder / "recordings" / "default" / "responses" / SEED.name
    assert kept.read_bytes() == SEED.read_bytes()
    again = user.wiretape("run", "--mode", "replay", "--", *app)
    assert again.stdout == HELLO, again.stderr
    assert "1 hit" in again.stderr


def test_a_program_that_tells_its_folder_replays_in_another_one(user: User) -> None:
    app = user.app(
        PLAIN.replace('"Hello, world!"', "__import__('os').environ['PWD'] + ' is ' + __import__('os').getcwd()")
    )
    (user.folder / "team.toml").write_text('[[match]]\nname = "folders"\nkinds = ["paths"]\n', encoding="utf-8")
    for name in ("recorded", "present"):
        (user.folder / name).mkdir()
    (user.folder / "link").symlink_to("recorded")
    root = user.folder
    env = {"WIRETAPE_CONFIG": str(root / "team.toml"), "WIRETAPE_RECORDINGS": str(root / "recordings")}
    with Provider() as origin:
        Talk(origin)
        options = user.to(origin)
        user.folder = root / "recorded"
        recorded = user.wiretape("run", "--mode", "record", *options, "--", *app, env=env | {"PWD": str(root / "link")})
    assert recorded.stdout == f"answer 1 to {root}/link is {root}/recorded", recorded.stderr
    user.folder = root / "present"
    env |= {"PWD": str(root / "present"), "WIRETAPE_MODE": "replay"}
    again = user.wiretape("run", "--", *app, env=env)
    assert again.stdout == f"answer 1 to {root}/present is {root}/present", again.stderr
    assert "1 hit, 1 of them by rules (folders)" in again.stderr
    unknown = user.wiretape("run", "--set", "wiretape_places={}", "--", *app, env=env)
    assert "0 hits, 1 miss" in unknown.stderr, "the user has said otherwise"


def test_a_program_without_a_name_of_its_own_is_known_by_its_command(user: User) -> None:
    app = user.app(
        PLAIN.replace('"Hello, world!"', "'You are aider.\\n- Current date: ' + __import__('sys').argv[1] + '\\n'")
    )
    command = user.folder / "aider"
    command.write_text(f"#!/bin/sh\nexec {shlex.join(app)} $1\n", encoding="utf-8")
    command.chmod(0o755)
    recordings = {"WIRETAPE_RECORDINGS": str(user.folder / "recordings")}
    with Provider() as origin:
        Talk(origin)
        user.wiretape("run", "--mode", "record", *user.to(origin), "--", str(command), "2026-11-27", env=recordings)
    replay = ("run", "--mode", "replay", "--isolate=no")
    known = user.wiretape(*replay, "--", str(command), "2026-11-28", env=recordings)
    assert "1 hit, 1 of them by rules (aider/date)" in known.stderr
    other = user.wiretape(*replay, "--", *app, "2026-11-28", env=recordings)
    assert "0 hits, 1 miss" in other.stderr, "what is not aider is compared as it is"


# -- run: the child ----------------------------------------------------------------------------------


def test_exit_code_and_streams_are_the_commands(user: User) -> None:
    result = replayed(user, *user.app("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"))
    assert result.returncode == 7
    assert result.stdout == "out\n"
    ended = "the command ended with exit code 7 before anything went through the proxy."
    assert result.stderr == f"err\nwiretape: replay, session default: {ended}\n", (
        "how a proxy is found is not the question"
    )


def test_a_commands_own_flags_and_dashes_are_its_own(user: User) -> None:
    app = user.app("import sys; print(sys.argv[1:])")
    result = user.wiretape("run", *app, "--mode", "x", "--", "--version")
    assert result.stdout == "['--mode', 'x', '--', '--version']\n", result.stderr


def test_a_command_killed_by_a_signal(user: User) -> None:
    result = replayed(user, *user.app("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))
    assert result.returncode == 128 + signal.SIGKILL
    assert "replay, session default" in result.stderr


def test_a_command_that_is_not_there(user: User) -> None:
    result = user.wiretape("run", "--", "no-such-command")
    assert (result.returncode, result.stdout) == (127, "")
    assert result.stderr == "wiretape: command not found: no-such-command\n"


def test_a_command_that_is_not_executable(user: User) -> None:
    path = user.folder / "notes.txt"
    path.write_text("no program\n", encoding="utf-8")
    result = user.wiretape("run", "--", str(path))
    assert (result.returncode, result.stdout) == (126, "")
    assert result.stderr == f"wiretape: cannot run {path}: Permission denied\n"


def test_what_the_child_finds_in_its_environment(user: User, home: Path) -> None:
    (user.folder / "own.pem").write_bytes(trustme.CA().cert_pem.bytes())
    (user.folder / "company.pem").write_bytes(trustme.CA().cert_pem.bytes())
    own = {
        "SSL_CERT_FILE": str(user.folder / "own.pem"),
        "REQUESTS_CA_BUNDLE": str(user.folder / "company.pem"),
        "HTTPS_PROXY": "http://company.test:3128",
        "https_proxy": "http://company.test:3128",
        "ALL_PROXY": "socks5://company.test:1080",
        "NO_PROXY": "*",
        "no_proxy": "db.internal, *,localhost",
        "NODE_OPTIONS": "--max-old-space-size=100",
    }
    app = """
        import json, os
        file = os.environ["SSL_CERT_FILE"]
        print(json.dumps([dict(os.environ), open(file).read(), oct(os.stat(file).st_mode & 0o777)]))
    """
    result = user.wiretape("run", "--", *user.app(app), env=own)
    env, pem, mode = json.loads(result.stdout)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", env["HTTPS_PROXY"])
    proxies = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY")
    assert {env[name] for name in proxies} == {env["HTTPS_PROXY"]}
    assert "all_proxy" not in env, "it was not there and stands for more than HTTP"
    api = env["WIRETAPE_CONTROL"].removeprefix("http://")
    assert env["NO_PROXY"] == api, "its * would lead past the proxy"
    assert env["no_proxy"] == f"db.internal,localhost,{api}"
    assert env["NODE_USE_ENV_PROXY"] == "1"
    user_option, require, preload = env["NODE_OPTIONS"].split(" ", 2)
    assert (user_option, require) == ("--max-old-space-size=100", "--require")
    assert Path(json.loads(preload)).is_file()
    assert {env[name] for name in CA_VARIABLES} == {env["SSL_CERT_FILE"]}
    assert mode == "0o644"
    assert not Path(env["SSL_CERT_FILE"]).exists(), "removed at the end"

    for trusted in (user.folder / "own.pem", user.folder / "company.pem", home / ".mitmproxy/mitmproxy-ca-cert.pem"):
        assert trusted.read_text("ascii").strip() in pem
    assert "PRIVATE KEY" not in pem
    assert len(ssl.create_default_context(cadata=pem).get_ca_certs()) == 3


def test_without_a_file_of_the_users_own_the_systems_cas_are_trusted() -> None:
    pem = trusted_pem({"SSL_CERT_FILE": "/nowhere/at/all.pem"})
    assert pem.count(b"-----BEGIN CERTIFICATE-----") > 20
    ssl.create_default_context(cadata=pem.decode("utf-8"))


def test_the_bundle_goes_when_the_command_fails_badly() -> None:
    paths: list[Path] = []

    def fails() -> None:
        with trust_files(b"", {}) as trust:
            paths.extend(map(Path, (trust.pem, trust.java, trust.php)))
            assert all(path.exists() for path in paths)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fails()
    assert not any(path.exists() for path in paths)


def test_wiretape_within_wiretape_preloads_once() -> None:
    trust = TrustFiles("ca.pem", "ca.p12", "php")
    once = child_environment({}, "http://127.0.0.1:1", trust)
    twice = child_environment(once, "http://127.0.0.1:2", trust)
    assert twice["NODE_OPTIONS"] == once["NODE_OPTIONS"]
    assert twice["HTTPS_PROXY"] == "http://127.0.0.1:2"


def test_java_and_php_find_it_beside_what_the_user_has_said() -> None:
    own = {"JAVA_TOOL_OPTIONS": "-Xmx1g", "PHP_INI_SCAN_DIR": "/etc/own", "NO_PROXY": "db.internal:5432, .corp.example"}
    trust = TrustFiles("/with space/ca.pem", "/with space/ca.p12", "/with space/php")
    child = child_environment(own, "http://127.0.0.1:7", trust)
    user, *ours = shlex.split(child["JAVA_TOOL_OPTIONS"])
    assert user == "-Xmx1g"
    assert {*ours} >= {
        "-Dhttps.proxyHost=127.0.0.1",
        "-Dhttps.proxyPort=7",
        "-Djavax.net.ssl.trustStore=/with space/ca.p12",
    }
    past = "localhost|127.*|[::1]|db.internal|*.db.internal|corp.example|*.corp.example"
    assert f"-Dhttp.nonProxyHosts={past}" in ours
    assert child["PHP_INI_SCAN_DIR"] == "/etc/own:/with space/php"
    assert child_environment({}, "http://127.0.0.1:7", trust)["PHP_INI_SCAN_DIR"] == ":/with space/php"


JAVA = """
import java.net.*;
import java.net.http.*;

public class App {
    public static void main(String[] args) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(args[0])).header("content-type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(args[1])).build();
        System.out.print(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body());
    }
}
"""

PHP = """<?php
$asked = curl_init($argv[1]);
curl_setopt_array($asked, [CURLOPT_POSTFIELDS => $argv[2], CURLOPT_HTTPHEADER => ["content-type: application/json"]]);
if (!curl_exec($asked)) { fwrite(STDERR, curl_error($asked)); exit(1); }
"""

OTHERS = {"java": ("App.java", JAVA), "php": ("app.php", PHP)}


@pytest.mark.parametrize("language", OTHERS)
def test_a_program_in_another_language_is_answered(language: str, user: User) -> None:
    if not shutil.which(language):
        pytest.skip(f"{language} is not on this machine")
    name, text = OTHERS[language]
    (user.folder / name).write_text(text, encoding="utf-8")
    if language == "php" and subprocess.run(["php", "--re", "curl"], capture_output=True, check=False).returncode:
        pytest.skip("php has no curl on this machine")
    asked = json.dumps(json.loads(SEED.read_text("utf-8"))["request"]["body"])
    url = "https://api.fireworks.ai/inference/v1/chat/completions"
    result = replayed(user, language, str(user.folder / name), url, asked)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("data: {"), result.stderr
    assert result.stdout.endswith("data: [DONE]\n\n")
    assert "1 hit" in result.stderr


def test_hosts_that_are_no_provider_pass_through_and_are_named(user: User) -> None:
    app = user.app("""
        import sys, urllib.request
        print(urllib.request.urlopen(sys.argv[1]).read().decode())
    """)
    with Provider(tls=False) as origin:
        answer = replace(from_recording(SEED), steps=[b"passed through"])
        origin.on("/page", answer)
        result = replayed(user, *app, f"{origin.url}/page")
    assert result.stdout == "passed through\n", result.stderr
    assert "No request was for a known LLM endpoint (hosts seen: 127.0.0.1)." in result.stderr


def test_a_process_left_in_the_background_is_not_waited_for(user: User) -> None:
    app = user.app("""
        import os, socket, urllib.parse
        proxy = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
        connection = socket.create_connection((proxy.hostname, proxy.port))
        connection.sendall(b"CONNECT api.fireworks.ai:443 HTTP/1.1\\r\\n\\r\\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        if os.fork() == 0:
            os.close(1)
            os.close(2)
            connection.recv(1)  # until the proxy goes
    """)
    result = replayed(user, *app)
    assert result.returncode == 5
    # It has asked for a tunnel, which is told, and for nothing in it.
    assert re.fullmatch(
        r"wiretape: replay, .*\n"
        r"wiretape: No request was for a known LLM endpoint \(hosts seen: api\.fireworks\.ai\)\.\n"
        r"wiretape: A tunnel to api\.fireworks\.ai was asked for, and no request came through it: does .*\n"
        r"wiretape: the command succeeded, and asked no provider anything: exit code 5 .*\n",
        result.stderr,
    )


# -- run: options ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--mode", "rewind"], r"'rewind'.*live, record, replay, record-if-missing"),
        (["--session", "../up"], r"wiretape_session"),
        (["--set", "wiretape_moed=replay"], r"unknown option wiretape_moed: did you mean wiretape_mode\? There are"),
        (["--set", "confdri=x"], r"unknown option confdri"),
        (["--set", "confdir=app.py/x"], r"^wiretape: app\.py/x: mitmproxy's CA cannot be kept there: .*HOME.*\n$"),
        (
            ["--match", "codx"],
            r"^wiretape: wiretape_match: 'codx' is no way to match, and no preset: did you mean codex\?",
        ),
        (
            ["--recordings", "app.py/x"],
            r"^wiretape: wiretape_recordings: /.*/app\.py/x: cannot be .*replay\n$",
        ),
    ],
    ids=["mode", "session", "unknown", "of mitmproxy's", "home", "match", "recordings"],
)
def test_a_wrong_option_is_told_before_the_command_starts(user: User, option: list[str], message: str) -> None:
    result = user.wiretape("run", *option, "--", *user.app("print('started')"))
    assert (result.returncode, result.stdout) == (2, "")
    assert re.search(message, result.stderr)
    assert "Traceback" not in result.stderr


def test_a_busy_port_is_told_before_the_command_starts(user: User) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        result = user.wiretape("run", "--port", str(port), "--", *user.app("print('started')"))
    assert (result.returncode, result.stdout) == (2, "")
    assert f"127.0.0.1:{port}" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_replay_with_nothing_to_answer_with_is_told(user: User) -> None:
    (user.folder / "recordings" / "sky" / "responses").mkdir(parents=True)
    result = user.wiretape("run", "--mode", "replay", "--session", "sea", "--", *user.app("print('started')"))
    assert (result.returncode, result.stdout) == (5, "started\n")
    there = f"{user.folder}/recordings/sea; there are sessions sky"
    assert f"wiretape: replay: there is no recording in {there}\n" in result.stderr


def test_the_chosen_port_is_the_proxys(user: User) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    app = user.app("import os; print(os.environ['HTTPS_PROXY'])")
    assert user.wiretape("run", "--port", str(port), "--", *app).stdout == f"http://127.0.0.1:{port}\n"


def test_precedence_of_options(user: User) -> None:
    confdir = user.folder / "confdir"
    confdir.mkdir()
    # The address is for the shared proxy, and so is the script: the command has its own of both.
    text = "wiretape_mode: live\nwiretape_session: from-config\nlisten_host: 0.0.0.0\nlisten_port: 1\n"
    (confdir / "config.yaml").write_text(text + f"scripts: [{ROOT / 'addons' / 'wiretape_addon.py'}]\n", "utf-8")
    confdir_option = ["--set", f"confdir={confdir}"]
    command = ["--", sys.executable, "-c", ""]
    env = {"WIRETAPE_SESSION": "from-env"}
    result = user.wiretape("run", *confdir_option, *command, env=env)
    assert "wiretape: live, session from-env:" in result.stderr
    assert "already exists" not in result.stderr

    env["WIRETAPE_MODE"] = "record"
    assigned = ["--set", "wiretape_session=from-set", "--set", "wiretape_mode=record-if-missing"]
    result = user.wiretape("run", "--mode", "replay", *assigned, *confdir_option, *command, env=env)
    assert "wiretape: replay, session from-set:" in result.stderr


def test_in_ci_it_replays_unless_a_mode_is_named(user: User) -> None:
    config = user.folder / "team.toml"
    config.write_text('[session.default]\nmode = "record"\n', encoding="utf-8")
    command = ["--set", f"wiretape_config={config}", "--", sys.executable, "-c", ""]
    result = user.wiretape("run", *command, env={"CI": "true"})
    assert result.stderr.startswith("wiretape: CI is set and no mode is chosen: replay (to record, say --mode ")
    assert "\nwiretape: replay, session default:" in result.stderr
    result = user.wiretape("run", *command, env={"CI": "true", "WIRETAPE_MODE": "record-if-missing"})
    assert result.stderr.startswith("wiretape: record-if-missing, session default:")


@pytest.mark.parametrize("value", ["", "0", "false", "False", "no", "off", " "])
def test_what_is_no_ci(value: str) -> None:
    assert not is_ci({"CI": value})


@pytest.mark.parametrize("value", ["true", "True", "1", "yes", "woodpecker"])
def test_what_is_ci(value: str) -> None:
    assert is_ci({"CI": value})
    assert not is_ci({})


def test_an_unknown_variable_ends_the_start(user: User) -> None:
    result = user.wiretape("run", "--", *user.app("print('started')"), env={"WIRETAPE_MDOE": "replay"})
    assert (result.returncode, result.stdout) == (2, "")
    assert "unknown variable WIRETAPE_MDOE: did you mean WIRETAPE_MODE? There are" in result.stderr


def test_of_variables_the_nearest_is_named() -> None:
    names = proxy_names()
    check_names({f"WIRETAPE_{name.upper()}": "x" for name in ("mode", "workers", "url")}, names)
    check_names({"WIRETAPE_MDOE": "", "PATH": "/bin", "wiretape_x": "1"}, names)
    for wrong, right in {"MDOE": "MODE", "OFLINE": "OFFLINE", "RECORDING": "RECORDINGS", "SESION": "SESSION"}.items():
        with pytest.raises(ValueError, match=rf"did you mean WIRETAPE_{right}\?"):
            check_names({f"WIRETAPE_{wrong}": "x"}, names)


# -- run: signals ------------------------------------------------------------------------------------

STREAMS_UNTIL_INTERRUPTED = (
    "import os, signal\ntry:\n"
    + textwrap.indent(APP, "    ")
    + """
except KeyboardInterrupt:
    print("<cleaned up>", flush=True)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
"""
)

# Makes the terminal on its standard input its own, as a login shell does, and becomes the command.
ON_ITS_TERMINAL = (
    "import fcntl, os, sys, termios as t; fcntl.ioctl(0, t.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


def test_ctrl_c_in_the_middle_of_a_stream(user: User) -> None:
    never = threading.Event()
    with Provider() as origin:
        answer = from_recording(SEED)
        origin.on("/inference/v1/chat/completions", replace(answer, steps=[*answer.steps[:6], Wait(never)]))
        command = [user.script, "run", "--mode", "record", *user.to(origin), "--"]
        master, terminal = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", ON_ITS_TERMINAL, *command, *user.app(STREAMS_UNTIL_INTERRUPTED)],
            cwd=user.folder,
            env=user.env,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        os.close(terminal)
        try:
            output = read_until(master, "Hello!")
            os.write(master, b"\x03")
            output += read_until(master, None)
            assert process.wait(60) == 130
        finally:
            process.kill()
            process.wait()
            os.close(master)
            never.set()
    assert "<cleaned up>" in output, output
    assert "Traceback" not in output
    after = output.partition("<cleaned up>")[2]
    assert "wiretape: record, session default: 0 hits" in after, "it waits for the command, then sums up"
    assert "1 live answer that became no recording (1 broke off)" in after
    assert not list(user.folder.glob("recordings/**/*.json"))


def read_until(terminal: int, text: str | None) -> str:
    """What the terminal shows, up to ``text``, or up to the end."""
    shown = ""
    while text is None or text not in shown:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # Linux: the last process on the terminal has ended
            piece = b""
        if not piece:
            assert text is None, f"{text!r} not in {shown!r}"
            break
        shown += piece.decode("utf-8", "replace")
    return shown


def test_a_signal_sent_to_wiretape_alone_is_passed_on(user: User) -> None:
    app = user.app("""
        import signal, sys
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
        print("ready", flush=True)
        signal.pause()
    """)
    with subprocess.Popen(
        [user.script, "run", "--mode", "replay", "--isolate=no", "--recordings", str(RECORDINGS), "--", *app],
        cwd=user.folder,
        env=user.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1, "the command's own code"
    assert errors.startswith("told to stop\nwiretape: replay, session default")


# -- run: what became of each call -------------------------------------------------------------------

SWALLOWS = """
    import json, urllib.error, urllib.request
    url = "https://api.fireworks.ai/inference/v1/chat/completions"
    model = "accounts/fireworks/models/llama-v3p1-8b-instruct"
    for question in ("Hello, world!", "Hello, World!", "Hello, world?"):
        asked = {"model": model, "messages": [{"role": "user", "content": question}], "stream": True}
        headers = {"content-type": "application/json"}
        try:
            urllib.request.urlopen(urllib.request.Request(url, json.dumps(asked).encode(), headers)).read()
        except urllib.error.HTTPError:
            print("fallback")
"""


def test_a_miss_leaves_its_reason_where_the_program_swallows_it(user: User) -> None:
    options = ["--mode", "replay", "--recordings", str(RECORDINGS), "--report", "jsonl", "calls.jsonl"]
    result = user.wiretape("run", *options, "--fail-on-miss", "--", *user.app(SWALLOWS))
    assert (result.returncode, result.stdout) == (3, "fallback\n" * 2), result.stderr
    reason = 'nearest e99f14805360: messages[0].content: "Hello, World!" here, "Hello, world!" in the recording'
    log, summary = result.stderr.split("wiretape: replay, session default")
    assert reason in log
    assert reason in summary
    assert "1 hit, 2 misses" in summary
    calls = [json.loads(line) for line in (user.folder / "calls.jsonl").read_text().splitlines()]
    assert [call["outcome"] for call in calls] == ["hit", "miss", "miss"]
    assert (calls[0]["recording"], calls[1]["miss"]["nearest"]) == ("e99f14805360", "e99f14805360")
    assert calls[2]["miss"]["difference"].startswith('messages[0].content: "Hello, world?" here')
    assert {call["session"] for call in calls} == {"default"}
    # A program that has found out by itself; and one that nobody watches.
    assert user.wiretape("run", *options, "--", *user.app(SWALLOWS + "    raise SystemExit(7)")).returncode == 7
    for more, code in ([], 3), (["--no-fail-on-miss"], 0):
        result = user.wiretape("run", *options, *more, "--", *user.app(SWALLOWS), env={"CI": "true"})
        assert result.returncode == code


@pytest.mark.parametrize("code", [0, 7])
def test_a_recording_that_is_lost_is_told_by_the_exit_code(user: User, code: int) -> None:
    breaks = "import pathlib; pathlib.Path('lost').mkdir(exist_ok=True); pathlib.Path('lost/default').write_text('')\n"
    app = user.app(breaks + PLAIN + f"\nraise SystemExit({code})")
    with Provider() as origin:
        origin.on("/inference/v1/chat/completions", from_recording(SEED))
        options = [*user.to(origin), "--mode", "record", "--recordings", "lost", "--report", "jsonl", "calls.jsonl"]
        result = user.wiretape("run", *options, "--", *app)
    assert result.returncode == (code or 4), result.stderr
    assert result.stdout == HELLO
    (call,) = [json.loads(line) for line in (user.folder / "calls.jsonl").read_text().splitlines()]
    assert call["outcome"] == "lost"
    assert "RECORDING LOST" in call["why"][0]


def test_a_report_that_cannot_be_written_is_told_before_anything_is_run(user: User) -> None:
    result = user.wiretape("run", "--report", "jsonl", "nowhere/calls.jsonl", "--", "true")
    assert result.returncode == 2
    assert "nowhere/calls.jsonl cannot be written" in " ".join(result.stderr.split())


# -- demo --------------------------------------------------------------------------------------------


def test_demo(user: User) -> None:
    result = user.started(
        "demo", env={"NO_PROXY": "api.fireworks.ai", "WIRETAPE_MODE": "live", "WIRETAPE_SESSION": "other"}
    )
    assert result.returncode == 0, result.stderr
    for seed in (RECORDINGS / "default" / "responses").glob("*.json"):
        texts: dict[int, str] = {}
        for chunk in json.loads(seed.read_text("utf-8"))["response"]["body"]:
            for choice in chunk["__data__"]["choices"]:
                text = choice["delta"]["content"] if "delta" in choice else choice["text"]
                texts[choice["index"]] = texts.get(choice["index"], "") + (text or "")
        assert "\n" + "\n".join(texts.values()) + "\n" in result.stdout
    assert 'fireworks = OpenAI(base_url="https://api.fireworks.ai/inference/v1"' in result.stdout, "the app is shown"
    assert "no recording of this request" in result.stdout
    assert 'messages[0].content: "Hello, whirled!" here, "Hello, world!" in the recording' in result.stdout
    assert "replay, session default: 4 hits, 1 miss, 0 recordings made, 166 tokens" in result.stdout
    assert "wiretape run --mode record -- python your_app.py" in result.stdout
    assert "\x1b" not in result.stdout, "no control codes in a pipe"
    assert not list(user.folder.iterdir()), "nothing is left behind"


def test_demo_without_the_openai_package(user: User) -> None:
    code = "import sys; sys.modules['openai'] = None; sys.argv[1:] = ['demo']; import wiretape.cli.__main__"
    result = subprocess.run(
        [sys.executable, "-c", code], env=user.env, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 1
    assert result.stderr == "wiretape: the demo's app needs the openai package: pip install openai\n"
