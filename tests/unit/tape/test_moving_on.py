"""What is recorded of a provider's other paths: requests of any form, and states that move on from take to take."""

from collections.abc import Callable
from pathlib import Path

import pytest

from builders import RecordingTape, tape_of
from wiretape.library.verify import verify
from wiretape.matching.request import identity, recorded
from wiretape.policy import Mode, Takes
from wiretape.providers import wire
from wiretape.providers.job_states import is_over
from wiretape.providers.routing import OTHER, Endpoint, Route
from wiretape.recording import RecordedRequest, capture, dumps, loads, make
from wiretape.redaction.recorded import header as clean_header
from wiretape.store.directory import DirectoryStore
from wiretape.tape.question import Question
from wiretape.tape.take_writer import WrittenTakes

BASE = "https://api.openai.com"


def asked(
    body: bytes = b"", content_type: str = "", *, method: str = "GET", path: str = "/v1/jobs/1"
) -> RecordedRequest:
    return recorded(Route("openai", BASE, Endpoint(OTHER, method, ""), path), body, content_type)


def came(body: bytes, status: int = 200, content_type: str = "application/json") -> wire.LiveResponse:
    headers = (("content-type", content_type),) if content_type else ()
    return wire.LiveResponse(status, headers, (body,) if body else (), (1.0,) if body else (), True)


def state(name: str) -> wire.LiveResponse:
    return came(f'{{"status":"{name}"}}'.encode())


def tape(
    folder: Path,
    mode: Mode = Mode.REPLAY,
    takes: Takes = Takes.LAST,
    *,
    written: WrittenTakes | None = None,
    is_repeated: bool = False,
) -> RecordingTape:
    return tape_of(DirectoryStore(folder), "s", mode, takes=takes, written=written, is_repeated=is_repeated)


def play(playing: RecordingTape, request: Callable[[], RecordedRequest] = asked, count: int = 5) -> list[str]:
    """The states that equal requests get, one after the other; ``-`` where one has no recording."""
    each = (request() for _ in range(count))
    hits = (playing.lookup(one) or playing.search(one) for one in map(Question, each))
    return [hit.answer.body.decode().split('"')[3] if hit else "-" for hit in hits]


@pytest.mark.parametrize("mode", [Mode.RECORD, Mode.RECORD_IF_MISSING])
@pytest.mark.parametrize("takes", [Takes.FIRST, Takes.LAST, Takes.SEQUENCE])
def test_states_are_takes_that_are_played_in_their_order(tmp_path: Path, mode: Mode, takes: Takes) -> None:
    written = WrittenTakes()
    for name in ("queued", "queued", "running", "queued", "saving", "saving"):
        assert tape(tmp_path, mode, takes, written=written).record(asked(), state(name))
    assert play(tape(tmp_path, takes=takes)) == ["queued", "running", "queued", "saving", "saving"]
    assert play(tape(tmp_path, takes=Takes.CYCLE)) == ["queued", "running", "queued", "saving", "queued"]
    # Where somebody can be asked, what comes after is asked for, unless all is over.
    assert play(tape(tmp_path, Mode.RECORD_IF_MISSING, takes)) == ["queued", "running", "queued", "saving", "-"]
    assert tape(tmp_path, mode, takes, written=written).record(asked(), state("completed"))
    assert play(tape(tmp_path, Mode.RECORD_IF_MISSING, takes), count=7)[3:] == ["saving", *["completed"] * 3]


def test_a_new_recording_begins_with_the_first_take(tmp_path: Path) -> None:
    for names in (("queued", "running", "done"), ("waiting", "done")):
        written = WrittenTakes()  # Of a process.
        for name in names:
            tape(tmp_path, Mode.RECORD, written=written).record(asked(), state(name))
    assert play(tape(tmp_path)) == ["waiting", "done", "done", "done", "done"]
    assert len([*tmp_path.rglob("*.json")]) == 4  # What is beside a recording goes with it.
    # Where takes are asked for, it adds to what is there.
    tape(tmp_path, Mode.RECORD, Takes.SEQUENCE).record(asked(), state("more"))
    assert play(tape(tmp_path)) == ["waiting", "done", "more", "more", "more"]


def test_what_a_killed_writer_has_written_is_not_written_again(tmp_path: Path) -> None:
    for name in ("queued", "done"):
        tape(tmp_path, Mode.RECORD_IF_MISSING).record(asked(), state(name))
    tape(tmp_path, Mode.RECORD_IF_MISSING, is_repeated=True).record(asked(), state("queued"))
    assert play(tape(tmp_path), count=3) == ["queued", "done", "done"]


def test_a_post_is_not_sent_again_for_its_next_take(tmp_path: Path) -> None:
    def post() -> RecordedRequest:
        return asked(b"{}", "application/json", method="POST")

    for name in ("one", "two"):
        tape(tmp_path, Mode.RECORD, Takes.SEQUENCE).record(post(), state(name))
    for mode in (Mode.REPLAY, Mode.RECORD_IF_MISSING):
        assert play(tape(tmp_path, mode), post, 3) == ["one", "two", "two"]


def test_a_question_about_a_state_makes_no_tokens(tmp_path: Path) -> None:
    for method, tokens in (("GET", 0), ("POST", 7)):
        answer = came(b'{"usage":{"output_tokens":7}}')
        tape(tmp_path, Mode.RECORD).record(asked(method=method), answer)
        hit = tape(tmp_path).lookup(Question(asked(method=method)))
        assert hit
        assert hit.tokens == tokens


def test_a_request_is_counted_whether_it_has_a_recording_or_not(tmp_path: Path) -> None:
    playing = tape(tmp_path, Mode.RECORD_IF_MISSING)
    assert play(playing, count=1) == ["-"]
    tape(tmp_path, Mode.RECORD_IF_MISSING).record(asked(), state("queued"))
    assert play(playing, count=1) == ["-"]  # It had this one already.
    assert play(tape(tmp_path, Mode.RECORD_IF_MISSING), count=2) == ["queued", "-"]


@pytest.mark.parametrize(
    ("answer", "over"),
    [
        ({"status": "completed"}, True),
        ({"status": "FAILED"}, True),
        ({"status": "cancelled", "id": 1}, True),
        ({"state": "JOB_STATE_SUCCEEDED"}, True),
        ({"metadata": {"state": "BATCH_STATE_PENDING"}, "done": True}, True),
        ({"processing_status": "ended"}, True),
        ({"status": "in_progress"}, False),
        ({"status": "cancelling"}, False),
        ({"status": "validating_files"}, False),
        ({"status": "frobbing"}, False),
        ({"status": "completed", "state": "PROCESSING"}, False),
        ({"state": "ACTIVE"}, False),
        ({"status": "not_completed"}, False),
        ({"done": False}, False),
        ({"status": {"completed": True}}, False),
        ({"data": [{"status": "completed"}]}, False),
        ({}, False),
        ([{"status": "completed"}], False),
        ("completed", False),
        (None, False),
    ],
)
def test_a_thing_is_over_where_it_says_so(answer: object, over: bool) -> None:
    assert is_over(answer) is over


PARTS = b"--%b\r\n\r\n{}\r\n--%b--"
# Bodies that nobody knows -> the same request, another one.
type Sent = tuple[bytes, str]
JSON, FORM, DATA = "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=q"
BYTES, MIXED = "application/octet-stream", "multipart/mixed"
BODIES: dict[str, tuple[Sent, Sent, Sent]] = {
    "JSON": ((b'{"a":1,"b":2}', JSON), (b'{"b":2, "a":1}', JSON), (b"{}", JSON)),
    "no type": ((b"[1]", ""), (b"[ 1 ]", JSON), (b"[2]", "")),
    "no JSON, though its type says so": ((b"{", JSON), (b"{", JSON), (b"[", JSON)),
    "bytes without a type": ((b"\x00\xff", ""), (b"\x00\xff", ""), (b"\x00\xfe", "")),
    "bytes": ((b"\x00", BYTES), (b"\x00", f"{BYTES}; a=b"), (b"\x00", "audio/wav")),
    "a form": ((b"a=1", FORM), (b"a=1", FORM), (b"a=2", FORM)),
    "parts": (
        (PARTS % (b"q1", b"q1"), "multipart/related; boundary=q1"),
        (PARTS % (b"q2", b"q2"), 'multipart/related; type="x"; boundary="q2"'),
        (PARTS.replace(b"{}", b"[]") % (b"q1", b"q1"), "multipart/related; boundary=q1"),
    ),
    "parts without a boundary": ((b"--x", MIXED), (b"--x", MIXED), (b"--y", MIXED)),
    "a form that is none": ((b"x", DATA), (b"x", DATA), (b"y", DATA)),
    "a key": ((b'{"api_key":"one"}', ""), (b'{"api_key":"two"}', ""), (b'{"api_key":"two","a":1}', "")),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_any_form_takes_part(name: str) -> None:
    one, same, other = (asked(*each, method="POST") for each in BODIES[name])
    assert identity(one) == identity(same)
    assert identity(one) != identity(other)
    assert identity(one) != identity(asked(*BODIES[name][0], method="PUT"))
    made = make(one, wire.response(one, state("done")), "2025-09")
    assert verify(made.name, dumps(made)).faults == ()


# Status, type, body: what is kept.
ANSWERS = [
    (200, "application/json", b'{"a": 1}'),
    (201, "application/vnd.api+json; charset=utf-8", b"[]"),
    (202, "application/json", b""),
    (203, "", b"{}"),
    (204, "", b""),
    (207, "text/plain", b'{"a":  1}'),
    (200, "text/csv; charset=utf-8", b"a,b\r\n"),
    (200, "text/html", b"null"),
    (200, "application/octet-stream", b'{"a":  1}\n'),
    (200, "application/jsonl", b'{"a":  1}\n{"b":1.0}\n'),
    (200, "application/x-ndjson", b'{"status":"success"}\n'),
    (200, "audio/mpeg", bytes(range(256))),
    (200, "", b"\xff\xfe"),
    (200, "", b""),
    (200, "text/plain; charset=latin-1", "\u00e9".encode("latin-1")),
    (404, "text/plain", b"no such thing"),
    (400, "application/json", b'{"error":{}}'),
]


@pytest.mark.parametrize(("status", "content_type", "body"), ANSWERS)
def test_an_answer_of_any_form_is_replayed_as_it_came(status: int, content_type: str, body: bytes) -> None:
    """Without what is kept beside the recording: of JSON what it says, of all else each byte."""
    made = make(asked(), wire.response(asked(), came(body, status, content_type)), "2025-09")
    assert verify(made.name, dumps(made)).faults == ()
    answer = wire.answer([loads(dumps(made))])
    assert answer.status == status
    is_json = "json" in content_type and "jsonl" not in content_type and "ndjson" not in content_type
    assert answer.body == (body.replace(b" ", b"") if is_json else body)
    if body and not is_json and body != b"{}":
        assert dict(answer.headers).get("content-type", "") == content_type


@pytest.mark.parametrize("status", [206, 301, 303, 304, 307, 401, 403, 408, 409, 425, 429, 500, 503])
def test_what_depends_on_who_asks_or_when_is_not_kept(status: int) -> None:
    with pytest.raises(wire.StatusError, match=str(status)):
        wire.response(asked(), came(b"{}", status))


def test_a_place_to_upload_to_is_kept_without_what_grants_access() -> None:
    headers = [
        ("X-Goog-Upload-URL", "https://x.test/upload/files?upload_id=SECRET&upload_protocol=resumable"),
        ("x-goog-upload-status", "active"),
        ("Operation-Location", "https://x.test/operations/1?api-version=2&sig=SECRET"),
        ("access-control-allow-origin", "*"),
        ("access-control-expose-headers", "x-request-id"),
        ("set-cookie", "a=SECRET"),
    ]
    kept = dict(capture.kept(headers, clean_header))
    assert kept == {
        "x-goog-upload-url": "https://x.test/upload/files?upload_id=__redacted__&upload_protocol=resumable",
        "x-goog-upload-status": "active",
        "operation-location": "https://x.test/operations/1?api-version=2&sig=__redacted__",
        "access-control-allow-origin": "*",
        "access-control-expose-headers": "x-request-id",
    }
    # So the client that is given it asks for the same as the one that had it recorded.
    one, two = (asked(b"x", method="POST", path=f"/upload?upload_id={given}") for given in ("SECRET", "__redacted__"))
    assert identity(one) == identity(two)
