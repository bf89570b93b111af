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
