"""Form uploads: by content, whatever the boundary, and however a library writes the head of a part."""

import hashlib
import json
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wiretape.codecs import multipart

AUDIO = b"RIFF\r\n--x\r\n\x00\xff" * 100


def sent(files: dict[str, tuple[str, bytes, str]], data: dict[str, object]) -> tuple[bytes, str]:
    request = httpx.Request("POST", "http://x/", files=files, data=data)
    return request.read(), request.headers["content-type"]


def one(content: bytes) -> dict[str, Any]:
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_a_file_is_its_digest_and_a_field_its_text() -> None:
    body, content_type = sent({"file": ("a.wav", AUDIO, "audio/wav")}, {"model": "whisper-1", "prompt": "é"})
    assert multipart.parse(body, content_type) == {
        "model": "whisper-1",
        "prompt": "é",
        "file": {"filename": "a.wav", "content_type": "audio/wav", **one(AUDIO)},
    }


def test_a_repeated_field_is_a_list() -> None:
    body, content_type = sent({"f": ("a", b"", "")}, {"timestamp_granularities[]": ["word", "segment"]})
    assert multipart.parse(body, content_type)["timestamp_granularities[]"] == ["word", "segment"]


# -- as libraries write it ---------------------------------------------------------------------------------------------

# How each writes the head of a file's part, as seen of the libraries themselves -> the file's name.
HEADS: dict[str, tuple[bytes, str]] = {
    "curl": (b'Content-Disposition: form-data; name="file"; filename="a.wav"', "a.wav"),
    "curl before 7.81, Go, a quote": (rb'Content-Disposition: form-data; name="file"; filename="a\"b.wav"', 'a"b.wav'),
    "Go, a backslash": (rb'Content-Disposition: form-data; name="file"; filename="a\\b.wav"', r"a\b.wav"),
    "browsers, undici, okhttp, httpx, a quote": (
        b'Content-Disposition: form-data; name="file"; filename="a%22b.wav"',
        "a%22b.wav",
    ),
    "a path of Windows": (
        rb'Content-Disposition: form-data; name="file"; filename="C:\audio\a.wav"',
        r"C:\audio\a.wav",
    ),
    ".NET": (b"Content-Disposition: form-data; name=file; filename=a.wav; filename*=utf-8''a.wav", "a.wav"),
    ".NET, another alphabet": (
        b"Content-Disposition: form-data; name=file;"
        b" filename=\"=?utf-8?B?bmHDr3ZlLndhdg==?=\"; filename*=utf-8''na%C3%AFve.wav",
        "naïve.wav",
    ),
    "requests with urllib3 1": (
        b"Content-Disposition: form-data; name=\"file\"; filename*=utf-8''na%C3%AFve.wav",
        "naïve.wav",
    ),
    "aiohttp without quoting": (
        b'Content-Disposition: form-data; name="file"; filename="na\xc3\xafve.wav"; filename*=utf-8\'\'na%C3%AFve.wav',
        "naïve.wav",
    ),
    "Spring": (b"Content-Disposition: form-data; name=\"file\"; filename*=UTF-8''na%C3%AFve.wav", "naïve.wav"),
    "Latin-1, said so": (b"content-disposition:form-data;name=file;filename*=ISO-8859-1'en'na%EFve.wav", "naïve.wav"),
    "a charset that nobody knows": (
        b'Content-Disposition: form-data; name="file"; filename="a.wav"; filename*=x-moon\'\'%00',
        "a.wav",
    ),
    "an encoding that is none": (b'Content-Disposition: form-data; name="file"; filename*="a.wav"', "a.wav"),
    "names in Latin-1, unsaid": (
        b'Content-Disposition: form-data; name="file"; filename="na\xefve.wav"',
        "na\udcefve.wav",
    ),
    "Python's email, a long name": (
        b'Content-Disposition: form-data; name="file"; filename*0="a-long-";\r\n filename*1="name.wav"',
        "a-long-name.wav",
    ),
    "Python's email, another alphabet": (
        b"Content-Disposition: form-data; name=file; filename*1=5%25.wav; filename*0*=utf-8''na%C3%AFve-",
        "naïve-5%25.wav",
    ),
    "in another order": (b'Content-Disposition: form-data; filename="a.wav"; name="file"', "a.wav"),
    "a name within another": (
        b'Content-Disposition: form-data; filename="; name=x; y.wav"; name="file"',
        "; name=x; y.wav",
    ),
    "in capitals": (b'CONTENT-DISPOSITION: FORM-DATA; NAME="file"; FILENAME="a.wav"', "a.wav"),
    "blanks everywhere": (b'Content-Disposition :  form-data ;  name = "file" ;\tfilename = a.wav ', "a.wav"),
    "a blank in a token": (b"Content-Disposition: form-data; name=file; filename=my file.wav", "my file.wav"),
    "an empty name": (b'Content-Disposition: form-data; name="file"; filename=""', ""),
    "folded": (b'Content-Disposition: form-data;\r\n name="file";\r\n\tfilename="a.wav"', "a.wav"),
    "parameters of others": (b'Content-Disposition: form-data; size=3; name="file"; x; filename="a.wav"; y=', "a.wav"),
    "Apache, Retrofit": (
        b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Transfer-Encoding: binary',
        "a.wav",
    ),
    "the type first": (
        b'Content-Length: 3\r\nX: y\r\nContent-Disposition: form-data; name="file"; filename="a.wav"',
        "a.wav",
    ),
}


def form(head: bytes, content: bytes, boundary: bytes = b"b") -> bytes:
    field = b"Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=model\r\n\r\nwhisper-1"
    parts = (field, head + b"\r\nContent-Type: audio/wav\r\n\r\n" + content)
    return b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"


@pytest.mark.parametrize(("head", "filename"), HEADS.values(), ids=HEADS)
def test_a_form_as_libraries_send_it(head: bytes, filename: str) -> None:
    made = multipart.parse(form(head, AUDIO), "multipart/form-data; boundary=b")
    assert made == {"model": "whisper-1", "file": {"filename": filename, "content_type": "audio/wav", **one(AUDIO)}}
    assert json.loads(json.dumps(made)) == made


SAME = form(HEADS["curl"][0], AUDIO)

# A form whose lines end otherwise, or with more around it -> its content type.
FRAMES: dict[str, tuple[bytes, str]] = {
    "a boundary with quotes": (SAME, 'multipart/form-data; boundary="b"'),
    "in capitals": (SAME, "Multipart/Form-Data; BOUNDARY=b"),
    "after another parameter": (SAME, 'multipart/form-data; charset="; boundary=x"; boundary=b'),
    "before another parameter": (SAME, "multipart/form-data; boundary=b; charset=utf-8"),
    "no blank": (SAME, "multipart/form-data;boundary=b"),
    "a boundary of signs": (
        form(HEADS["curl"][0], AUDIO, b"(b+c?) =.*"),
        'multipart/form-data; boundary="(b+c?) =.*"',
    ),
    "a preamble": (b"This is a form.\r\n" + SAME, "multipart/form-data; boundary=b"),
    "an epilogue": (SAME + b"--b\r\nno more\r\n", "multipart/form-data; boundary=b"),
    "no last line end": (SAME.removesuffix(b"\r\n"), "multipart/form-data; boundary=b"),
    "another last line end": (SAME.removesuffix(b"\r\n") + b"\n", "multipart/form-data; boundary=b"),
    "blanks behind the boundary": (SAME.replace(b"--b\r\n", b"--b \t\r\n"), "multipart/form-data; boundary=b"),
}


@pytest.mark.parametrize(("body", "content_type"), FRAMES.values(), ids=FRAMES)
def test_the_frame_of_a_form_does_not_count(body: bytes, content_type: str) -> None:
    assert multipart.parse(body, content_type) == multipart.parse(SAME, "multipart/form-data; boundary=b")


def test_lines_may_end_without_a_carriage_return() -> None:
    body = form(HEADS["curl"][0], b"RIFF\xff\n--b-\n--bb\n\nend").replace(b"\r\n", b"\n")
    made = multipart.parse(body, "multipart/form-data; boundary=b")
    assert made["file"]["sha256"] == one(b"RIFF\xff\n--b-\n--bb\n\nend")["sha256"]


def test_what_begins_like_the_boundary_is_content() -> None:
    content = b"\r\n--bb\r\n--b-\r\n--b x\r\n--b--x\n--b\r\n--"
    assert multipart.parse(form(HEADS["curl"][0], content), "multipart/form-data; boundary=b")["file"] == {
        "filename": "a.wav",
        "content_type": "audio/wav",
        **one(content),
    }


@pytest.mark.parametrize("body", [b"--x--", b"--x--\r\n", b"\r\n--x--\r\n", b"nothing\r\n--x--"])
def test_a_form_may_be_empty(body: bytes) -> None:
    assert multipart.parse(body, "multipart/form-data; boundary=x") == {}


# -- what is no text ---------------------------------------------------------------------------------------------------


def test_what_is_no_text_is_its_digest_whatever_its_head_says() -> None:
    for head, told in (
        (b"Content-Disposition: form-data; name=file", {"content_type": "audio/wav"}),
        (b'Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name="file"', {}),
        (b"Content-Type: application/json\r\nContent-Disposition: form-data; name=file; filename*=utf-8''a", {}),
    ):
        made = multipart.parse(form(head, AUDIO), "multipart/form-data; boundary=b")["file"]
        assert made == made | told | one(AUDIO)
        assert "\ufffd" not in json.dumps(made, ensure_ascii=False)


@given(
    st.sampled_from([b"", b"; filename=a", b"; filename*=utf-8''a%FF", b'; filename="\xff"']), st.binary(), st.binary()
)
@example(b"", b"\xff\xfe\x01", b"\xf0\xfa\x01")
@example(b"", b"\xc3", "\ufffd".encode())
@example(b"", b"\xed\xa0\x80", b"\xed\xa0\x81")
def test_two_contents_are_never_one(disposition: bytes, first: bytes, second: bytes) -> None:
    head = b"Content-Disposition: form-data; name=file" + disposition
    made = [
        multipart.parse(form(head, each, b"x" * 40), f"multipart/form-data; boundary={'x' * 40}")
        for each in (first, second)
    ]
    assert (made[0] == made[1]) is (first == second)
    if b"\xef\xbf\xbd" not in first:  # Its own.
        assert "\ufffd" not in json.dumps(made[0], ensure_ascii=False)


@given(st.binary(min_size=1), st.binary(min_size=1))
def test_two_names_are_never_one(first: bytes, second: bytes) -> None:
    def named(name: bytes) -> dict[str, Any]:
        quoted = name.replace(b"\\", rb"\\").replace(b'"', rb"\"").translate(None, b"\r\n")
        head = b'Content-Disposition: form-data; name="' + quoted + b'"'
        return multipart.parse(form(head, b"x"), "multipart/form-data; boundary=b")

    is_same = first.translate(None, b"\r\n") == second.translate(None, b"\r\n")
    assert (named(first) == named(second)) is is_same


def test_the_parts_of_another_multipart_body_are_a_list() -> None:
    heads = (b'Content-Type: application/json\r\n\r\n{"a": 1}', b"\r\nhello", b"Content-Type: audio/wav\r\n\r\n\xff")
    body = b"--b\r\n" + b"\r\n--b\r\n".join(heads) + b"\r\n--b--"
    assert multipart.parse_list(body, "multipart/related; boundary=b") == [
        '{"a": 1}',
        "hello",
        {"content_type": "audio/wav", **one(b"\xff")},
    ]


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (b"", "multipart/form-data", "no boundary"),
        (b"", "multipart/form-data; boundary=", "no boundary"),
        (b"--x--", "multipart/form-data; xboundary=x", "no boundary"),
        (b"", "multipart/form-data; boundary=x", "does not end"),
        (b"--x", "multipart/form-data; boundary=x", "does not end"),
        (b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1", "multipart/form-data; boundary=x", "does not end"),
        (b"--x\r\n\r\nhello\r\n--x--\r\n", "multipart/form-data; boundary=x", "no name"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n--x--', "multipart/form-data; boundary=x", "no name"),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--", "multipart/form-data; boundary=x", "no name"),
        (b"--x\r\n" + b"a: b\r\n" * 20_000 + b"\r\n1\r\n--x--", "multipart/form-data; boundary=x", "without an end"),
    ],
)
def test_what_is_no_form_says_why(body: bytes, content_type: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        multipart.parse(body, content_type)
