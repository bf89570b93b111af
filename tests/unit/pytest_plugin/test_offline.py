import asyncio
import socket
from collections.abc import Iterator

import pytest

from wiretape.pytest_plugin.offline import Offline, OfflineError


@pytest.fixture
def offline() -> Iterator[Offline]:
    offline = Offline()
    yield offline
    offline.end()


def test_nothing_is_looked_up_nor_connected_to(offline: Offline) -> None:
    with pytest.raises(OfflineError, match=r"db\.example"):
        socket.create_connection(("db.example", 5432))
    with socket.socket() as connection, pytest.raises(OfflineError):
        connection.connect(("192.0.2.1", 80))
    with socket.socket(type=socket.SOCK_DGRAM) as connection, pytest.raises(OfflineError):
        connection.sendto(b"?", ("192.0.2.2", 53))
    assert offline.tried() == ["db.example", "192.0.2.1", "192.0.2.2"]
    assert offline.tried() == []


async def _open() -> None:
    await asyncio.open_connection("192.0.2.1", 80)


def test_asyncio_is_no_way_out(offline: Offline) -> None:
    with pytest.raises(OfflineError):
        asyncio.run(_open())
    assert offline.tried() == ["192.0.2.1"]


def test_this_machine_is_within_reach(offline: Offline) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()
        socket.create_connection(server.getsockname()).close()
    assert offline.tried() == []


def test_at_its_end_everything_passes() -> None:
    offline = Offline()
    offline.end()
    with socket.socket(type=socket.SOCK_DGRAM) as connection:
        connection.connect(("192.0.2.1", 9))
    assert offline.tried() == []
