"""The bytes of a stream as an SDK's objects: until it is over, or with why it is no whole one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from wiretape.codecs.remade import Remade
from wiretape.providers import answers, element_streams
from wiretape.providers.answers import BrokeOffError, HoldsError, LiveResponse, UnrecordableError
from wiretape.providers.stream_ends import End


class UntilLast:
    """Over with the object that says so."""

    def see(self, data: Mapping[str, Any], event: str = "", /) -> End:
        return End.OVER if data.get("last") else End.OPEN


def element(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"__type__": "t", "__data__": dict(data)}


def live(*pieces: str, ended: bool = True) -> LiveResponse:
    return LiveResponse(200, (), [piece.encode() for piece in pieces], [0.0] * len(pieces), ended)


def made(read: Callable[..., Iterator[Any]], *pieces: str, ended: bool = True) -> list[Any]:
    return [each["__data__"] for each in read(live(*pieces, ended=ended), UntilLast, element)]


EVENTS = 'data: {"a": 1}\n\n: ping\n\ndata: {"last": 1}\n\n'
LINES = '{"a": 1}\n{"last": 1}\n'
WHOLE = [(element_streams.events, EVENTS), (element_streams.lines, LINES)]


@pytest.mark.parametrize(("read", "text"), WHOLE)
def test_the_objects_of_a_stream_however_it_is_cut(read: Any, text: str) -> None:
    assert made(read, text) == made(read, *text) == [{"a": 1}, {"last": 1}]
    assert made(read, text, ended=False) == [{"a": 1}, {"last": 1}], "it was over before its connection broke"


def test_done_ends_a_stream() -> None:
    assert made(element_streams.events, 'data: {"a": 1}\n\ndata: [DONE]\n\ndata: {"b": 1}\n\n') == [{"a": 1}]


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (element_streams.events, 'data: {"a": 1}\n\n'),
        (element_streams.events, 'data: {"a": 1}\n\ndata: {"b'),
        (element_streams.lines, '{"a": 1}\n'),
        (element_streams.lines, '{"a": 1}\n{"b'),
    ],
)
@pytest.mark.parametrize("ended", [False, True])
def test_a_stream_without_its_end_broke_off(read: Any, text: str, *, ended: bool) -> None:
    with pytest.raises(BrokeOffError):
        made(read, text, ended=ended)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (element_streams.events, 'data: {"a": 1}\n\ndata: {"error": {"message": "no"}}\n\ndata: more\n\n'),
        (element_streams.lines, '{"a": 1}\n{"error": {"message": "no"}}\nmore\n'),
    ],
)
def test_an_error_in_a_stream_is_told_with_what_follows(read: Any, text: str) -> None:
    with pytest.raises(HoldsError) as raised:
        made(read, text)
    assert raised.value.error == {"message": "no"}
    assert raised.value.is_streaming
    expected = [line for line in text.splitlines() if line and '"a"' not in line]
    assert [line for line in raised.value.tail if line] == expected


@pytest.mark.parametrize(
    ("read", "text"), [(element_streams.events, "data: [1]\n\n"), (element_streams.lines, "[1]\n")]
)
def test_what_is_no_object_is_no_answer(read: Any, text: str) -> None:
    with pytest.raises(UnrecordableError, match="is not a JSON object"):
        made(read, text)


def test_what_is_not_json_is_said() -> None:
    with pytest.raises(UnrecordableError, match="the body is not JSON"):
        element_streams.object_of("x", "the body")
    with pytest.raises(UnrecordableError, match="the body is not a JSON object"):
        element_streams.object_of("[]", "the body")
    assert element_streams.object_of(b'{"a": 1}', "the body") == {"a": 1}


def several(number: int, error: Exception | None = None) -> Callable[[], Iterator[Any]]:
    def each() -> Iterator[Any]:
        yield from (element({"n": at}) for at in range(number))
        if error:
            raise error

    return each


@pytest.mark.parametrize("size", [10, answers.LARGE + 1])
def test_elements_of_a_large_stream_are_made_anew(size: int) -> None:
    came: Sequence[Any] = element_streams.elements(several(3), size)
    assert isinstance(came, Remade) is (size > answers.LARGE)
    assert [*came] == [element({"n": at}) for at in range(3)]
    with pytest.raises(BrokeOffError) as broke:
        element_streams.elements(several(2, BrokeOffError("gone")), size)
    assert len(broke.value.elements) == 2
    with pytest.raises(HoldsError) as holds:
        element_streams.elements(several(1, HoldsError("no", tail=["x"])), size)
    assert (len(holds.value.body), holds.value.tail) == (1, ["x"])
    with pytest.raises(UnrecordableError, match="the stream is empty"):
        element_streams.elements(several(0), size)
