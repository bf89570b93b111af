"""Form uploads: by content, whatever the boundary."""

import hashlib

import httpx
import pytest

from wiretape import multipart

AUDIO = b"RIFF\r\n--x\r\n\x00\xff" * 100


def sent(files: dict[str, tuple[str, bytes, str]], data: dict[str, object]) -> tuple[bytes, str]:
    request = httpx.Request("POST", "http://x/", files=files, data=data)
    return request.read(), request.headers["content-type"]


def test_a_file_is_its_digest_and_a_field_its_text() -> None:
    body, content_type = sent({"file": ("a.wav", AUDIO, "audio/wav")}, {"model": "whisper-1", "prompt": "é"})
    assert multipart.parse(body, content_type) == {
        "model": "whisper-1",
        "prompt": "é",
        "file": {
            "filename": "a.wav",
            "content_type": "audio/wav",
            "size": len(AUDIO),
            "sha256": hashlib.sha256(AUDIO).hexdigest(),
        },
    }


def test_two_boundaries_are_the_same_request_and_another_file_is_not() -> None:
    same = [multipart.parse(*sent({"f": ("a", AUDIO, "audio/wav")}, {})) for _ in range(2)]
    assert same[0] == same[1]
    assert multipart.parse(*sent({"f": ("a", AUDIO + b"x", "audio/wav")}, {})) != same[0]


def test_a_repeated_field_is_a_list() -> None:
    body, content_type = sent({"f": ("a", b"", "")}, {"timestamp_granularities[]": ["word", "segment"]})
    assert multipart.parse(body, content_type)["timestamp_granularities[]"] == ["word", "segment"]


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (b"", "multipart/form-data", "no boundary"),
        (b"", "multipart/form-data; boundary=x", "does not end"),
        (b"--x\r\n\r\nhello\r\n--x", "multipart/form-data; boundary=x", "does not end"),
        (b"--x\r\n\r\nhello\r\n--x--\r\n", "multipart/form-data; boundary=x", "no name"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n--x--', "multipart/form-data; boundary=x", "no name"),
    ],
)
def test_what_is_no_form_says_why(body: bytes, content_type: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        multipart.parse(body, content_type)
