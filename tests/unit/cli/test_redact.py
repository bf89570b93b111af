"""``wiretape redact``: a store that is older than a rule, cleaned."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

import s3
from builders import chat, route, tape_of
from wiretape import redaction
from wiretape.cli.commands import app
from wiretape.library import verify
from wiretape.matching import request as requests
from wiretape.policy import Mode
from wiretape.providers.wire import LiveResponse, response
from wiretape.recording import RecordedRequest, RecordedResponse, Recording, dumps, make, read_request
from wiretape.recording.capture import Capture, Origin, digest, loads
from wiretape.recording.capture import dumps as dump_capture
from wiretape.redaction import REDACTED
from wiretape.store import freezing
from wiretape.store.base import RESPONSES, WIRE, Store
from wiretape.store.directory import DirectoryStore
from wiretape.store.opening import open_store
from wiretape.tape.question import Question

KEY = "AIza" + "Sy_-1" * 7
OTHER = "gsk_" + "a1B2" * 13


def chunk(text: str, finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return {"id": "x", "choices": [choice], "created": 1, "model": "m", "object": "chat.completion.chunk"}


def old(question: str, answer: str, form: str = "2025-09") -> tuple[Recording, Capture]:
    """A recording made before there was a rule, as it was recorded then: the answer in deltas of three characters."""
    pieces = [answer[at : at + 3] for at in range(0, len(answer), 3)]
    wire = [b"data: " + json.dumps(chunk(piece)).encode() + b"\n\n" for piece in pieces] + [b"data: [DONE]\n\n"]
    at = tuple(float(number) for number in range(len(wire)))
    asked = chat(question, stream=True)
    made = make(asked, response(asked, LiveResponse(200, (), tuple(wire), at, True)), form)
    origin = Origin("ci", "2026-01-31T12:00:00Z", "curl/8", "0.1.0", 9.0)
    return made, Capture(digest(dumps(made)), 200, (("content-type", "text/event-stream"),), tuple(wire), at, origin)


def put(store: Store, session: str, found: tuple[Recording, Capture], name: str = "") -> str:
    made, kept = found
    name = name or made.name
    store.write(session, name, dumps(made), replace=True)
    store.write(session, name, dump_capture(kept), replace=True, folder=WIRE)
    return name


def redact(where: str, *flags: str) -> Result:
    result = CliRunner().invoke(app, ["redact", where, *flags], env={"COLUMNS": "400"})
    assert KEY not in result.output
    assert OTHER not in result.output
    return result


@pytest.fixture(params=["directory", "moto"], name="where")
def _where(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "directory":
        (tmp_path / "recordings").mkdir()
        yield str(tmp_path / "recordings")
        return
    server: s3.S3Server = request.getfixturevalue("moto")
    for name, value in server.env.items():
        monkeypatch.setenv(name, value)
    yield f"s3://{s3.BUCKET}/redacting-{uuid4().hex}"


def replayed(store: Store, question: str) -> str:
    tape = tape_of(store, "main", Mode.REPLAY)
    live = replace(chat(question), body=_sent(question))
    hit = tape.lookup(Question(live)) or tape.search(Question(live))
    assert hit
    lines = [line[6:] for line in hit.answer.body.split(b"\n") if line.startswith(b"data: {")]
    return "".join(json.loads(line)["choices"][0]["delta"].get("content") or "" for line in lines)


def _sent(question: str) -> Any:
    sent = requests.wire_body(chat(question, stream=True))
    return requests.recorded(route(), json.dumps(sent).encode()).body


def test_first_the_plan_then_the_doing(where: str) -> None:
    store = open_store(where, spool=0)
    clean = put(store, "main", old("Hello", "Hi there"))
    answer = put(store, "main", old("What is my key?", f"It is {KEY}, I think"))
    question = put(store, "main", old(f"My key is {KEY}", "Do not tell"))
    before = {name: store.read("main", name) for name in store.scan("main")}

    planned = redact(where, "--dry-run")
    assert planned.exit_code == 1
    rows = planned.output.splitlines()
    assert sum(answer in row and "keeps its name" in row for row in rows) == 2  # Itself, and its capture.
    assert any(question in row and "request.body.messages[0].content" in row and " is " in row for row in rows)
    assert not any(clean in row for row in rows)
    assert {name: store.read("main", name) for name in store.scan("main")} == before
    assert redact(where).exit_code == 1

    assert redact(where, "--apply").exit_code == 0
    store = open_store(where, spool=0)
    names = set(store.scan("main"))
    assert {clean, answer} < names
    assert question not in names
    assert len(names) == 3
    assert store.read("main", question, WIRE) is None
    for name in names:
        data = store.read("main", name)
        kept = store.read("main", name, WIRE)
        assert data
        assert kept
        assert KEY.encode() not in data + kept
        assert verify.verify(name, data).faults == ()
        assert verify.verify_capture(kept) == ()
        assert loads(kept).recording == digest(data)
        assert (
            loads(kept).at
            == old("", {clean: "Hi there", answer: f"It is {KEY}, I think"}.get(name, "Do not tell"))[1].at
        )
    assert replayed(store, "What is my key?") == f"It is {REDACTED}, I think"
    assert replayed(store, f"My key is {KEY}") == "Do not tell"
    assert replayed(store, f"My key is {OTHER}") == "Do not tell"

    again = redact(where, "--dry-run")
    assert (again.exit_code, again.stdout) == (0, "")


def test_a_recording_that_is_older_than_a_rule_is_found_before_it_is_cleaned(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    put(store, "main", old(f"My key is {KEY}", "Do not tell"))
    assert replayed(store, f"My key is {KEY}") == "Do not tell"
    assert replayed(store, f"My key is {OTHER}") == "Do not tell"


def test_two_that_differ_in_a_key_alone_become_takes(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    for secret, answer in ((KEY, "one"), (OTHER, "two")):
        put(store, "main", old(f"My key is {secret}", answer))
    assert redact(str(tmp_path), "--apply").exit_code == 0
    names = sorted(store.scan("main"))
    assert names[1] == f"{names[0]}.2"
    assert {requests.identity(read_request(store.read("main", name) or b"")) for name in names} == {
        requests.identity(read_request(store.read("main", names[0]) or b""))
    }
    assert all(verify.verify(name, store.read("main", name) or b"").faults == () for name in names)


def test_a_name_of_its_own_and_the_2026_form(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    put(store, "main", old(f"My key is {KEY}", "one"), "greeting")
    put(store, "main", old(f"My other key is {KEY}", "two", "2026"))
    assert redact(str(tmp_path), "--apply").exit_code == 0
    names = set(store.scan("main"))
    assert "greeting" in names
    (name,) = names - {"greeting"}
    assert verify.verify(name, store.read("main", name) or b"").faults == ()


def test_a_frozen_session_is_left_alone_and_said(where: str) -> None:
    store = open_store(where, spool=0)
    name = put(store, "main", old("What is my key?", KEY))
    before = store.read("main", name)
    freezing.freeze(store, "main", freezing.Frozen("me", "2026-01-31T12:00:00Z"))
    for flag in ("--dry-run", "--apply"):
        result = redact(where, flag)
        assert result.exit_code == 1
        assert "left alone: the session is frozen" in result.output
    assert store.read("main", name) == before


def test_one_session_alone_and_wrong_flags(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    for session in ("one", "two"):
        put(store, session, old("What is my key?", KEY))
    assert redact(str(tmp_path), "--apply", "--session", "one").exit_code == 0
    assert redact(str(tmp_path), "--session", "one").exit_code == 0
    assert redact(str(tmp_path)).exit_code == 1
    assert redact(str(tmp_path), "--apply", "--dry-run").exit_code == 2
    assert redact(str(tmp_path / "none")).exit_code == 2


def test_what_was_cut_off_is_done_by_the_next(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    name = put(store, "main", old(f"My key is {KEY}", "one"))
    before = [(folder, store.read("main", name, folder) or b"") for folder in (RESPONSES, WIRE)]
    assert redact(str(tmp_path), "--apply").exit_code == 0
    (after,) = store.scan("main")
    for folder, data in before:  # As if it had been killed before the old ones went.
        store.write("main", name, data, replace=True, folder=folder)
    assert redact(str(tmp_path), "--apply").exit_code == 0
    assert [*store.scan("main")] == [after]


def test_a_file_that_is_none_is_said_and_a_capture_alone_is_cleaned(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    made, kept = old("Hello", "Hi")
    put(store, "main", (made, kept))
    store.write("main", "broken", b"{}", replace=True)
    lost = replace(kept, chunks=(KEY.encode(),), at=(1.0,))
    store.write("main", "lost", dump_capture(lost), replace=True, folder=WIRE)
    result = redact(str(tmp_path), "--apply")
    assert result.exit_code == 1
    assert "broken.json: left alone" in result.output
    assert loads(store.read("main", "lost", WIRE) or b"").chunks == (REDACTED.encode(),)


def test_what_no_recording_means_is_found_and_a_members_name_shown_clean(tmp_path: Path) -> None:
    made, _ = old("Hello", "Hi")
    content = json.loads(dumps(made))
    content["request"]["headers"] = {"authorization": "Bearer opensesame"}
    content["request"]["body"]["metadata"] = {f"{KEY} \x1b[31m": {"password": "opensesame"}}
    folder = tmp_path / "main" / RESPONSES
    folder.mkdir(parents=True)
    (folder / "hello.json").write_text(json.dumps(content, indent=2))
    result = redact(str(tmp_path))
    assert "request.headers.authorization" in result.output
    assert "\x1b" not in result.output
    assert redact(str(tmp_path), "--apply").exit_code == 0
    assert "opensesame" not in (folder / "hello.json").read_text()
    assert redact(str(tmp_path)).exit_code == 0


def test_an_answer_that_is_one_json_value(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    content = [{"type": "tool_use", "input": {"password": "hunter2"}}, {"type": "text", "text": KEY}]
    request = RecordedRequest("https://api.anthropic.com/v1/messages?beta=true", {"model": "c"}, "")
    made = Recording(request, RecordedResponse({"content": content}, is_streaming=False, status=200))
    store.write("main", made.name, dumps(made), replace=True)
    assert redact(str(tmp_path), "--apply").exit_code == 0
    (name,) = store.scan("main")
    body = json.loads(store.read("main", name) or b"")["response"]["body"]
    assert body["content"] == [
        {"type": "tool_use", "input": {"password": REDACTED}},
        {"type": "text", "text": REDACTED},
    ]


def test_a_teams_own_rule_is_tried_and_applied(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "recordings")
    name = put(store, "main", old("Who is it?", "It is customer ACME-4711, they say"))
    config = tmp_path / "wiretape.toml"
    config.write_text('[[redact]]\nname = "customer"\npattern = "ACME-[0-9]+"\nreplace = "CUSTOMER"\n')
    before = redaction.DEFAULT.policy
    try:
        assert redact(str(store.root)).exit_code == 0
        tried = redact(str(store.root), "--config", str(config))
        assert tried.exit_code == 1
        assert "customer" in tried.output
        assert "ACME" not in tried.output
        verified = CliRunner().invoke(app, ["verify", str(store.root), "--config", str(config)])
        assert f"{name}.json: a secret is in it" in verified.output
        assert redact(str(store.root), "--config", str(config), "--apply").exit_code == 0
        assert CliRunner().invoke(app, ["verify", str(store.root), "--config", str(config)]).exit_code == 0
        assert replayed(store, "Who is it?") == "It is customer CUSTOMER, they say"
        config.write_text("[[redact]]\n")
        assert redact(str(store.root), "--config", str(config)).exit_code == 2
        # A stranger's checkout has it: nothing waits for whoever would write into a FIFO.
        config.unlink()
        os.mkfifo(config)
        assert redact(str(store.root), "--config", str(config)).exit_code == 2
    finally:
        redaction.DEFAULT.use(before)


@pytest.mark.skipif(os.name != "posix", reason="what there is on POSIX alone")
@pytest.mark.parametrize("command", ["redact", "verify"])
def test_rules_that_are_no_file_are_not_waited_for(command: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.toml")
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    for name in ("fifo.toml", "zero.toml"):
        made = CliRunner().invoke(app, [command, str(tmp_path), "--config", str(tmp_path / name)])
        assert made.exit_code == 2
        assert "it is no regular file" in made.output
