"""The socket of the coordinator, in the process of ``wiretape serve``. It passes messages on to ``ClusterState``."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from wiretape.cluster.protocol import CounterReport, Hello, Message, MessageDecoder, Next, Rewind, Turn, encode
from wiretape.cluster.state import ClusterState

logger = logging.getLogger(__name__)

_CHUNK = 65536


class Coordinator:
    """Serves the workers. ``on_up`` gets the number of a worker that says hello, ``on_down`` that of
    one that has gone.
    """

    def __init__(self, state: ClusterState, on_up: Callable[[int], None], on_down: Callable[[int], None]) -> None:
        self._state = state
        self._on_up = on_up
        self._on_down = on_down
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, path: Path) -> None:
        """Start to listen. The folder decides who can reach the socket."""
        self._server = await asyncio.start_unix_server(self._serve, path)

    async def close(self) -> None:
        """Hear what workers that have ended still had to say, and stop."""
        assert self._server
        self._server.close()
        if self._connections:
            await asyncio.wait(self._connections, timeout=1)
        for task in self._connections:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        decoder = MessageDecoder()
        greeting = None
        try:
            while data := await reader.read(_CHUNK):
                for message in decoder.feed(data):
                    if isinstance(message, Hello):
                        greeting = message
                        self._state.hello(message.worker, message.incarnation)
                        self._on_up(message.worker)
                        continue
                    answer = self._answer(message, greeting)
                    if answer:
                        writer.write(encode(answer))
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass  # The worker was killed, or we are ending ourselves.
        except ValueError as e:
            logger.error("a worker's connection: %s", e)
        finally:
            self._connections.discard(task)
            writer.close()
            if greeting:
                self._on_down(greeting.worker)

    def _answer(self, message: Message, greeting: Hello | None) -> Turn | None:
        match message:
            case CounterReport(counters) if greeting:
                self._state.report(greeting.worker, greeting.incarnation, counters)
                return None
            case Next(session, identity):
                return Turn(self._state.turns.next(session, identity))
            case Rewind():
                self._state.turns.rewind()
                return Turn(0)
            case _:
                raise ValueError(f"out of place: {type(message).__name__}")
