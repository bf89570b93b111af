"""Whether a text reads as words, as names in programs do, or was drawn."""

import random
import string

import pytest

from wiretape.redaction.words import is_placeholder, is_spelled, reads_as_words, share_of_words


@pytest.mark.parametrize(
    "alphabet", [string.ascii_letters + string.digits, string.digits + "abcdef", string.ascii_letters]
)
@pytest.mark.parametrize("length", [22, 34, 48])
def test_what_was_drawn_never_reads_as_words(alphabet: str, length: int) -> None:
    chance = random.Random(11)
    assert not any(reads_as_words("".join(chance.choices(alphabet, k=length))) for _ in range(2000))


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("", 1.0),
        ("---", 1.0),
        ("update", 1.0),
        ("updateStatus", 1.0),
        ("update_status", 1.0),
        ("kXqz", 0.0),
        ("1234", 0.0),
        ("update1234", 0.6),
        ("no", 0.0),
    ],
)
def test_the_share_of_words(text: str, share: float) -> None:
    assert share_of_words(text) == pytest.approx(share)
    assert share_of_words("update" * 16 + text) == 1.0, "96 characters tell"


@pytest.mark.parametrize(
    "text", ["hub_download_with_progress", "toggleable-label-arrow", "renderNodeTransform", "status"]
)
def test_identifiers_read_as_words(text: str) -> None:
    assert reads_as_words(text)


@pytest.mark.parametrize("text", ["kX92mQz7Lr41VtB8wYp3", "e99f14805360", "qzkvjx", "x_1_y_2"])
def test_keys_and_hashes_do_not(text: str) -> None:
    assert not reads_as_words(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("fw_ota_upd_v3_hdlr", True),
        ("ota-upd-mgr-svc", True),
        ("onMouseDblClickEvtHandler", True),
        ("kX92mQz7Lr41VtB8wYp3", False),
        ("550e8400-e29b-41d4-a716-446655440000", False),
        ("x", False),
        ("", False),
    ],
)
def test_names_are_spelled_as_names_whatever_their_words_are(text: str, *, is_one: bool) -> None:
    assert is_spelled(text) is is_one


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        *(
            (text, True)
            for text in (
                "",
                "a",
                "aaaa",
                "sk-xxxxx",
                "sk-XXXXX",
                "****",
                "a...b",
                "00000000",
                "your-key",
                "my_your_key",
            )
        ),
        *(
            (text, True)
            for text in ("AKIAEXAMPLE", "placeholder", "change-me", "changeme", "CHANGE_ME", "dummy", "[REDACTED]")
        ),
        *((text, False) for text in ("kX92mQz7", "xxxx1", "0000000x", ".,", "fooyourbar")),
    ],
)
def test_what_stands_in_the_place_of_a_secret(text: str, *, is_one: bool) -> None:
    assert is_placeholder(text) is is_one
