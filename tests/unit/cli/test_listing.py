"""A line for each recording: what came, when, and how it fits a terminal."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from samples import CHAT
from wiretape.cli.listing import list_all
from wiretape.cli.sources import source
from wiretape.library.costs import costs
from wiretape.library.rows import Row

ROW = Row(
    "s/responses/0123456789abcdef0123456789",
    "2026-01-02T03:04:05Z",
    "/v1/chat/completions",
    "https://a",
    "org/m",
    200,
    3,
    0,
    "Hi",
    None,
    "2026",
)


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    folder = tmp_path / "s" / "responses"
    folder.mkdir(parents=True)
    shutil.copy(CHAT, folder)
    os.utime(folder / CHAT.name, (1767323045, 1767323045))
    return tmp_path


def listed(root: Path, capsys: pytest.CaptureFixture[str], **more: object) -> tuple[int, str, str]:
    code = list_all(source(str(root)), costs(), **more)  # type: ignore[arg-type]
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.mark.parametrize(
    ("status", "chunks", "tokens", "answer"),
    [
        (200, 3, 0, "3 chunks"),
        (200, 1, 0, "1 chunk"),
        (200, None, 0, "one piece"),
        (200, 3, 1, "1 token"),
        (429, 3, 9, "error 429"),
    ],
)
def test_what_came_in_a_word_or_two(status: int, chunks: int | None, tokens: int, answer: str) -> None:
    assert replace(ROW, status=status, chunks=chunks, tokens=tokens).answer == answer


def test_a_line_has_when_model_answer_and_question(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = listed(root, capsys)
    heading, line = out.splitlines()
    assert (code, err) == (0, "")
    assert heading.split() == ["recording", "when", "model", "answer", "USD", "question"]
    assert line.split()[:2] == ["s/e99f14805360", "2026-01-02"]
    assert "  26 tokens  0.000008  " in line
    assert len(line) <= 80


def test_json_has_all_of_it(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = listed(root, capsys, as_json=True)
    (row,) = json.loads(out)
    assert row["name"] == "s/responses/e99f14805360"
    assert row["when"] == "2026-01-02T03:04:05Z"
    assert (row["endpoint"], row["status"], row["form"]) == ("/v1/chat/completions", 200, "2025-09")
    assert (row["usage"]["input"], row["usage"]["output"], row["cost_usd"]) == (14, 26, "0.000008")
    assert out.isascii()


def test_a_column_of_costs_is_there_where_one_is_known(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded = json.loads(CHAT.read_text())
    for each in recorded["response"]["body"]:
        each["__data__"]["model"] = "nobodys"
    recorded["request"]["body"]["model"] = "nobodys"
    (root / "s" / "responses" / CHAT.name).write_text(json.dumps(recorded))
    heading, _ = listed(root, capsys)[1].splitlines()
    assert heading.split() == ["recording", "when", "model", "answer", "question"]


def test_only_those_in_which_a_text_is(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = json.loads(CHAT.read_text())["request"]["body"]["messages"][-1]["content"]
    assert len(listed(root, capsys, search=text[:12].upper())[1].splitlines()) == 2
    assert len(listed(root, capsys, search="no such text at all")[1].splitlines()) == 1


def test_what_is_broken_is_said_and_the_rest_is_listed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "s" / "responses" / "bad.json").write_text("{")
    (root / "s" / "responses" / "tool.json").write_text('{"request": {"provider": "tavily"}}')
    code, out, err = listed(root, capsys)
    assert code == 1
    assert len(out.splitlines()) == 2
    assert "bad.json: not JSON" in err
    assert "tool.json: " in err


def test_a_recording_of_a_tool_alone_is_no_failure(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "s" / "responses" / "tool.json").write_text('{"request": {"provider": "tavily"}}')
    assert listed(root, capsys)[0] == 0
