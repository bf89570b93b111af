"""The bytes of an answer without its secrets, in whichever form it has: as many pieces, and all else as it came."""

import json
from collections.abc import Sequence
from itertools import repeat

import pytest

from delta_forms import MESSAGE_BODIES, Written, cut, message, read_messages, recut
from drawn import draw
from wiretape.redaction import Redactor, bodies

FINDER = Redactor(environment={})
KEY = draw("sk-proj-{a40}")
PLACE = "__redacted__"


def cleaned(*pieces: str | bytes) -> Sequence[bytes]:
    raw = tuple(piece if isinstance(piece, bytes) else piece.encode() for piece in pieces)
    return bodies.cleaned(raw, FINDER)


FORMS = {
    "json": '{ "a": "x %s",\n  "n": 1.0, "ü": null }',
    "json with escapes": '{"a": "\\"%s\\""}',
    "an array": '[{"a": 1}, {"b": "%s"}]\n',
    "lines of json": '{"a": 1}\n{"b":"%s"}\n',
    "lines with others between": '{"a": 1}\nno json %s\n{"b": 2}\n',
    "events": 'event: x\ndata: {"a": "%s"}\n\ndata: [DONE]\n\n',
    "events of text": "data: my %s\n\n",
    "events in several lines": 'data: {"a":\ndata: "%s"}\n\n',
    "events with carriage returns": 'data:{"a":"%s"}\r\n\r\n',
    "a comment": ': %s\ndata: {"a": 1}\n\n',
    "an id": 'id: %s\ndata: {"a": 1}\n\n',
    "text": "your key is %s, keep it",
    "json that is cut": '{"a": "%s", "b',
    "a mark of byte order": '\ufeff{"a": "%s"}',
    "twins": '{"a": "%s", "a": "other"}',
    "not a number": '{"n": NaN, "a": "%s"}',
    "no utf-8": 'caf\udce9 {"a": "%s"}',
    "form fields": "grant=x&key=%s",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_key_goes_and_all_else_stays_byte_for_byte(form: str) -> None:
    body, expected = ((FORMS[form] % value).encode("utf-8", "surrogateescape") for value in (KEY, PLACE))
    assert b"".join(bodies.cleaned((body,), FINDER)) == expected
    for at in range(1, len(body), 7):
        pieces = (body[:at], body[at:])
        assert b"".join(again := bodies.cleaned(pieces, FINDER)) == expected
        assert len(again) == 2
        assert all(again), "an empty piece would end a stream"


@pytest.mark.parametrize("form", FORMS)
def test_without_a_secret_the_pieces_are_the_very_same(form: str) -> None:
    pieces = ((FORMS[form] % "none").encode("utf-8", "surrogateescape"), b"")
    assert bodies.cleaned(pieces, FINDER) is pieces


def test_a_key_in_deltas_is_found_and_no_delta_is_lost() -> None:
    deltas = [KEY[start : start + 5] for start in range(0, len(KEY), 5)]
    events = [f'data: {{"choices":[{{"index":0,"delta":{{"content":{json.dumps(each)}}}}}]}}\n\n' for each in deltas]
    again = [json.loads(piece.removeprefix(b"data:")) for piece in cleaned(*events)]
    assert [each["choices"][0]["delta"]["content"] for each in again] == [PLACE, *[""] * (len(deltas) - 1)]


def test_a_member_that_is_named_a_secret_is_one() -> None:
    assert cleaned('{"password": "hunter2", "n": 1}') == (b'{"password": "__redacted__", "n": 1}',)


def test_numbers_and_spaces_stay_as_they_are_written() -> None:
    assert b"".join(cleaned(f'{{"n":1.50, "m" : 1e3,"k":"{KEY}"}}')) == b'{"n":1.50, "m" : 1e3,"k":"__redacted__"}'


def test_sound_and_pictures_are_no_text() -> None:
    pieces = (b"\x00\xff" + KEY.encode(),)
    assert bodies.cleaned(pieces, FINDER) is pieces


def test_what_is_nested_too_deep_to_be_parsed_is_cleaned_as_text() -> None:
    deep = "[" * 100_000 + f'"{KEY}"'
    assert KEY.encode() not in b"".join(cleaned(deep))


def test_many_small_pieces_keep_their_number() -> None:
    body = f'{{"a": "{KEY}", "b": "the rest of it, which is long enough for all pieces to have a part of it"}}'
    again = cleaned(*body)
    assert len(again) == len(body)
    assert b"".join(again) == body.replace(KEY, PLACE).encode()


def test_secrets_of_lines_are_those_of_the_text() -> None:
    lines = ["data: 1", f"data: {KEY}", ""]
    (span,) = bodies.secrets_of_lines(lines, FINDER)
    assert bodies.secrets("\n".join(lines), FINDER) == [span]
    assert "\n".join(lines)[span.start : span.end] == KEY


@pytest.mark.parametrize("written", MESSAGE_BODIES)
@pytest.mark.parametrize("size", [0, 11])
def test_a_key_leaves_the_messages_of_aws(written: Written, size: int) -> None:
    def block(piece: str) -> dict[str, object]:
        return {"contentBlockIndex": 0, "delta": {"toolUse": {"input": piece}}}

    elements = [*map(block, cut(json.dumps({"key": KEY, "a": "b"}))), {"password": KEY, KEY: 1}]
    pieces = written(elements)
    if size:
        pieces = recut(b"".join(pieces), repeat(size))
    after = bodies.cleaned(pieces, FINDER)
    *deltas, last = read_messages(b"".join(after))
    assert json.loads("".join(each["delta"]["toolUse"]["input"] for each in deltas)) == {"key": PLACE, "a": "b"}
    assert last == {"password": PLACE, PLACE: 1}
    assert len(after) == len(pieces)
    assert bodies.cleaned(after, FINDER) is after


def test_a_key_leaves_the_messages_before_one_that_is_cut_off() -> None:
    whole = message(json.dumps({"text": KEY, "twin": KEY}).replace("twin", "text").encode())
    after = bodies.cleaned((whole, whole[:20]), FINDER)
    assert KEY.encode() not in b"".join(after)
    assert after[1] == whole[:20]
