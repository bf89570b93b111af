"""The side of a worker: it asks the coordinator for turns, reports its counters, and does what it is told. Sockets,
and threads.

``wiretape serve`` gives each worker an option ``NUMBER@PATH``: which worker it is, and where the coordinator listens.
"""

import logging
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

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
from wiretape.metrics.counters import Counters
from wiretape.replay.take_counters import LocalTurns

logger = logging.getLogger(__name__)

_PATIENCE = 2.0
"""How many seconds an answer may take. Usually it takes a tenth of a millisecond."""

_AGAIN = 5.0
"""After how many seconds a coordinator that was away is tried again. A try may hold up a look-up."""

_EVERY = 0.5
"""How many seconds pass between two reports."""

_CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Membership:
    """Which worker this is, and where its coordinator is."""

    worker: int
    path: str

    def __str__(self) -> str:
        return f"{self.worker}@{self.path}"


def parse(text: str) -> Membership:
    """Parse ``NUMBER@PATH``. Raises ValueError."""
    number, _, path = text.partition("@")
    if not (number.isascii() and number.isdecimal() and path):
        raise ValueError(f"{text!r} is not NUMBER@PATH: wiretape serve sets it, and nobody else")
    return Membership(int(number), path)


class RemoteTurns:
    """The ``Turns`` of all workers together. It blocks until the answer comes; for any thread.

    While the coordinator is away, it counts for this process alone, and logs that once.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._local = LocalTurns()
        self._is_away = False
        self._try_again = 0.0

    def next(self, session: str, identity: str) -> int:
        """Return the number of the next turn, as ``Turns.next`` does."""
        played = self._ask(Next(session, identity))
        if played is not None:
            return played
        return self._local.next(session, identity)

    def rewind(self) -> None:
        """Start all turns anew, as ``Turns.rewind`` does."""
        self._ask(Rewind())
        self._local.rewind()

    def close(self) -> None:
        """Close the connection. The next question opens another one."""
        with self._lock:
            self._disconnect()

    def _ask(self, message: Message) -> int | None:
        with self._lock:
            if time.monotonic() < self._try_again:
                return None
            try:
                played = self._converse(message)
            except (OSError, ValueError) as e:
                self._disconnect()
                self._note(e)
                return None
            if self._is_away:
                logger.warning("wiretape serve answers again: takes are counted for all workers")
            self._is_away = False
            return played

    def _converse(self, message: Message) -> int:
        if self._connection is None:
            self._connection = _connect(self._path)
        self._connection.sendall(encode(message))
        decoder = MessageDecoder()
        while data := self._connection.recv(4096):
            for answer in decoder.feed(data):
                if isinstance(answer, Turn):
                    return answer.played
        raise ConnectionError("the connection ended")

    def _disconnect(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None

    def _note(self, error: Exception) -> None:
        self._try_again = time.monotonic() + _AGAIN
        if not self._is_away:
            logger.error("wiretape serve does not answer (%s): this worker counts takes by itself", error)
        self._is_away = True


class Reporter:
    """Tells the coordinator that this worker is up, and what it counts, and does what the coordinator tells it to.

    ``join`` comes before the worker listens, ``start`` when it serves: from then on a thread of its own sees to all.
    When the coordinator is gone, ``on_lost`` is called once, from that thread: nothing watches this worker any more.
    """

    def __init__(
        self,
        membership: Membership,
        counters: Callable[[], Mapping[str, Counters]],
        on_lost: Callable[[], None],
        carry_out: Callable[[Order], str],
    ) -> None:
        """``carry_out`` does what an order says, and returns why it cannot; it is called from the thread."""
        self._hello = Hello(membership.worker, f"{os.getpid()}-{time.time_ns()}")
        self._path = membership.path
        self._counters = counters
        self._on_lost = on_lost
        self._carry_out = carry_out
        self._connection: socket.socket | None = None
        self._decoder = MessageDecoder()
        self._early: list[Order] = []
        """Orders that have come before the worker serves."""
        self._sending = threading.Lock()
        self._ending, self._end = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="wiretape-report", daemon=True)

    def join(self) -> Order | None:
        """Say hello, and return what is in force; None where nobody answers."""
        try:
            self._connection = connection = _connect(self._path)
            connection.sendall(encode(self._hello))
            orders: list[Order] = []
            while not orders:
                orders = self._orders(connection)
            connection.sendall(encode(Done(orders[0].number)))
        except (OSError, ValueError) as e:
            logger.error("wiretape serve does not say what is in force: %s", e)
            return None
        self._early = orders[1:]
        return orders[0]

    def start(self) -> None:
        """Start the thread, which says that the worker is up."""
        self._thread.start()

    def close(self) -> None:
        """Send a last report, with everything that was counted, and stop."""
        self._end.close()
        if self._thread.ident:
            self._thread.join()
        elif self._connection:
            self._connection.close()
        self._ending.close()

    def _run(self) -> None:
        if self._connection is None:
            self._on_lost()
            return
        try:
            with self._connection as connection:
                connection.sendall(encode(Up()))
                for order in self._early:
                    self._obey(connection, order)
                told = self._tell(connection, {})
                ready: Collection[socket.socket] = ()
                while self._ending not in ready:
                    ready = _readable((self._ending, connection), _EVERY)
                    if connection in ready and self._ending not in ready:
                        for order in self._orders(connection):
                            self._obey(connection, order)
                    told = self._tell(connection, told)
                return
        except (OSError, ValueError) as e:
            if _readable((self._ending,), 0):
                return
            logger.error("wiretape serve is gone: %s", e)
        self._on_lost()

    def _orders(self, connection: socket.socket) -> list[Order]:
        """Return the orders that have come whole. Raises OSError where the connection has ended, and ValueError."""
        data = connection.recv(_CHUNK)
        if not data:
            raise ConnectionError("the connection ended")
        return [message for message in self._decoder.feed(data) if isinstance(message, Order)]

    def _obey(self, connection: socket.socket, order: Order) -> None:
        if order.task is not Task.FLUSH:
            self._send(connection, Done(order.number, self._carry_out(order)))
            return
        # It may wait for recordings that are being written, and changes nothing: no other order waits for it.
        threading.Thread(target=self._flush, args=(connection, order), name="wiretape-flush", daemon=True).start()

    def _flush(self, connection: socket.socket, order: Order) -> None:
        with suppress(OSError):  # Nobody waits for it any more.
            self._send(connection, Done(order.number, self._carry_out(order)))

    def _send(self, connection: socket.socket, message: Message) -> None:
        with self._sending:
            connection.sendall(encode(message))

    def _tell(self, connection: socket.socket, told: dict[str, Counters]) -> dict[str, Counters]:
        # They are copied because counting goes on meanwhile.
        now = {session: _copy(counters) for session, counters in self._counters().items()}
        if now != told:
            self._send(connection, CounterReport(now))
        return now


def _copy(counters: Counters) -> Counters:
    copy = Counters()
    copy.add(counters)
    return copy


def _connect(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(_PATIENCE)
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def _readable(connections: Sequence[socket.socket], seconds: float) -> list[socket.socket]:
    """Return those that can be read, as soon as one can."""
    # select would know only the first 1024 descriptors, and a proxy has more connections.
    with selectors.DefaultSelector() as selector:
        for each in connections:
            selector.register(each, selectors.EVENT_READ)
        ready = {key.fileobj for key, _ in selector.select(seconds)}
    return [each for each in connections if each in ready]
