"""Who sends it: a server on 127.0.0.1 in a thread of its own, which carries out the answers queued for each path."""

import asyncio
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Coroutine, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import trustme

from loopback.answers import Answer, Close, Interim, Received, Reset, Sleep, Step, Wait, coded, promised_length
from loopback.connection import ClientLeftError, Exchange, Line
from loopback.http1 import Http1
from loopback.http2 import Http2
from loopback.speech import error_answer

HOSTS = (
    "api.fireworks.ai",
    "api.cerebras.ai",
    "api.openai.com",
    "api.anthropic.com",
    "generativelanguage.googleapis.com",
    "api.groq.com",
    "api.together.xyz",
    "openrouter.ai",
    "127.0.0.1",
    "localhost",
)

Answering = Answer | Callable[[Received], Answer]


class Provider:
    """An LLM provider on loopback.

    ``requests`` are all that arrived, ``connections`` counts the TCP connections accepted, whatever came of them,
    ``left`` is set when a client goes away before its answer was whole, ``tls_failures`` says which handshakes failed.
    """

    def __init__(self, *, tls: bool = True, hosts: Sequence[str] = HOSTS, http2: bool = False) -> None:
        if http2 and not tls:
            raise ValueError("HTTP/2 is chosen by ALPN: it needs tls")
        self.requests: list[Received] = []
        self.connections = 0
        self.left = threading.Event()
        self.tls_failures: list[str] = []
        self._hosts = tuple(hosts)
        self._tls = tls
        self._http2 = http2
        self._answers: dict[str, list[Answering]] = {}
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._lines: set[Line] = set()
        self._fresh: set[socket.socket] = set()

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="loopback-")
        self.ca_pem = Path(self._folder.name) / "ca.pem"
        _authority().cert_pem.write_to_path(str(self.ca_pem))
        self._context = _server_context(self._hosts, self._http2) if self._tls else None
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"provider:{self.port}", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._folder.cleanup()
        if self._failure and exc[1] is None:
            raise self._failure

    @property
    def url(self) -> str:
        """The provider's own address, for clients that go there without a proxy."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def on(self, path: str, *answers: Answering) -> None:
        """Queue answers for a path without query (``*``: any other path); the last one repeats."""
        with self._changed:
            self._answers.setdefault(path, []).extend(answers)

    def wait_for_requests(self, n: int, timeout: float = 10) -> list[Received]:
        """The requests, when at least ``n`` have arrived."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.requests) >= n, timeout):
                raise AssertionError(
                    f"{len(self.requests)} of {n} requests arrived within {timeout} s: {self.requests}"
                )
            return list(self.requests)

    # From here on: the provider's own thread.

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._loop.add_reader(self._listener, self._accept)
        await self._stopping.wait()
        self._loop.remove_reader(self._listener)
        self._listener.close()
        while self._tasks:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        lines = list(self._lines)
        for line in lines:
            line.transport.abort()
        for line in lines:
            await line.lost.wait()
        # A handshake that was cancelled closes its socket some turns of the loop later.
        for _ in range(5):
            await asyncio.sleep(0)
        # And one that never began has nobody else to close it.
        for connection in self._fresh:
            connection.close()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this in the provider's loop; what goes wrong is raised when the provider stops."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._failure = self._failure or error

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            # It left again before it was accepted.
            return
        connection.setblocking(False)
        self.connections += 1
        self._fresh.add(connection)
        self.spawn(self._shake_hands(connection))

    async def _shake_hands(self, connection: socket.socket) -> None:
        context = self._context
        limits = {"ssl_handshake_timeout": 10.0, "ssl_shutdown_timeout": 5.0} if context else {}
        try:
            await self._loop.connect_accepted_socket(lambda: _Chooser(self), connection, ssl=context, **limits)
        except OSError as error:
            # A client that does not trust us, or that probes: the connection counts, and no request comes of it.
            self.tls_failures.append(str(error))
        self._fresh.discard(connection)

    def opened(self, line: "Line") -> None:
        """A connection is ready for requests."""
        self._lines.add(line)

    def closed(self, line: "Line") -> None:
        """A connection is gone."""
        self._lines.discard(line)

    async def answer(self, exchange: Exchange, received: Received) -> None:
        """Carry out what was queued for this request."""
        with self._changed:
            queued = self._answers.get(urlsplit(received.path).path) or self._answers.get("*")
            answering = queued.pop(0) if queued and len(queued) > 1 else queued[0] if queued else None
            self.requests.append(received)
            self._changed.notify_all()
        if answering is None:
            answering = error_answer(404, f"no answer queued for {received.path}", code="no_answer_queued")
        try:
            await self._send(exchange, answering if isinstance(answering, Answer) else answering(received))
        except ClientLeftError:
            self.left.set()
        except Exception:
            # The mistake is the test's: its client shall not wait, and the provider raises it at its own end.
            await exchange.reset(stream_only=False)
            raise

    async def _send(self, exchange: Exchange, answer: Answer) -> None:
        steps = coded(answer)
        headers = list(answer.headers)
        if answer.coding:
            headers.append(("content-encoding", answer.coding))
        if answer.framing == "length":
            headers.append(("content-length", str(promised_length(steps))))
        if not await self._carry_out(exchange, answer.before):
            return
        if exchange.gone.is_set():
            raise ClientLeftError
        exchange.head(answer, headers)
        if await self._carry_out(exchange, steps):
            exchange.end()

    async def _carry_out(self, exchange: Exchange, steps: Sequence[Step]) -> bool:
        for step in steps:
            if exchange.gone.is_set():
                raise ClientLeftError
            match step:
                case bytes():
                    await exchange.data(step)
                case Wait(event):
                    # A thread's event has no asyncio side: looked at often, while the client is watched.
                    while not event.is_set():
                        await _pause(exchange, 0.002)
                case Interim(status, headers):
                    exchange.interim(status, headers)
                case Sleep(seconds):
                    await _pause(exchange, seconds)
                case Reset(stream_only):
                    await exchange.reset(stream_only=stream_only)
                    return False
                case Close():
                    exchange.close()
                    return False
        return True


class _Chooser(asyncio.Protocol):
    """Stands in until the handshake is done, and hands over to the protocol that ALPN chose."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        tls = transport.get_extra_info("ssl_object")
        chosen = tls.selected_alpn_protocol() if tls else None
        line = Http2(self._provider) if chosen == "h2" else Http1(self._provider)
        transport.set_protocol(line)
        line.connection_made(transport)


async def _pause(exchange: Exchange, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await exchange.gone.wait()
    except TimeoutError:
        return
    raise ClientLeftError


@cache
def _authority() -> trustme.CA:
    # One for the process: several providers behind one proxy, and one file for it to trust.
    return trustme.CA()


@cache
def _server_context(hosts: tuple[str, ...], http2: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _authority().issue_cert(*hosts).configure_cert(context)
    context.set_alpn_protocols(["h2", "http/1.1"] if http2 else ["http/1.1"])

    def remember(tls: ssl.SSLObject | ssl.SSLSocket, name: str | None, context: ssl.SSLContext) -> None:
        tls.sni = name  # type: ignore[union-attr]

    context.sni_callback = remember
    return context
