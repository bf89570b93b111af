"""Between a proxy and an S3 server: real HTTP on loopback, late or wrong where a test says so; keeps what was asked."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Self

_LIMIT = 1 << 26


class Fault(Enum):
    """What becomes of an answer."""

    NONE = auto()
    FLIP = auto()
    """One bit of the body is another one."""
    HALF = auto()
    """Half of the body comes, with a length that fits."""
    CUT = auto()
    """Half of the body comes, and then nothing."""
    PAGE = auto()
    """A page of somebody else's comes, with status 200."""
    MISSING = auto()
    """A page of somebody else's comes, with status 404."""
    HOLD = auto()
    """Nothing comes."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for."""

    method: str
    path: str


class Between:
    """A server that passes all on to another one on loopback, as a context manager.

    ``fault`` is asked about each request, ``delay`` is how many seconds later an answer comes.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self.port = 0
        self.delay = 0.0
        self.fault: Callable[[Request], Fault] = lambda _: Fault.NONE
        self.asked: list[Request] = []

    @property
    def recordings(self) -> list[str]:
        """The paths of recordings that were read."""
        paths = (each.path.partition("?")[0] for each in self.asked if each.method == "GET")
        return [path for path in paths if "/responses/" in path]

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="between", daemon=True)
        self._thread.start()
        starting = asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_LIMIT)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(_length(head))
        method, path, _ = head.decode("latin-1").split(" ", 2)
        request = Request(method, path)
        self.asked.append(request)
        fault = self.fault(request)
        if fault is Fault.HOLD:
            await reader.read()  # Until who asks gives up.
            return False
        await asyncio.sleep(self.delay)
        if fault in (Fault.PAGE, Fault.MISSING):
            status = b"200 OK" if fault is Fault.PAGE else b"404 Not Found"
            writer.write(b'HTTP/1.1 %s\r\ncontent-length: 13\r\netag: "p"\r\n\r\n<html></html>' % status)
            return True
        answer, content = (await self._ask(head, body)).split(b"\r\n\r\n", 1)
        half = content[: len(content) // 2]
        if fault is Fault.FLIP and content:
            content = half + bytes([content[len(half)] ^ 1]) + content[len(half) + 1 :]
        elif fault is Fault.HALF:
            answer = b"\r\n".join(line for line in answer.split(b"\r\n") if not line.lower().startswith(b"content-len"))
            answer += b"\r\ncontent-length: %d" % len(half)
            content = half
        elif fault is Fault.CUT:
            content = half
        writer.write(answer + b"\r\n\r\n" + content)
        await writer.drain()
        return fault is not Fault.CUT and b"connection: close" not in answer.lower()

    async def _ask(self, head: bytes, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target, limit=_LIMIT)
        writer.write(head[:-2] + b"connection: close\r\n\r\n" + body)
        answer = await reader.read()
        writer.close()
        # The connection to who asks stays.
        return answer.replace(b"\r\nConnection: close", b"", 1)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
