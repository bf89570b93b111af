"""Real processes and real clients for tests: a ``mitmdump`` with the addon, and unmodified SDKs that go through it.

A client finds proxy and CA in its environment only, as a user's program does.
"""

import atexit
import base64
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import openai
import trustme
from openai.types.chat import ChatCompletionChunk

from forked import Forked, can_fork
from loopback import Provider
from places import ROOT, SUPPORT

ADDON = ROOT / "addons" / "wiretape_addon.py"
TO_LOOPBACK = SUPPORT / "to_loopback.py"
MITMDUMP = Path(sys.executable).parent / "mitmdump"

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_CA_FILES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO")


class Mitmdump:
    """A real ``mitmdump`` process, as a context manager.

    ``origin`` is the provider for every host. ``to_loopback.py`` is always loaded, so that no test leaves the machine.
    ``addon=None`` starts mitmdump without wiretape. ``fork=False``: all of the start is done, imports too.
    """

    def __init__(
        self,
        recordings: Path | str | None = None,
        mode: str | None = None,
        *,
        session: str | None = None,
        options: Mapping[str, str] | None = None,
        origin: Provider | None = None,
        proxy_mode: str | None = None,
        args: Sequence[str] = (),
        addon: Path | None = ADDON,
        env: Mapping[str, str] | None = None,
        fork: bool = True,
    ) -> None:
        wiretape = {"recordings": recordings, "mode": mode, "session": session}
        chosen = {f"wiretape_{key}": str(value) for key, value in wiretape.items() if value is not None}
        if origin:
            chosen["ssl_verify_upstream_trusted_ca"] = str(origin.ca_pem)
        self._options = {"confdir": str(confdir())} | chosen | dict(options or {})
        self._args = [*(["--mode", proxy_mode] if proxy_mode else []), *args]
        self._addon = addon
        self._mapping = {"*": origin.port} if origin else {}
        self._env = dict(env or {})
        self._fork = fork and addon in (None, ADDON) and can_fork(self._env)
        self._lines: list[str] = []
        self._more = threading.Condition()
        self._ended = False
        self.ca_file = Path(self._options["confdir"]) / "mitmproxy-ca-cert.pem"

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="mitmdump-"))
        self._connects = self._folder / "connects"
        env = _process_env(self._connects, self._mapping) | self._env
        # In a session of its own: Ctrl-C in the terminal is for pytest, which then stops this process in its own order.
        self.process = _start(self._command(), env, fork=self._fork)
        self._reader = threading.Thread(target=self._read, name="mitmdump's log", daemon=True)
        self._reader.start()
        try:
            self.port = self._wait_until_up()
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            self.stop()
        finally:
            self._clean_up()

    @property
    def proxy_url(self) -> str:
        """What goes into ``HTTPS_PROXY`` (in a reverse mode: the base URL's origin)."""
        return self.url_for("")

    def url_for(self, credentials: str) -> str:
        """The same with ``USER`` or ``USER:TOKEN`` in it."""
        return f"http://{credentials}{'@' if credentials else ''}127.0.0.1:{self.port}"

    def log(self) -> str:
        """All that the process wrote so far."""
        with self._more:
            return "".join(self._lines)

    def wait_for_log(self, pattern: str, timeout: float = 60) -> re.Match[str]:
        """The first match in the log, when it is there."""
        found: re.Match[str] | None = None

        def arrived() -> bool:
            nonlocal found
            found = re.search(pattern, self.log(), re.MULTILINE)
            return found is not None or self._ended

        with self._more:
            self._more.wait_for(arrived, timeout)
        if found is None:
            why = "the process ended" if self._ended else f"{timeout} s passed"
            raise AssertionError(f"{why} and {pattern!r} is not in mitmdump's log:\n{self.log()}")
        return found

    def connects(self) -> list[str]:
        """``host:port`` of each connection that the proxy opened upstream: empty where nothing left the machine."""
        return self._connects.read_text(encoding="utf-8").splitlines() if self._connects.exists() else []

    def assert_sound(self) -> None:
        """No addon failed: asyncio has a traceback of its own where a server stops that has connections."""
        assert "Addon error" not in self.log(), self.log()
        assert "wiretape/" not in self.log().partition("Traceback")[2], self.log()

    def stop(self, signal: int = signal.SIGINT, timeout: float = 60) -> int:
        """Ask the process to end, and give its exit code; a second call gives it again."""
        if self.process.poll() is None:
            self.process.send_signal(signal)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"mitmdump did not end within {timeout} s:\n{self.log()}") from None
        self._reader.join()
        return code

    def _command(self) -> list[str]:
        return _command(self._addon, self._options, self._args)

    def _wait_until_up(self) -> int:
        """Gives its port."""
        port = int(self.wait_for_log(r" listening at \S*:(\d+)\.")[1])
        self.wait_for_log(r"to_loopback is ready")
        return port

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                with self._more:
                    self._lines.append(line)
                    self._more.notify_all()
        with self._more:
            self._ended = True
            self._more.notify_all()

    def _clean_up(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        shutil.rmtree(self._folder, ignore_errors=True)


def start_expecting_failure(args: Sequence[str], *, addon: Path | None = ADDON, timeout: float = 60) -> tuple[int, str]:
    """Exit code and output of a ``mitmdump`` that is to refuse these arguments."""
    with tempfile.TemporaryDirectory(prefix="mitmdump-") as folder:
        env = _process_env(Path(folder) / "connects", {})
        process = _start(_command(addon, {"confdir": str(confdir())}, args), env, fork=addon in (None, ADDON))
        assert process.stdout
        with process.stdout as output:
            try:
                return process.wait(timeout), output.read()
            finally:
                process.kill()
                process.wait()


def client_env(proxy: Mitmdump, credentials: str = "") -> dict[str, str]:
    """The environment of a program that goes through this proxy, with these credentials in its URL."""
    env = _without_proxies()
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        # curl reads http_proxy in lower case only.
        env[name] = env[name.lower()] = proxy.url_for(credentials)
    env |= dict.fromkeys(_CA_FILES, str(proxy.ca_file))
    return env | {"NODE_USE_ENV_PROXY": "1"}


def connect_head(proxy: Mitmdump, target: str = "api.fireworks.ai:443") -> bytes:
    """How a client of bare sockets asks for a tunnel, with the credentials of the proxy's URL."""
    user = urlsplit(proxy.proxy_url).username
    credentials = base64.b64encode(f"{user}:".encode()).decode() if user else ""
    header = f"proxy-authorization: Basic {credentials}\r\n" if user else ""
    return f"CONNECT {target} HTTP/1.1\r\n{header}\r\n".encode()


@cache
def _build_models() -> None:
    """Have the SDK build what it makes of its classes at the first answer: in threads at once that fails at times."""
    choice = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}
    ChatCompletionChunk.construct(id="1", choices=[choice], created=1, model="m", object="chat.completion.chunk")


def openai_client(
    proxy: Mitmdump,
    base_url: str = "https://api.fireworks.ai/inference/v1",
    api_key: str = "sk-test-secret",
    credentials: str = "",
    **kw: Any,
) -> openai.OpenAI:
    """An unmodified client; use it in a ``with``, so that its connections are closed."""
    _build_models()
    with environment(client_env(proxy, credentials)):
        return openai.OpenAI(base_url=base_url, api_key=api_key, **kw)


def async_openai_client(
    proxy: Mitmdump,
    base_url: str = "https://api.fireworks.ai/inference/v1",
    api_key: str = "sk-test-secret",
    credentials: str = "",
    **kw: Any,
) -> openai.AsyncOpenAI:
    """The same for asyncio; use it in an ``async with``."""
    with environment(client_env(proxy, credentials)):
        return openai.AsyncOpenAI(base_url=base_url, api_key=api_key, **kw)


@contextlib.contextmanager
def environment(env: Mapping[str, str]) -> Iterator[None]:
    """This process's environment is ``env`` for the time being: SDKs read theirs when a client is made."""
    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(env)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def wait_until[T](predicate: Callable[[], T], timeout: float = 60) -> T:
    """The predicate's first true value: for what tells nobody that it happened, such as a file."""
    end = time.monotonic() + timeout
    while not (value := predicate()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {predicate}")
        time.sleep(0.005)
    return value


def _start(command: Sequence[str], env: Mapping[str, str], *, fork: bool) -> Forked | subprocess.Popen[str]:
    if fork:
        return Forked.read_by_us(command, cwd=ROOT, env=env)
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )


def _command(addon: Path | None, options: Mapping[str, str], args: Sequence[str]) -> list[str]:
    command = [str(MITMDUMP), "--listen-host", "127.0.0.1", "--listen-port", "0"]
    for script in (addon, TO_LOOPBACK):
        command += ["-s", str(script)] if script else []
    for key, value in options.items():
        command += ["--set", f"{key}={value}"]
    return [*command, *args]


def _process_env(connects: Path, mapping: Mapping[str, int]) -> dict[str, str]:
    env = {key: value for key, value in _without_proxies().items() if not key.startswith("WIRETAPE_")}
    # mitmproxy's log behaves otherwise when it thinks that it runs inside a test.
    env.pop("PYTEST_CURRENT_TEST", None)
    return env | {
        "PYTHONUNBUFFERED": "1",
        "TO_LOOPBACK_ORIGIN": json.dumps(mapping),
        "TO_LOOPBACK_CONNECTS": str(connects),
        # No journal of another test's, nor of the user's, is this one's to finish.
        "XDG_STATE_HOME": str(connects.parent / "state"),
    }


def _without_proxies() -> dict[str, str]:
    names = {*_PROXIES, *_CA_FILES, "SSL_CERT_DIR"}
    return {key: value for key, value in os.environ.items() if key.upper() not in names and key[:7] != "OPENAI_"}


@cache
def confdir() -> Path:
    """A folder as mitmproxy has it in a home, with its CA."""
    # One for the test session, made before two processes could make it at the same time. mitmproxy makes a key of RSA;
    # to read that one takes a third of the start of a fork.
    folder = Path(tempfile.mkdtemp(prefix="mitmproxy-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    ca = trustme.CA(organization_name="mitmproxy")
    (folder / "mitmproxy-ca.pem").write_bytes(ca.private_key_pem.bytes() + ca.cert_pem.bytes())
    (folder / "mitmproxy-ca.pem").chmod(0o600)
    ca.cert_pem.write_to_path(folder / "mitmproxy-ca-cert.pem")
    return folder
