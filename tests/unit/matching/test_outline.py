"""Which of many requests is the nearest, by what is kept of each in a few bytes."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from builders import ENDPOINT
from wiretape.matching.outline import Outline, Outlines, Piece, outline, unpacked, unpacked_piece
from wiretape.recording import RecordedRequest
from wiretape.tape.mismatch import NearRecording, explain

RNG = random.Random(1)
WORDS = ["".join(RNG.choices("etaoinshrdlu", k=RNG.randint(2, 9))) for _ in range(3000)]
TOOLS = [{"type": "function", "function": {"name": name, "description": "What it does."}} for name in ("read", "write")]


def text(lines: int) -> str:
    return "\n".join(" ".join(RNG.choices(WORDS, k=10)) for _ in range(lines))


SYSTEM = f"Today is 2026-11-27.\n{text(40)}"


def chat(*messages: str, **more: Any) -> RecordedRequest:
    body = {"model": "m", "messages": [{"role": "user", "content": each} for each in messages], "tools": TOOLS, **more}
    return RecordedRequest(f"https://api.openai.com/v1{ENDPOINT}", body, ENDPOINT)


HISTORY = [text(6) for _ in range(6)]
QUESTION = "What is the capital of Germany?"
OTHERS = {
    **{f"capital {number}": chat(SYSTEM, f"What is the capital of {WORDS[number]}?") for number in range(300)},
    **{f"history {number}": chat(SYSTEM, *(text(4) for _ in range(4))) for number in range(100)},
    **{f"alone {number}": chat(WORDS[number]) for number in range(50)},
    **{f"turn {turn}": chat(SYSTEM, *HISTORY[:turn]) for turn in range(1, 6)},
    "zzz": chat("zzz"),
}
GERMANY, LONG = chat(SYSTEM, QUESTION), chat(SYSTEM, *HISTORY)


def changed(at: int) -> list[str]:
    return [each if place != at else f"{each[:200]} changed {each[200:]}" for place, each in enumerate(HISTORY)]


# What is asked -> what is to be the nearest, among all of the others.
NEAREST: dict[str, tuple[RecordedRequest, RecordedRequest]] = {
    "a blank": (chat(SYSTEM, "What is the capital of Germany ?"), GERMANY),
    "a typing error": (chat(SYSTEM, "What is teh capital of Germny?"), GERMANY),
    "capitals": (chat(SYSTEM, QUESTION.upper()), GERMANY),
    "no mark": (chat(SYSTEM, QUESTION[:-1]), GERMANY),
    "another date in the system prompt": (chat(SYSTEM.replace("27", "28"), QUESTION), GERMANY),
    "a parameter": (chat(SYSTEM, QUESTION, temperature=0.5), GERMANY),
    "another model": (chat(SYSTEM, QUESTION, model="n"), GERMANY),
    "another tool": (chat(SYSTEM, QUESTION, tools=TOOLS[:1]), GERMANY),
    "no system prompt": (chat(QUESTION), GERMANY),
    "one letter": (chat("zzy"), OTHERS["zzz"]),
    "the first message": (chat(SYSTEM, *changed(0)), LONG),
    "the last message": (chat(SYSTEM, *changed(5)), LONG),
    "a message more": (chat(SYSTEM, *HISTORY, "Go on."), LONG),
    "a message in between": (chat(SYSTEM, *HISTORY[:3], "Wait.", *HISTORY[3:]), LONG),
    "a message less": (chat(SYSTEM, *HISTORY[:2], *HISTORY[3:]), LONG),
    "the same turns, then others": (chat(SYSTEM, *HISTORY[:3], text(5)), OTHERS["turn 3"]),
    "letters of a language without blanks": (chat("徳国的首都是哪里呢"), chat("德国的首都是哪里")),
}


@pytest.fixture(scope="module", name="outlines")
def _outlines() -> dict[str, Outline]:
    known: dict[int, Piece] = {}
    return {name: outline(each, known) for name, each in OTHERS.items()}


@pytest.mark.parametrize(("asked", "wanted"), NEAREST.values(), ids=NEAREST)
def test_the_nearest_is_found_among_many(
    outlines: dict[str, Outline], asked: RecordedRequest, wanted: RecordedRequest
) -> None:
    requests = {**OTHERS, "wanted": wanted}
    near = Outlines({**outlines, "wanted": outline(wanted)}).nearest(outline(asked), 24)
    found = explain(asked, [NearRecording(each.name, requests[each.name]) for each in near], "").nearest
    assert requests[found] == wanted, found


def test_the_order_in_which_they_were_recorded_is_of_no_matter(outlines: dict[str, Outline]) -> None:
    asked, mixed = outline(chat(SYSTEM, "What is the capital of Germny?")), {**outlines, "x": outline(GERMANY)}
    there = Outlines(mixed).nearest(asked, 5)
    assert there == Outlines(dict(reversed(mixed.items()))).nearest(asked, 5)
    assert there[0].name == "x"
    assert [each.likeness for each in there] == sorted((each.likeness for each in there), reverse=True)


def test_it_is_kept_as_bytes(outlines: dict[str, Outline]) -> None:
    pieces = {piece.id: piece for each in outlines.values() for piece in each.pieces}
    known = {number: unpacked_piece(number, piece.packed()) for number, piece in pieces.items()}
    assert known == pieces
    for each in outlines.values():
        assert unpacked(each.packed(), known) == each
        with pytest.raises(ValueError, match="no outline"):
            unpacked(each.packed(), {})
    with pytest.raises(ValueError, match="no outline"):
        unpacked(b"x", {})
    with pytest.raises(ValueError, match="no piece"):
        unpacked_piece(1, b"x")


ODD: Sequence[Callable[[], dict[str, Any]]] = (
    dict,
    lambda: {"messages": []},
    lambda: {"messages": [None, 1, {}, {"content": [{"type": "text"}]}]},
    lambda: {"messages": [{"role": "user", "content": "\ud83d"}]},
    lambda: {"messages": [{"role": "user", "content": "x"}] * 5000},
    lambda: {"input": [1] * 5000},
    lambda: {"input": ["a", "b"], "seed": 1 << 80, "x": float("nan")},
)


@pytest.mark.parametrize("body", ODD)
def test_odd_requests_have_one_too(outlines: dict[str, Outline], body: Callable[[], dict[str, Any]]) -> None:
    made = outline(RecordedRequest(f"https://api.openai.com/v1{ENDPOINT}", body(), ENDPOINT))
    assert len(made.pieces) <= 64
    assert Outlines({**outlines, "same": made}).nearest(made, 1)[0].name == "same"
    assert Outlines({}).nearest(made, 5) == []
