"""The socket of the coordinator, in the process of ``wiretape serve``. It passes messages on to ``ClusterState``.

Beside what workers tell it, it tells them what to do: an order goes to each of them, and is carried out when each that
is still there has answered. What is in force is kept here: a worker that says hello gets it before it listens, so no
request of any worker is served by what held before the last order.
"""

import asyncio
import itertools
import logging
from collections.abc import Callable
from pathlib import Path

from wiretape.cluster.protocol import (
    CounterReport,
    Done,
    Hello,
    Message,
    MessageDecoder,
    Next,
    Order,
    Rewind,
    Task,
    Turn,
    Up,
    encode,
)
from wiretape.cluster.state import ClusterState

logger = logging.getLogger(__name__)

_CHUNK = 65536

_PATIENCE = 10.0
"""Seconds that a worker may take for an order. Usually it takes a millisecond."""


class _Member:
    """A worker that has said hello, at the other end of a connection."""

    def __init__(self, greeting: Hello, writer: asyncio.StreamWriter) -> None:
        self.greeting = greeting
        self._writer = writer
        self._orders: dict[int, asyncio.Future[str]] = {}

    def tell(self, order: Order) -> asyncio.Future[str]:
        """Send an order. The future gets why it could not be carried out; it is empty where it was."""
        self._writer.write(encode(order))
        answer = self._orders[order.number] = asyncio.get_running_loop().create_future()
        return answer

    def hear(self, done: Done) -> None:
        """Note that an order was carried out."""
        answer = self._orders.pop(done.number, None)
        if answer and not answer.done():
            answer.set_result(done.problem)

    def leave(self) -> None:
        """The connection has ended, so the worker has: nothing is served by it any more."""
        for number in [*self._orders]:
            self.hear(Done(number))


class Coordinator:
    """Serves the workers. ``on_up`` gets the number of a worker that is up, ``on_down`` that of one that has gone."""

    def __init__(self, state: ClusterState, on_up: Callable[[int], None], on_down: Callable[[int], None]) -> None:
        self._state = state
        self._on_up = on_up
        self._on_down = on_down
        self._connections: set[asyncio.Task[None]] = set()
        self._members: set[_Member] = set()
        self._numbers = itertools.count(1)
        self._in_force = ""
        """The overrides that were ordered last; empty for none."""
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

    # -- what workers are told to do -------------------------------------------------------------------------------

    async def order(self, task: Task, text: str = "") -> list[str]:
        """Have all workers do something, and wait for that. Return what went wrong, a line for each worker."""
        if task is Task.APPLY:
            self._in_force = text
        order = Order(next(self._numbers), task, text)
        answers = {member.tell(order): member.greeting.worker for member in self._members}
        if not answers:
            return []
        await asyncio.wait(answers, timeout=_PATIENCE)
        return [_problem(worker, answer) for answer, worker in answers.items() if not answer.done() or answer.result()]

    async def rewind(self) -> list[str]:
        """Start all sequences of takes anew, and what faults count: return as ``order``."""
        self._state.turns.rewind()
        return await self.order(Task.REWIND)

    # -- what they tell --------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        decoder = MessageDecoder()
        member = None
        try:
            while data := await reader.read(_CHUNK):
                for message in decoder.feed(data):
                    if isinstance(message, Hello):
                        member = self._greet(message, writer)
                        continue
                    answer = self._answer(message, member)
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
            if member:
                self._members.discard(member)
                member.leave()
                self._on_down(member.greeting.worker)

    def _greet(self, greeting: Hello, writer: asyncio.StreamWriter) -> _Member:
        """Let a worker know what is in force, from now on."""
        self._state.hello(greeting.worker, greeting.incarnation)
        member = _Member(greeting, writer)
        self._members.add(member)
        member.tell(Order(next(self._numbers), Task.APPLY, self._in_force))
        return member

    def _answer(self, message: Message, member: _Member | None) -> Turn | None:
        match message:
            case CounterReport(counters) if member:
                self._state.report(member.greeting.worker, member.greeting.incarnation, counters)
                return None
            case Up() if member:
                self._on_up(member.greeting.worker)
                return None
            case Done() if member:
                member.hear(message)
                return None
            case Next(session, identity):
                return Turn(self._state.turns.next(session, identity))
            case Rewind():
                self._state.turns.rewind()
                return Turn(0)
            case _:
                raise ValueError(f"out of place: {type(message).__name__}")


def _problem(worker: int, answer: asyncio.Future[str]) -> str:
    if not answer.done():
        return f"worker {worker} did not answer within {_PATIENCE:g} s"
    return f"worker {worker}: {answer.result()}"
