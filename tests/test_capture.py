"""The wire beside the recording: what is kept, and that it comes back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiretape import capture
from wiretape.capture import Capture


@given(st.lists(st.tuples(st.binary(), st.floats(0, 1e6).map(lambda at: round(at, 3)))))
def test_what_is_written_is_read(chunks: list[tuple[bytes, float]]) -> None:
    kept = Capture(
        "sha256:00",
        200,
        (("content-type", "text/event-stream"),),
        tuple(data for data, _ in chunks),
        tuple(at for _, at in chunks),
    )
    assert capture.loads(capture.dumps(kept)) == kept


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
    assert capture.kept([(name, "1")]) == (((name.lower(), "1"),) if HEADERS[name] else ())


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
        b"[" * 100_000,
    ],
)
def test_what_is_no_capture_says_so(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a capture"):
        capture.loads(data)
