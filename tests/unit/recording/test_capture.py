"""The wire beside the recording: what is kept, and that it comes back."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiretape import __version__, redaction
from wiretape.library import verify
from wiretape.recording import capture
from wiretape.recording.capture import Capture, Origin
from wiretape.redaction import DEFAULT
from wiretape.redaction.recorded import header as clean_header

MADE = Origin("ci", "2026-01-31T12:00:00Z", "OpenAI/Python 3.52.0", "0.1.0", 1234.5)
GOLDEN = b"""{
  "recording": "sha256:00",
  "made": {"by": "ci", "at": "2026-01-31T12:00:00Z", "client": "OpenAI/Python 3.52.0", "wiretape": "0.1.0", "took_ms": 1234.5},
  "status": 200,
  "headers": [["content-type", "text/event-stream"]],
  "chunks": [
    {"at": 1.0, "text": "data: 1\\n\\n"},
    {"at": 1234.5, "text": "data: [DONE]\\n\\n"}
  ]
}
"""  # noqa: E501
times = st.floats(0, 1e6).map(lambda at: round(at, 3))


@given(
    st.lists(st.tuples(st.binary(), times)),
    st.none() | st.builds(Origin, by=st.text(), at=st.text(), client=st.text(), wiretape=st.text(), took=times),
)
def test_what_is_written_is_read(chunks: list[tuple[bytes, float]], origin: Origin | None) -> None:
    kept = Capture(
        "sha256:00",
        200,
        (("content-type", "text/event-stream"),),
        tuple(data for data, _ in chunks),
        tuple(sorted(at for _, at in chunks)),
        origin,
    )
    assert capture.loads(capture.dumps(kept)) == kept


def test_the_form_of_the_file() -> None:
    chunks = (b"data: 1\n\n", b"data: [DONE]\n\n")
    kept = Capture("sha256:00", 200, (("content-type", "text/event-stream"),), chunks, (1.0, 1234.5), MADE)
    assert capture.dumps(kept) == GOLDEN
    assert capture.loads(GOLDEN) == kept
    assert verify.verify_capture(GOLDEN) == ()


def test_one_that_does_not_say_who_made_it_is_read() -> None:
    old = b"".join(line for line in GOLDEN.splitlines(keepends=True) if b'"made"' not in line)
    kept = capture.loads(old)
    assert kept.origin is None
    assert capture.dumps(kept) == old
    assert verify.verify_capture(old) == ()


def test_one_without_the_bytes_is_read() -> None:
    kept = Capture("sha256:00", 200, (), None, (), MADE)
    assert capture.loads(capture.dumps(kept)) == kept
    assert b"chunks" not in capture.dumps(kept)
    assert verify.verify_capture(capture.dumps(kept)) == ()


# -- who made it -------------------------------------------------------------------------------------------------------

NOON = datetime(2026, 1, 31, 12, 0, 0, 999_999, tzinfo=UTC)


def test_the_time_is_in_utc_and_in_seconds() -> None:
    for at in (NOON, NOON.astimezone(timezone(timedelta(hours=-5)))):
        assert capture.origin("ci", at, "", 1.0, clean=DEFAULT.text).at == "2026-01-31T12:00:00Z"


def test_the_version_is_this_one_and_a_clock_that_was_set_takes_no_time() -> None:
    made = capture.origin("ci", NOON, "curl/8.5.0", -3.0, clean=DEFAULT.text)
    assert made == Origin("ci", "2026-01-31T12:00:00Z", "curl/8.5.0", __version__, 0.0)


SECRET = "sk-" + "a1B2" * 10
AGENTS = {
    "OpenAI/Python 3.52.0": "OpenAI/Python 3.52.0",
    "héllo/1 (日本)": "héllo/1 (日本)",
    "a" * 300: "a" * 200,
    "one\x1b[31mtwo\x00\r\n\t\x7f\u202e\udc80": "one[31mtwo",
    f"app/1 ({SECRET})": f"app/1 ({redaction.REDACTED})",
    f"{SECRET[:9]}\x07{SECRET[9:]}": redaction.REDACTED,
    "app/1 wt_" + "a1B2-_x" * 6 + "z": f"app/1 {redaction.REDACTED}",
    f"{'a' * 170} {SECRET}": f"{'a' * 170} {redaction.REDACTED}",
    f"{'a' * 195} {SECRET}": f"{'a' * 195} {redaction.REDACTED[:4]}",
}


@pytest.mark.parametrize("agent", AGENTS)
def test_what_is_kept_of_a_user_agent(agent: str) -> None:
    made = capture.origin("ci", NOON, agent, 1.0, clean=DEFAULT.text)
    assert made.client == AGENTS[agent]
    assert verify.verify_capture(capture.dumps(Capture("sha256:00", 200, (), None, (), made))) == ()


def test_a_chunk_is_text_where_it_can_be_and_a_line_of_its_own() -> None:
    flash = "⚡".encode()
    kept = Capture("sha256:00", 200, (), (b"data: 1\n\n", flash[:1], flash[1:]), (1.0, 2.5, 2.75))
    text = capture.dumps(kept).decode()
    assert json.loads(text)["chunks"] == [
        {"at": 1.0, "text": "data: 1\n\n"},
        {"at": 2.5, "base64": "4g=="},
        {"at": 2.75, "base64": "mqE="},
    ]
    assert '    {"at": 1.0, "text": "data: 1\\n\\n"},\n' in text
    assert text.endswith("}\n")


HEADERS = {
    "Content-Type": True,
    "x-ratelimit-remaining-tokens": True,
    "anthropic-ratelimit-requests-limit": True,
    "ratelimit-reset": True,
    "fireworks-server-time-to-first-token": True,
    "retry-after": True,
    "openai-processing-ms": True,
    "set-cookie": False,
    "openai-organization": False,
    "openai-project": False,
    "anthropic-organization-id": False,
    "x-request-id": False,
    "fireworks-account-id": False,
    "x-ratelimit-user": False,
    "authorization": False,
    "cf-ray": False,
    "content-encoding": False,
    "content-length": False,
    "transfer-encoding": False,
    "date": False,
    "server": False,
}


@pytest.mark.parametrize("name", HEADERS)
def test_which_headers_are_kept(name: str) -> None:
    assert capture.kept([(name, "1")], clean_header) == (((name.lower(), "1"),) if HEADERS[name] else ())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"recording": "x", "status": "y", "headers": [], "chunks": []}',
        b'{"recording": "x", "status": 200, "headers": [1], "chunks": []}',
        b'{"recording": "x", "status": 200, "headers": [], "chunks": [{"at": 1}]}',
        b'{"recording": "x", "status": 200, "headers": [], "chunks": [{"at": 1, "base64": "!"}]}',
        b'{"recording": "x", "status": 200, "headers": [], "chunks": [], "made": "me"}',
        b'{"recording": "x", "status": 200, "headers": [], "chunks": [], "made": {}}',
        GOLDEN.replace(b'"ci"', b"5"),
        GOLDEN.replace(b"}" + b",\n", b"1},\n", 1).replace(b"1234.51", b'"1234.5"'),
        b"[" * 100_000,
    ],
)
def test_what_is_no_capture_says_so(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a capture"):
        capture.loads(data)
