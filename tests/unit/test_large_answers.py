"""A large answer: the same files as if it were small, in a bounded part of its memory."""

import json
import re
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exchanges import BODY, PIECES, config, keep
from places import ROOT, SUPPORT
from wiretape.codecs.parts import Parts, digest
from wiretape.codecs.pieces import Pieces
from wiretape.codecs.remade import Remade
from wiretape.journal.folder import Journal
from wiretape.journal.outcome import LogCapture
from wiretape.journal.stores import Stores
from wiretape.journal.writer import JournalWriter
from wiretape.providers import wire
from wiretape.recording import RecordedRequest
from wiretape.redaction import DEFAULT, REDACTED, recorded

KEY = "sk-proj-Zq8Kp3Lm9Xw2Rt5Yv7Bn4Cd6Fg1Hj0Ks8PqT3BlbkFJLm9Xw2Rt5Yv7Bn4Cd6Fg1"


def event(text: str, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None, **more}
    chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


def with_tokens(text: str) -> bytes:
    token = {"token": text, "logprob": -0.5, "bytes": [*text.encode()], "top_logprobs": []}
    return event(text, logprobs={"content": [token], "refusal": None})


STREAMS = {
    "plain": [event(f" word {number}") for number in range(20)],
    "characters": [event(f" é{number}😀") for number in range(20)],
    "a key in pieces": [event("use "), *(event(KEY[at : at + 9]) for at in range(0, len(KEY), 9)), event(" now")],
    "a key in tokens": [with_tokens("use "), *(with_tokens(KEY[at : at + 9]) for at in range(0, len(KEY), 9))],
    "a key in a comment": [f": {KEY}\n\n".encode(), event("x"), f"id: {KEY}\n".encode() + event("y")],
    "a key in a name": [event("x", more={KEY: 1}), event("y")],
    "a key of two": [event("x").replace(b'"id": "x"', f'"id": "{KEY}", "id": "x"'.encode()), event("y")],
}


def written(journal: Journal, root: Path, form: str, pieces: list[bytes], asked: bytes = BODY) -> dict[str, bytes]:
    keep(journal, config(root, form=form), asked, pieces=(*pieces,))
    outcomes = [*JournalWriter(journal.folder, Stores(), LogCapture()).write_ended()]
    assert [outcome.recorded for outcome in outcomes] == [1]
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.json")}


def be_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every answer be one of those that are not held."""
    monkeypatch.setattr("wiretape.redaction.encodings._LONG", 1)
    for name in (
        "providers.answers.LARGE",
        "journal.writer._LARGE",
        "codecs.parts._BLOCK",
        "codecs.parts._HELD",
        "codecs.json_text._LONG",
    ):
        monkeypatch.setattr(f"wiretape.{name}", int(name.endswith("json_text._LONG")))


@pytest.mark.parametrize("form", ["2025-09", "2026"])
@pytest.mark.parametrize("name", STREAMS)
def test_a_large_stream_is_written_as_a_small_one(
    name: str, form: str, journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b"".join((*STREAMS[name], PIECES[-1]))
    pieces = [body[at : at + 7] for at in range(0, len(body), 7)]
    small = written(journal, tmp_path / "small", form, pieces)
    be_large(monkeypatch)
    assert written(journal, tmp_path / "large", form, pieces) == small
    assert len(small) == 2
    both = b"".join(small.values())
    assert KEY[9:].encode() not in both
    assert name in ("plain", "characters") or REDACTED.encode() in both


def test_large_lines_are_written_as_small_ones() -> None:
    answer = wire.LiveResponse(200, (("content-type", "text/event-stream"),), (), (), True)
    texts = ["use ", *(KEY[at : at + 9] for at in range(0, len(KEY), 9)), " é😀"]
    deltas = [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": t}} for t in texts]
    events = [f"event: content_block_delta\r\ndata: {json.dumps(delta)}\r\n\r\n".encode() for delta in deltas]
    events += [b'event: message_stop\ndata: {"type":"message_stop"}\n\n', b"data: cut"]
    asked = RecordedRequest("https://api.anthropic.com/v1/messages", {"model": "m", "stream": True}, "")
    arrived = replace(answer, pieces=Pieces(events), at=[1.0] * len(events))
    found = []
    for limit in (1 << 20, 0):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("wiretape.providers.answers.LARGE", limit)
            response = wire.response(asked, arrived)
            assert isinstance(response.body, Remade) is (limit == 0)
            cleaned = recorded.response(response, DEFAULT)
            found.append([[*response.body], [*cleaned.body]])
    assert found[0] == found[1]
    assert found[0][0] == re.split(r"\r\n|\n", b"".join(events).decode())[:-1]
    assert REDACTED in "".join(found[0][1])


def test_a_large_answer_in_one_piece_is_written_as_a_small_one(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = {"role": "assistant", "content": f'é😀 "quoted" \ud83d\n use {KEY} now'}
    answer = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "": ["", {}, [0.5, None]]}
    answer["choices"] = [{"index": 0, "finish_reason": "stop", "message": message}]
    asked = json.dumps({**json.loads(BODY), "stream": False}).encode()
    pieces = [json.dumps(answer).encode()]
    small = written(journal, tmp_path / "small", "2025-09", pieces, asked)
    be_large(monkeypatch)
    assert written(journal, tmp_path / "large", "2025-09", pieces, asked) == small
    assert KEY.encode() not in b"".join(small.values())


def test_the_writer_takes_little_more_than_the_answer(tmp_path: Path) -> None:
    program = """
    import os, resource, sys
    from pathlib import Path
    root = Path(sys.argv[1])
    os.environ["XDG_STATE_HOME"] = str(root / "state")
    from test_large_answers import PIECES, event, config, keep
    from wiretape.journal.folder import Journal
    from wiretape.journal.outcome import LogCapture
    from wiretape.journal.stores import Stores
    from wiretape.journal.writer import JournalWriter

    journal = Journal.create(1 << 30)
    def peak(name, size):
        text = "x" * 60
        pieces = [*(event(f"{text} {number}") for number in range(size // 220)), PIECES[-1]]
        total = sum(map(len, pieces))
        keep(journal, config(root / name), pieces=tuple(pieces))
        del pieces
        assert [each.recorded for each in JournalWriter(journal.folder, Stores(), LogCapture()).write_ended()] == [1]
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, total
    before, _ = peak("first", 1_200_000)
    after, size = peak("second", 4_000_000)
    journal.folder.remove()
    print((after - before) / (size - 1_200_000))
    """
    paths = [str(ROOT / "addons"), str(SUPPORT), str(Path(__file__).parent)]
    setting = f"import sys; sys.path[:0] = {paths!r}\n"
    run = [sys.executable, "-c", setting + textwrap.dedent(program), str(tmp_path)]
    result = subprocess.run(run, capture_output=True, text=True, check=True)
    assert float(result.stdout) < 4


def test_pieces_are_a_sequence() -> None:
    pieces = Pieces([b"ab", b"", b"c"])
    assert pieces == (b"ab", b"", b"c")
    assert pieces == (b"ab", b"", b"c")
    assert pieces != [b"ab", b"", b"d"]
    assert pieces != b"abc"
    assert (pieces[0], pieces[-1], pieces[1:]) == (b"ab", b"c", (b"", b"c"))
    with pytest.raises(IndexError):
        pieces[3]


def test_what_is_made_anew_is_a_sequence() -> None:
    made = Remade(lambda: iter(range(9)), 3)
    assert ([*made], len(made), made[-1], made[1:]) == ([0, 1, 2], 3, 2, [1, 2])
    assert [*made.mapped(lambda at, item: (at, 2 * item))] == [(0, 0), (1, 2), (2, 4)]
    with pytest.raises(IndexError):
        made[3]


def test_parts_know_their_digest_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    data = [b"a" * 10, b"", b"bc", b"d" * 100]
    for held, block in ((1 << 20, 1 << 18), (50, 5), (5, 5), (0, 0)):
        monkeypatch.setattr("wiretape.codecs.parts._HELD", held)
        monkeypatch.setattr("wiretape.codecs.parts._BLOCK", block)
        parts = Parts(lambda: iter(data))
        assert parts.digest == digest(b"".join(data))
        assert [bytes(parts) for _ in range(2)] == 2 * [b"".join(data)]
