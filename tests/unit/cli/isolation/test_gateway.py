"""Where connections are led, and how the proxy is told of their targets."""

import asyncio
import socket

import pytest

from wiretape.cli.isolation import gateway
from wiretape.cli.isolation.gateway import AnnouncedReader, AnnouncedWriter, Way, as_called, way_to
from wiretape.cli.isolation.local_servers import parse
from wiretape.network.address import Address


@pytest.mark.parametrize(
    ("host", "is_provider", "allow", "way"),
    [
        ("api.openai.com", True, ["api.openai.com"], Way.PROXY),
        ("127.0.0.1", True, ["localhost"], Way.PROXY),
        ("127.0.0.1", False, ["localhost"], Way.DIRECT),
        ("::1", False, ["none"], Way.NOWHERE),
        ("db.corp", False, ["db.corp"], Way.DIRECT),
        ("db.corp", False, ["localhost"], Way.PROXY),
    ],
)
def test_ways(host: str, allow: list[str], way: Way, *, is_provider: bool) -> None:
    assert way_to(Address(host, 5432), is_provider=is_provider, allowed=parse(allow)) is way


@pytest.mark.parametrize(
    ("header", "called"),
    [
        ("localhost:11434", "localhost:11434"),
        ("[::1]:11434", "[::1]:11434"),
        ("localhost:80", "127.0.0.1:11434"),
        ("api.openai.com:11434", "127.0.0.1:11434"),
        ("a b.localhost:11434", "127.0.0.1:11434"),
        ("", "127.0.0.1:11434"),
    ],
)
def test_a_server_of_this_machine_is_called_as_the_request_calls_it(header: str, called: str) -> None:
    head = f"POST /api/chat HTTP/1.1\r\nhost: {header}\r\n\r\n".encode()
    assert str(as_called(head, Address("127.0.0.1", 11434))) == called


async def announced(answer: bytes) -> tuple[list[bytes], bytes]:
    """What a proxy reads of a client that was announced and sends "hello", and what that client gets."""
    ours, theirs = socket.socketpair()
    loop = asyncio.get_running_loop()
    reader = AnnouncedReader(limit=100, loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, ours)
    reader.announce(b"CONNECT", b"", b"before")
    writer = AnnouncedWriter(transport, protocol, reader, loop)
    theirs.send(b"hello")
    read = [await reader.read(100) for _ in range(3)]
    for each in answer:
        writer.write(bytes([each]))
    writer.close()
    await writer.wait_closed()
    with theirs:
        return read, theirs.recv(100)


def test_the_proxy_reads_what_was_announced_piece_by_piece_and_the_client_gets_no_answer_to_it() -> None:
    read, got = asyncio.run(announced(b"HTTP/1.1 200 Connection established\r\n\r\nbytes\r\n\r\n"))
    assert read == [b"CONNECT", b"before", b"hello"]
    assert got == b"bytes\r\n\r\n"


def test_a_refusal_ends_the_connection() -> None:
    assert asyncio.run(announced(b"HTTP/1.1 403 Forbidden\r\n\r\nno"))[1] == b""


def test_a_head_is_read_to_its_end_wherever_it_is_cut() -> None:
    async def heads() -> list[bytes]:
        loop = asyncio.get_running_loop()
        read = []
        for sent in (b"GET / HTTP/1.1\r\n\r\nbody", b"x" * 70_000, b"cut off"):
            reader = asyncio.StreamReader(limit=10, loop=loop)
            reading = asyncio.create_task(gateway._head(reader))
            for each in sent[:30]:
                reader.feed_data(bytes([each]))
                await asyncio.sleep(0)
            reader.feed_data(sent[30:] or b"!")
            reader.feed_eof()
            read.append(await reading)
        return read

    whole, large, cut = asyncio.run(heads())
    assert whole == b"GET / HTTP/1.1\r\n\r\n"
    assert len(large) > 65_536
    assert cut == b"cut off!"
