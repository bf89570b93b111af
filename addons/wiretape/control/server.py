"""A server of HTTP in a thread of its own. It listens from its making on, and costs nothing until it is asked.

=============  ==========================================  ==============================
state          what it does                                what leads out of it
=============  ==========================================  ==============================
listening      a thread waits for the first connection     the first connection; ``close``
serving        the framework serves; that was imported     ``close``
               only now, by that thread
closed         nothing: the port is free                   nothing
=============  ==========================================  ==============================

A proxy starts with each run of a test suite, and few ask it anything: importing the framework would take as long as all
the rest of the start. Whoever connects meanwhile waits in the queue of the socket, and is answered.
"""

import selectors
import socket
import threading
from importlib.util import find_spec
from typing import Self

from wiretape.control.site import Site
from wiretape.metrics.prometheus import MissingPackageError
from wiretape.network.address import Address

MISSING = (
    "the control API and the page of counters need the packages starlette and uvicorn: pip install starlette uvicorn"
)

_WAITING = 128
"""Connections that may wait to be accepted."""


def available() -> None:
    """Raise MissingPackageError where nothing can be served."""
    if find_spec("starlette") is None or find_spec("uvicorn") is None:
        raise MissingPackageError(MISSING)


class WebServer:
    """Serves a site at an address until it is closed. A context manager."""

    def __init__(self, address: Address, site: Site) -> None:
        """Raises OSError where the address is not available, MissingPackageError without the framework."""
        available()
        self._listener = _listening(address)
        host, port = self._listener.getsockname()[:2]
        self.address = Address(host, port)
        """Where it listens; the port is never 0."""
        self._site = site
        # A byte in it says that all is to end.
        self._ending, self._end = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="wiretape-control", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where a program of this machine finds it."""
        return f"http://{self.address}"

    def close(self) -> None:
        """Stop answering. It may be called twice."""
        self._end.close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        with self._listener, self._ending:
            if self._is_asked():
                # These two imports are what a start does without.
                from wiretape.control import app, serving

                serving.serve(app.make(self._site), self._listener, self._ending)

    def _is_asked(self) -> bool:
        """Wait for the first connection. Return False where the end comes before."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._ending, selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in selector.select()}
        return self._ending not in ready


def _listening(address: Address) -> socket.socket:
    family = socket.AF_INET
    if ":" in address.host:
        family = socket.AF_INET6
    # With its protocol named, asyncio lets small answers leave at once: else each waits 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # Elsewhere than on POSIX it would share the port with another program.
        if hasattr(socket, "SO_REUSEPORT"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        listener.listen(_WAITING)
    except OSError:
        listener.close()
        raise
    return listener
