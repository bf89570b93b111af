"""A server of bare sockets on this machine, which does with a connection what a test wants: beside ``loopback``."""

import contextlib
import socket
import threading


class BareServer:
    """Hands each connection to ``serve``, in a thread of its own."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.came = 0
        """Connections."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.came += 1
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self.serve(connection)

    def serve(self, connection: socket.socket) -> None:
        """Do what is wanted; then the connection is closed. An OSError ends it too."""
        raise NotImplementedError

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()


class Answering(BareServer):
    """Gives the same bytes to whoever has asked for anything, and keeps what was asked. A context manager."""

    def __init__(self, answer: bytes, *, ends: bool = True) -> None:
        """``ends``: whether the connection is closed behind the answer."""
        super().__init__()
        self._answer = answer
        self._ends = ends
        self._closed = threading.Event()
        self.asked = b""

    def __enter__(self) -> "Answering":
        return self

    def __exit__(self, *exc: object) -> None:
        self._closed.set()
        self.close()

    def serve(self, connection: socket.socket) -> None:
        """Read one head, and answer."""
        while b"\r\n\r\n" not in self.asked:
            self.asked += connection.recv(65536)
        connection.sendall(self._answer)
        if not self._ends:
            self._closed.wait()
