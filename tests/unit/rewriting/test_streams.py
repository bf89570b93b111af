"""What is found in joined texts is replaced in their pieces. What is found, here is every x, run for run."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delta_forms import FORMS, cut_up, delta, token
from wiretape.rewriting import streams
from wiretape.rewriting.changes import applied, outermost
from wiretape.rewriting.channels import Walk
from wiretape.rewriting.positions import Path
from wiretape.rewriting.spans import Span
from wiretape.rewriting.streams import Text


def find(texts: Sequence[Text]) -> Iterator[tuple[int, Sequence[Span]]]:
    for number, (_, text) in enumerate(texts):
        spans = [Span(*match.span(), "x", f"<{len(match[0])}>") for match in re.finditer("x+", text)]
        if spans:
            yield number, spans


def put(text: str) -> str:
    return re.sub("x+", lambda match: f"<{len(match[0])}>", text)


def rewritten(elements: Sequence[Any], find_by_place: streams.FindByPlace | None = None) -> list[Any]:
    changes = streams.changed(elements, Walk(elements).channels.values(), find, find_by_place)
    after: list[Any] = applied(elements, outermost(changes))
    return after


@pytest.mark.parametrize("form", [each for each in FORMS if each != "unknown"])
@settings(max_examples=25)
@given(pieces=cut_up(st.text("ax. ", max_size=20)))
def test_the_pieces_joined_are_the_joined_text_rewritten(form: str, pieces: list[str]) -> None:
    make, read = FORMS[form]
    after = rewritten([make(piece, at) for at, piece in enumerate(pieces)])
    whole = "".join(pieces)
    # What is the same in each element is repeated, and no piece of a text; a text that grows is sent again.
    if len({*pieces}) > 1 and not whole.startswith(pieces[-1]):
        assert "".join(map(read, after)) == put(whole)
    assert len(after) == len(pieces)


def test_a_replacement_stands_in_the_piece_where_its_place_begins() -> None:
    after = rewritten([delta(content=piece) for piece in ("a x", "xx", "x b", "c")])
    assert [each["choices"][0]["delta"]["content"] for each in after] == ["a <4>", "", " b", "c"]


def test_only_what_changes_has_a_change_and_the_first_one_of_a_place_says_so() -> None:
    elements = [{"content": piece} for piece in ("a", " x", "x ", "b")]
    changes = streams.changed(elements, Walk(elements).channels.values(), find)
    assert [(each.path[0], each.value, each.is_first, each.detector) for each in changes] == [
        (1, " <2>", True, "x"),
        (2, " ", False, "x"),
    ]


def test_a_text_that_is_sent_again_each_time_changes_at_the_same_places() -> None:
    assert rewritten([{"content": text} for text in ("a", "a x", "a xx", "a xx b")]) == [
        {"content": text} for text in ("a", "a <2>", "a <2>", "a <2> b")
    ]


def test_texts_that_mean_something_by_themselves_are_not_joined() -> None:
    assert rewritten([{"id": "ax"}, {"id": "xb"}]) == [{"id": "a<1>"}, {"id": "<1>b"}]


def test_what_may_go_on_or_not_is_read_both_ways() -> None:
    seen: list[str] = []

    def find_and_tell(texts: Sequence[Text]) -> Iterator[tuple[int, Sequence[Span]]]:
        seen.extend(text for _, text in texts)
        yield from ()

    elements = [{"other": "a"}, {"other": "b"}]
    assert streams.changed(elements, Walk(elements).channels.values(), find_and_tell) == []
    assert sorted(seen) == ["a", "ab", "b"]


def test_what_stands_beside_a_token_changes_with_it() -> None:
    entries = [{**token("x"), "token_id": 7, "top_logprobs": [token("x"), token("y")]}]
    (after,) = rewritten([{"choices": [{"index": 0, "logprobs": {"content": entries}}]}])
    (entry,) = after["choices"][0]["logprobs"]["content"]
    said = {"token": "<1>", "bytes": [*b"<1>"]}
    assert [{"token": each["token"], "bytes": each["bytes"]} for each in (entry, *entry["top_logprobs"])] == [said] * 3
    assert entry["token_id"] == 0


def test_a_text_may_be_replaced_for_its_place() -> None:
    def by_place(path: Path, text: str) -> Sequence[Span]:
        return [Span(0, len(text), "place", "?")] if path[-1] == "here" else ()

    assert rewritten([{"here": "a", "there": "b"}], by_place) == [{"here": "?", "there": "b"}]
