"""A coordinator of workers in the test's own process, on a loop and in a thread of its own: what serve has."""

import asyncio
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from wiretape.cluster.coordinator import Coordinator
from wiretape.cluster.state import ClusterState
from wiretape.cluster.worker import Membership
from wiretape.control.overriding import OverridingWorkers


class Coordinating:
    """A coordinator that listens, as a context manager."""

    def __init__(self, folder: Path) -> None:
        """``folder``: of a short path, as its socket is there."""
        self._path = folder / "team"
        self.state = ClusterState()
        self._loop = asyncio.new_event_loop()
        self._coordinator = Coordinator(self.state, lambda _: None, lambda _: None)
        self.overriding = OverridingWorkers(self._coordinator, self._loop)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._coordinator.start(self._path), self._loop).result(60)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._coordinator.close(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def membership(self, worker: int) -> Membership:
        """What a worker is told of its coordinator."""
        return Membership(worker, str(self._path))
