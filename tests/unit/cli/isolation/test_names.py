"""The name server inside: what it answers, and that it knows its own addresses again."""

import socket
import struct

import pytest

from wiretape.cli.isolation.names import Names

A, PTR, HTTPS, AAAA = 1, 12, 65, 28


def query(name: str, kind: int = A, *, flags: int = 0x0100) -> bytes:
    labels = b"".join(bytes([len(each)]) + each.encode("latin-1") for each in name.split("."))
    return struct.pack(">HHHHHH", 7, flags, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)


def answered(names: Names, asked: bytes) -> tuple[int, bytes]:
    """The code of an answer, and its data."""
    answer = names.answer(asked)
    assert answer
    number, flags, questions, count = struct.unpack_from(">HHHH", answer)
    assert number == 7
    assert flags & 0x8000
    if questions:
        assert answer[12 : len(asked)] == asked[12:], "the question is repeated"
    return flags & 15, answer[len(asked) + 12 :] if count else b""


@pytest.fixture
def names() -> Names:
    return Names("Laptop")


def test_each_name_has_an_address_that_leads_back_to_it(names: Names) -> None:
    code, first = answered(names, query("api.openai.com"))
    assert code == 0
    _, second = answered(names, query("api.anthropic.com"))
    assert names.name(socket.inet_ntoa(first)) == "api.openai.com"
    assert names.name(socket.inet_ntoa(second)) == "api.anthropic.com"
    assert answered(names, query("API.OpenAI.com")) == (0, first)
    assert names.name("8.8.8.8") == "8.8.8.8"
    backwards = ".".join(reversed(socket.inet_ntoa(first).split("."))) + ".in-addr.arpa"
    assert answered(names, query(backwards, PTR)) == (0, b"\3api\6openai\3com\0")


@pytest.mark.parametrize("name", ["localhost", "app.localhost", "laptop", "LAPTOP"])
def test_this_machine_is_itself(names: Names, name: str) -> None:
    assert answered(names, query(name)) == (0, socket.inet_aton("127.0.0.1"))
    assert answered(names, query(name, AAAA)) == (0, socket.inet_pton(socket.AF_INET6, "::1"))


@pytest.mark.parametrize("kind", [AAAA, HTTPS])
def test_there_is_no_other_record(names: Names, kind: int) -> None:
    assert answered(names, query("api.openai.com", kind)) == (0, b"")


@pytest.mark.parametrize("name", ["a b.example", "ex\xe4mple", "a\r\nb", "no.invalid", ".".join(["a" * 63] * 5)])
def test_what_is_no_name_does_not_exist(names: Names, name: str) -> None:
    assert answered(names, query(name)) == (3, b"")


@pytest.mark.parametrize(
    "asked", [query("a")[:-1], query("a", flags=0x2800), query("a")[:12], b"\0\7\1\0\0\2" + b"\0" * 6]
)
def test_what_cannot_be_read_is_said_to_be_so(names: Names, asked: bytes) -> None:
    answer = names.answer(asked)
    assert answer
    assert answer[3] & 15 == 1


@pytest.mark.parametrize("asked", [b"", b"\0" * 11, query("a", flags=0x8000)])
def test_what_asks_nothing_is_not_answered(names: Names, asked: bytes) -> None:
    assert names.answer(asked) is None


def test_names_fill_no_memory(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wiretape.cli.isolation.names._MOST", 10)
    for number in range(10):
        assert names.answer(query(f"{number}.example"))
    assert answered(names, query("more.example")) == (2, b"")
    assert answered(names, query("7.example"))[0] == 0
