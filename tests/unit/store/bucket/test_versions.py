"""Objects of a bucket as values: what counts as the same bytes."""

from datetime import UTC, datetime

import pytest

from wiretape.exceptions import StoreAwayError
from wiretape.store.bucket.versions import UNCHANGED, CutError, StoredObject, Unchanged, Version, digest

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
LATER = datetime(2026, 1, 31, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        (Version('"abc"', None, 1), Version("abc", None, 1), True),  # Lists have no quotes.
        (Version('"abc"', None, 1), Version('"abc"', "7", 1, NOON), True),  # A list tells more than an answer.
        (Version('"abc"', None, 1), Version('"abd"', None, 1), False),
        (Version('"abc"', None, 1), Version('"abc"', None, 2), False),
        (Version(None, "7", 1, NOON), Version(None, "7", 1, LATER), True),
        (Version(None, "7", 1), Version(None, "8", 1), False),
        (Version(None, None, 1, NOON), Version(None, None, 1, NOON), True),
        (Version(None, None, 1, NOON), Version(None, None, 1, LATER), False),
        (Version('""', "7", 1), Version(None, "7", 1), True),  # An empty ETag tells nothing.
        (Version("", None, 1, NOON), Version("", None, 1, LATER), False),
    ],
)
def test_a_state_is_another_for_other_bytes(first: Version, second: Version, is_same: bool) -> None:
    assert (first.state == second.state) is is_same


def test_a_state_can_be_remembered() -> None:
    assert {Version('"abc"', None, 1).state: "seen"}[Version("abc", None, 1).state] == "seen"


def test_bytes_have_the_digest_that_other_tools_give_them() -> None:
    assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_an_answer_that_was_cut_off_is_a_bucket_that_is_away() -> None:
    assert isinstance(CutError("cut off"), StoreAwayError)


def test_an_unchanged_object_is_neither_bytes_nor_nothing() -> None:
    answers = [UNCHANGED, None, StoredObject(b"", Version(None, None, 0))]
    assert [isinstance(answer, Unchanged) for answer in answers] == [True, False, False]
    assert UNCHANGED
