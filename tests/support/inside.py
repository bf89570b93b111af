"""A real mitmproxy with the addon inside the test's own process, so that a test can make any part of it fail.

``harness.Mitmdump`` is as a user starts it; this one is for what no user can do. One at a time: mitmproxy's ``ctx`` is
one for the process.
"""

import asyncio
import socket
import threading
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Self

import pytest
from mitmproxy import options

from harness import confdir

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from mitmproxy.tools.dump import DumpMaster

    from wiretape.proxy.addon import Wiretape

_open_connection = asyncio.open_connection


class Inside:
    """A proxy, as a context manager. All that leaves it goes to ``ports`` by the port that is asked for, or nowhere."""

    def __init__(self, chosen: Mapping[str, Any], *, modes: Sequence[str] = (), ports: Mapping[int, int]) -> None:
        self._chosen = {"wiretape_wire": False, **chosen}
        self.port = free_port()
        self._modes = [f"regular@{self.port}", *modes]
        self._ports = dict(ports)
        self.opened: list[tuple[str, int]] = []
        """Every connection that mitmproxy was about to open."""
        self.ca_file = confdir() / "mitmproxy-ca-cert.pem"
        self._up = threading.Event()
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(asyncio, "open_connection", self._open)
        self._thread = threading.Thread(target=self._run, name="mitmproxy", daemon=True)
        self._thread.start()
        assert self._up.wait(60)
        if self._failure:
            raise self._failure
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        self._patch.undo()

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self._thread.is_alive()

    def begin_to_stop(self) -> None:
        """Ask it to end, and do not wait."""
        self.master.shutdown()

    def stop(self) -> None:
        """Have it end."""
        if self.is_alive:
            self.master.shutdown()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as e:  # noqa: BLE001  it is raised where somebody sees it
            self._failure = e
        finally:
            self._up.set()

    async def _serve(self) -> None:
        chosen = options.Options(confdir=str(confdir()), listen_host="127.0.0.1", mode=self._modes)
        self.master = DumpMaster(chosen, with_termlog=False, with_dumper=False)
        self.addon = Wiretape()
        self.master.addons.add(self.addon, self)
        chosen.update(**self._chosen)
        await self.master.run()
        # A process of its own would end now; here nothing may stay open.
        proxyserver = self.master.addons.get("proxyserver")
        for server in proxyserver.servers:
            await server.stop()
        for handler in [*proxyserver.connections.values()]:
            for transport in handler.transports.values():
                if transport.writer:
                    transport.writer.transport.abort()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for each in others:
                each.cancel()
            await asyncio.wait(others)
        for _ in range(10):  # A transport closes its socket some turns of the loop later.
            await asyncio.sleep(0)

    def running(self) -> None:
        """Of mitmproxy's hooks: the addon is up, as it comes before this one."""
        self._up.set()

    async def _open(self, host: Any = None, port: Any = None, **kwargs: Any) -> Any:
        self.opened.append((host, port))
        if port not in self._ports:
            raise ConnectionRefusedError(f"no origin for port {port}")
        return await _open_connection("127.0.0.1", self._ports[port], **kwargs)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
