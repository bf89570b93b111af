"""The bytes of a live answer -> an SDK's objects, one by one. Under ``elements``; sans-IO.

A stream gives its elements until it is over, or raises an error that says why it is no whole one: it broke off, or it
holds an error. The error has the elements that came before.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from wiretape.codecs import ndjson, sse
from wiretape.codecs.remade import Remade
from wiretape.providers import answers, sdk_errors, stream_ends
from wiretape.providers.answers import BrokeOffError, HoldsError, LiveResponse, UnrecordableError
from wiretape.providers.stream_ends import End, Watcher

type Element = dict[str, Any]
"""``{"__type__", "__data__"}``: an object as its SDK's class dumps it."""

type MakeElement = Callable[[Mapping[str, Any]], Element]
"""Makes an element of an object that came."""


def events(live: LiveResponse, watch: Callable[[], Watcher], element: MakeElement) -> Iterator[Element]:
    """Yield the elements that the events of a stream are. Raises UnrecordableError."""
    watcher = watch()
    end = End.OPEN
    came = answers.parts(sse.SseDecoder(), live.pieces)
    for event, is_whole in came:
        if not event.data.strip():
            continue  # It only keeps the connection open.
        if stream_ends.is_done(event.data):
            return
        data = answers.value_of(event.data)
        # Of an event that is an error by its name the data need not be JSON.
        if (is_whole or data or live.ended) and sdk_errors.holds(data, event.event):
            tail = [line for each, _ in chain([(event, True)], came) for line in sse.lines(each)]
            raise HoldsError(sdk_errors.said(data) or event.data, (), tail, is_streaming=True)
        if not isinstance(data, dict):
            data = _part(event.data, "an event of the stream", is_whole)
        yield element(data)
        end = watcher.see(data, event.event)
        if end is End.OVER:
            return
    answers.must_be_whole(end, live)


def lines(live: LiveResponse, watch: Callable[[], Watcher], element: MakeElement) -> Iterator[Element]:
    """Yield the elements that the lines of a stream are. Raises UnrecordableError."""
    watcher = watch()
    end = End.OPEN
    came = answers.parts(ndjson.NdjsonDecoder(), live.pieces)
    for line, is_whole in came:
        data = answers.value_of(line)
        if sdk_errors.holds(data):
            rest = [str(each, "utf-8", "surrogateescape") for each, _ in chain([(line, True)], came)]
            tail = [each.replace("\r", "") for each in rest]
            raise HoldsError(sdk_errors.said(data), (), tail, is_streaming=True)
        if not isinstance(data, dict):
            data = _part(line, "a line of the stream", is_whole)
        yield element(data)
        end = watcher.see(data)
        if end is End.OVER:
            return
    answers.must_be_whole(end, live)


def object_of(text: str | bytes | bytearray, what: str) -> dict[str, Any]:
    """Return the JSON object that a text is. Raises UnrecordableError."""
    try:
        value = answers.json_of(text)
    except ValueError as e:
        raise UnrecordableError(f"{what} is not JSON: {e}") from e
    if not isinstance(value, dict):
        if sdk_errors.holds(value):
            raise HoldsError(sdk_errors.said(value), said=f"{what} holds an error")
        raise UnrecordableError(f"{what} is not a JSON object")
    return value


def elements(each: Callable[[], Iterator[Element]], size: int) -> Sequence[Element]:
    """Return the elements of a stream; of a large one they take ten times its memory, and are made anew each time."""
    held: list[Element] = []
    count = 0
    failed: BrokeOffError | HoldsError | None = None
    try:
        for element in each():
            count += 1
            if size <= answers.LARGE:
                held.append(element)
    except (BrokeOffError, HoldsError) as e:
        failed = e
    came = held if size <= answers.LARGE else Remade(each, count)
    match failed:
        case BrokeOffError():
            raise BrokeOffError(str(failed), came)
        case HoldsError():
            raise HoldsError(failed.error, came, failed.tail, is_streaming=True)
    if not count:
        raise UnrecordableError("the stream is empty")
    return came


def _part(text: str | bytes, what: str, is_whole: bool) -> dict[str, Any]:
    """Return the object that an event, or a line, holds. Raises BrokeOffError for one that is cut off."""
    try:
        return object_of(text, what)
    except UnrecordableError as e:
        if is_whole:
            raise
        raise BrokeOffError(f"the stream ended within {what}: it broke off") from e
