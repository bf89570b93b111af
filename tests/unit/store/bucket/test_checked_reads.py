"""Which bytes are believed to be those that were written, and what is asked before they are."""

from hashlib import md5, sha256

import pytest

from s3 import Clock
from scripted_bucket import Scripted
from wiretape.exceptions import StoreAwayError, StoreUnavailableError
from wiretape.store.bucket.capabilities import Capabilities
from wiretape.store.bucket.checked_reads import CheckedReads
from wiretape.store.bucket.versions import UNCHANGED, CutError, StoredObject, Version

WHOLE = b"a whole object"
SHA256 = sha256(WHOLE).hexdigest()
MD5 = f'"{md5(WHOLE, usedforsecurity=False).hexdigest()}"'
OTHER_MD5 = '"0123456789abcdef0123456789abcdef"'
NO_MD5 = '"0123456789abcdef0123456789abcdef-2"'
"""As a server tells of what was written in two parts."""

TELLS_MD5 = Capabilities(creates=True, updates=True, tells_md5=True)
TELLS_NONE = Capabilities(creates=True, updates=True, tells_md5=False)
CUT = CutError("s3://b/k: cut off")


def stored(data: bytes, e_tag: str | None, sha: str | None = None) -> StoredObject:
    return StoredObject(data, Version(e_tag, None, len(data)), sha)


@pytest.mark.parametrize(
    ("answer", "kind", "reads", "absences"),
    [
        (stored(WHOLE, MD5, SHA256), TELLS_MD5, 1, 0),
        (stored(WHOLE, OTHER_MD5, SHA256), TELLS_MD5, 1, 0),  # Our own digest comes first.
        (stored(WHOLE, None, SHA256), None, 1, 0),
        (stored(WHOLE, MD5), TELLS_MD5, 1, 0),
        (stored(WHOLE, MD5), TELLS_NONE, 1, 0),
        (stored(WHOLE, OTHER_MD5), TELLS_NONE, 1, 1),
        (stored(WHOLE, NO_MD5), TELLS_MD5, 1, 1),
        (stored(WHOLE, None), TELLS_MD5, 1, 1),
        (stored(b"", None), None, 1, 1),
    ],
)
def test_what_is_believed_and_what_is_asked_for_it(
    answer: StoredObject, kind: Capabilities | None, reads: int, absences: int
) -> None:
    remote = Scripted(answer, answer)
    assert CheckedReads(remote, kind, Clock()).get("k", None) == answer
    assert 2 - len(remote.answers) == reads
    assert remote.absences == absences


@pytest.mark.parametrize(
    "answer",
    [
        stored(WHOLE[:7], MD5, SHA256),
        stored(b"<html>", None, SHA256),
        stored(WHOLE[:7], OTHER_MD5, SHA256),
        stored(WHOLE[:7], MD5),
        CUT,
    ],
)
def test_what_is_damaged_is_read_four_times_and_never_given(answer: StoredObject | Exception) -> None:
    whole = stored(WHOLE, MD5, SHA256)
    remote = Scripted(answer, answer, answer, whole)
    assert CheckedReads(remote, TELLS_MD5, Clock()).get("k", None) == whole
    remote = Scripted(*[answer] * 4, whole)
    with pytest.raises(StoreUnavailableError, match=r"^s3://b/k: .*, 4 times$"):
        CheckedReads(remote, TELLS_MD5, Clock()).get("k", None)
    assert remote.answers == [whole]


def test_of_a_server_that_cannot_be_tried_out_two_reads_have_to_agree() -> None:
    half = stored(WHOLE[:7], OTHER_MD5)
    whole = stored(WHOLE, OTHER_MD5)
    remote = Scripted(half, whole, whole)
    assert CheckedReads(remote, None, Clock()).get("k", None) == whole
    assert remote.answers == []
    with pytest.raises(StoreUnavailableError, match="4 times"):
        CheckedReads(Scripted(half, whole, half, whole), None, Clock()).get("k", None)


def test_what_is_not_there_and_what_is_as_before_need_no_check() -> None:
    known = stored(WHOLE, None)
    remote = Scripted(None, known)
    reads = CheckedReads(remote, TELLS_MD5, Clock())
    assert reads.get("k", None) is None
    assert reads.get("k", known) is UNCHANGED
    assert remote.absences == 0


def test_a_page_in_place_of_the_bucket_is_no_recording() -> None:
    page = stored(b"<html>", NO_MD5)
    with pytest.raises(StoreAwayError, match=r"^s3://b: .*this is no bucket$"):
        CheckedReads(Scripted(page, page=page), TELLS_MD5, Clock()).get("k", None)


@pytest.mark.parametrize(("passed", "absences"), [(0.0, 1), (1.4, 1), (1.5, 2), (60.0, 2)])
def test_that_it_is_a_bucket_is_believed_for_a_moment(passed: float, absences: int) -> None:
    clock = Clock()
    remote = Scripted()
    reads = CheckedReads(remote, TELLS_MD5, clock)
    reads.check_absence()
    clock.now += passed
    reads.check_absence()
    assert remote.absences == absences


def test_a_page_that_came_once_is_asked_for_again_at_once() -> None:
    remote = Scripted(page=stored(b"<html>", None))
    reads = CheckedReads(remote, TELLS_MD5, Clock())
    for _ in range(2):
        with pytest.raises(StoreAwayError):
            reads.check_absence()
    assert remote.absences == 2


@pytest.mark.parametrize(
    ("e_tag", "kind", "has_arrived"),
    [
        (MD5, TELLS_MD5, True),
        (MD5.strip('"'), TELLS_MD5, True),
        (OTHER_MD5, TELLS_MD5, False),
        (OTHER_MD5, TELLS_NONE, True),
        (NO_MD5, TELLS_MD5, True),
        (None, TELLS_MD5, True),
    ],
)
def test_a_write_has_arrived_unless_the_e_tag_says_no(e_tag: str | None, kind: Capabilities, has_arrived: bool) -> None:
    reads = CheckedReads(Scripted(), kind, Clock())
    assert reads.arrived(WHOLE, Version(e_tag, None, len(WHOLE))) is has_arrived
