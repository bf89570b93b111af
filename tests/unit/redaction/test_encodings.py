"""Secrets in what a text encodes, and what it takes to look for them: time in proportion to the text."""

import base64
import json
from collections.abc import Callable, Sequence

import pytest

from costs import cost
from drawn import draw
from wiretape.redaction import DEFAULT, REDACTED, Span, bodies, encodings

KEY = draw("AIza{s35}")
PASSWORD = "hunter2-and-more"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decoded(text: str) -> str:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_").decode()


@pytest.mark.parametrize("urlsafe", [False, True])
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("before", ["", "a", "ab", "abc \u00e9\u00fb\u00ff?>"])
def test_base64_stays_base64(before: str, padded: bool, urlsafe: bool) -> None:
    data = json.dumps({"before": before, "password": PASSWORD, "n": 1}, ensure_ascii=False)
    text = base64.b64encode(data.encode(), b"-_" if urlsafe else None).decode()
    text = text if padded else text.rstrip("=")
    cleaned = DEFAULT.text(f"data:{text}, and so on")
    start, middle, end = cleaned[:5], cleaned[5:-11], cleaned[-11:]
    assert (start, end) == ("data:", ", and so on")
    assert json.loads(decoded(middle.replace("+", "-").replace("/", "_"))) == {
        "before": before,
        "password": REDACTED,
        "n": 1,
    }
    assert padded or len(text) % 4 == 0 or "=" not in middle


def test_base64_in_lines_keeps_their_length() -> None:
    text = base64.encodebytes((f"line {KEY} end\n" * 9).encode()).decode()
    cleaned = DEFAULT.text(f"---\n{text}---\n")
    assert base64.b64decode(cleaned[4:-4]).decode() == f"line {REDACTED} end\n" * 9
    assert {len(line) for line in cleaned[4:-4].split("\n")[:-2]} == {76}


def test_percent_encoding_stays_it() -> None:
    text = f"see https://x.example/?q=%7B%22password%22%3A%22{PASSWORD}%22%7D&n=100%25 and 100%, {KEY}%20b"
    assert DEFAULT.text(text) == (
        f"see https://x.example/?q=%7B%22password%22%3A%22{REDACTED}%22%7D&n=100%25 and 100%, {REDACTED}%20b"
    )
    twice = KEY.replace("A", "%2541")
    assert DEFAULT.text(f"q={twice}&n=1") == f"q={REDACTED}&n=1"


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("wrap", [json.dumps, encoded])
def test_one_in_another(wrap: Callable[[str], str], depth: int) -> None:
    text = json.dumps({"password": PASSWORD})
    for _ in range(depth):
        text = json.dumps({"a": wrap(text)})
    cleaned = DEFAULT.text(text)
    for _ in range(depth):
        inner = json.loads(cleaned)["a"]
        cleaned = json.loads(inner) if wrap is json.dumps else decoded(inner)
    assert json.loads(cleaned) == {"password": REDACTED}


def test_members_of_json_in_a_text_are_named_in_every_way() -> None:
    value = {
        "headers": [{"name": "Authorization", "value": "opensesame12"}, {"value": "swordfish12", "name": "x-api-key"}],
        "password": {"value": PASSWORD},
        "apiKey": 'with"quotes"\\and-\u00e9-9',
        "token_type": "bearer",
        "value": "stays",
    }
    text = json.dumps(value).replace("apiKey", "api\\u004bey")
    cleaned = json.loads(DEFAULT.text(text))
    assert cleaned == {
        "headers": [{"name": "Authorization", "value": REDACTED}, {"value": REDACTED, "name": "x-api-key"}],
        "password": {"value": REDACTED},
        "apiKey": REDACTED,
        "token_type": "bearer",
        "value": "stays",
    }


@pytest.mark.parametrize("cut", [*range(24, 60, 5)])
def test_arguments_that_were_cut_off(cut: int) -> None:
    text = json.dumps({"user": "bob", "password": PASSWORD, "more": "x" * 40})[:cut]
    cleaned = DEFAULT.text(text)
    assert PASSWORD[:3] not in cleaned.partition('"password": ')[2]


PIECES = {
    "quotes": '"',
    "objects": '{"',
    "escaped quotes": '\\"',
    "quotes escaped many times": '\\"' + "\\" * 3 + '"' + "\\" * 7 + '"' + "\\" * 15 + '"' + "\\" * 31 + '"',
    "escapes": "\\u0041",
    "backslashes": "\\\\",
    "members": '{"password":"x1y2z3a4b5",',
    "texts": '["a","b",',
    "percent": "%41",
    "percent in words": "%41 ",
    "base64": "QUFB",
    "base64 in lines": "Q" * 24 + "\nQUFB\nQUFB\n",
    "base64 of secrets": encoded(f"key: {KEY} ") + " ",
    "brackets": "[",
    "events": "data: ",
    "events that are": 'data: {"a":"b"}\n\n',
    "deltas": f'data: {{"delta":"{KEY} "}}\n\n',
    "lines": '{"a":"b"}\n',
    "CR": "\r",
    "growing": '{"a":"aaaaaaaa"}\n',
}


def body(text: str) -> object:
    return bodies.cleaned((text.encode(),), DEFAULT)


@pytest.mark.parametrize("look", [DEFAULT.text, body])
@pytest.mark.parametrize("first", ["", "{", '["'])
@pytest.mark.parametrize("name", PIECES)
def test_time_is_in_proportion_to_the_text(name: str, first: str, look: Callable[[str], object]) -> None:
    text = first + PIECES[name] * (4000 // len(PIECES[name]))
    short = cost(look, text)
    assert cost(look, first + PIECES[name] * (16000 // len(PIECES[name]))) < 10 * max(short, 0.002)


CODE = (
    """def load(path: str) -> dict[str, Any]:
    \'\'\'Read {path}: \\\\d+ "of" it.\\\\n\'\'\'
    return {"a": [1, "b"], "c": path}
"""
    * 90
)
TEXTS = {
    **{first: first + CODE for first in ('"""', "{", "[", '"', "")},
    "JSON": json.dumps({"a": CODE, "b": [CODE]}),
    "cut off": json.dumps({"a": CODE})[:-900],
    "in lines": f"{json.dumps({'a': CODE})}\n" * 3,
    "JSON in JSON": json.dumps({"a": json.dumps({"b": CODE}), "c": CODE}),
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_holds_nothing_is_looked_at_once(name: str) -> None:
    seen = 0

    def look(text: str) -> Sequence[Span]:
        nonlocal seen
        seen += len(text)
        return DEFAULT._plain_spans(text)

    assert encodings.spans(TEXTS[name], look, DEFAULT.member) == []
    assert seen <= 1.05 * len(TEXTS[name])
