"""What proxies agree on, where the server does not help: parts of objects, writes that collide."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import md5, sha256
from pathlib import Path

import pytest

from s3 import Clock
from scripted_bucket import Scripted
from wiretape.exceptions import StoreAwayError, StoreUnavailableError
from wiretape.store.bucket.capabilities import Capabilities
from wiretape.store.bucket.client import ObjectClient
from wiretape.store.bucket.objects import Objects
from wiretape.store.bucket.versions import Condition, CutError, StoredObject, Unchanged, Version

WHOLE = b"a whole object"
E_TAG = f'"{md5(WHOLE, usedforsecurity=False).hexdigest()}"'
OTHER = '"0123456789abcdef0123456789abcdef"'


def found(data: bytes, e_tag: str = E_TAG) -> StoredObject:
    return StoredObject(data, Version(e_tag, None, len(data)))


def objects(remote: ObjectClient, kind: Capabilities | None, clock: Clock | None = None) -> Objects:
    return Objects(remote, clock=clock or Clock(), kind=kind)


NEITHER = Capabilities(False, False, True)
BOTH = Capabilities(True, True, True)


@pytest.mark.parametrize("kind", [NEITHER, None])
def test_a_part_of_an_object_is_asked_for_again(kind: Capabilities | None) -> None:
    remote = Scripted(found(b"a whole"), found(b"a whole obj"), found(WHOLE))
    assert objects(remote, kind).see("k") == found(WHOLE)


def test_a_part_that_stays_is_unavailable_and_no_recording() -> None:
    with pytest.raises(StoreUnavailableError, match="not those that were written"):
        objects(Scripted(*[found(b"a whole")] * 9), NEITHER).see("k")


def test_a_part_of_what_is_gone_is_nothing() -> None:
    assert objects(Scripted(found(b"a whole"), None), NEITHER).see("k") is None


@pytest.mark.parametrize(
    ("kind", "e_tag", "questions"),
    [
        (Capabilities(True, True, False), OTHER, 1),
        (Capabilities(False, False, False), OTHER, 1),
        (NEITHER, '"0123456789abcdef0123456789abcdef-2"', 1),
        (None, OTHER, 2),
    ],
)
def test_where_an_e_tag_is_something_else_nothing_is_missing(
    kind: Capabilities | None, e_tag: str, questions: int
) -> None:
    remote = Scripted(*[found(WHOLE, e_tag)] * 2)
    assert objects(remote, kind).see("k") == found(WHOLE, e_tag)
    assert len(remote.answers) == 2 - questions
    assert remote.absences > 0
    remote.page = found(b"<html>", e_tag)
    with pytest.raises(StoreAwayError, match="this is no bucket"):
        objects(Scripted(*[found(WHOLE, e_tag)] * 2, page=remote.page), kind).see("k")


DIGEST = sha256(WHOLE).hexdigest()
CUT = CutError("cut off")


@pytest.mark.parametrize("kind", [BOTH, NEITHER, Capabilities(True, True, False), None])
@pytest.mark.parametrize("e_tag", [OTHER, "no digest"])
def test_what_is_not_as_we_wrote_it_is_read_again_and_never_given(kind: Capabilities | None, e_tag: str) -> None:
    whole = StoredObject(WHOLE, Version(e_tag, None, len(WHOLE)), DIGEST)
    wrong = [replace(whole, data=data) for data in (WHOLE[:7], WHOLE[:-1] + b"x", b"")]
    seeing = objects(remote := Scripted(*wrong, whole), kind)
    assert seeing.see("k") == whole
    assert remote.answers == []
    seeing = objects(remote := Scripted(*wrong, wrong[0], wrong[0], whole), kind)
    for _ in range(1):
        with pytest.raises(StoreUnavailableError, match=r"s3://b/k: .*, 4 times") as raised:
            seeing.see("k")
        assert not isinstance(raised.value, StoreAwayError), "nobody asks the provider instead"
    assert seeing.memory == 0
    assert seeing.see("k") == whole


def test_what_is_cut_off_is_read_again() -> None:
    assert objects(Scripted(CUT, CUT, found(WHOLE)), BOTH).see("k") == found(WHOLE)
    with pytest.raises(StoreUnavailableError, match="cut off, 4 times"):
        objects(Scripted(*[CUT] * 9), BOTH).see("k")


def test_what_was_seen_before_is_not_given_for_what_comes_damaged() -> None:
    clock = Clock()
    seeing = objects(Scripted(found(WHOLE), *[found(b"new", OTHER)] * 4), BOTH, clock)
    assert seeing.see("k") == found(WHOLE)
    clock.now += 2
    with pytest.raises(StoreUnavailableError, match="not those"):
        seeing.see("k")


def test_what_is_not_as_it_was_written_is_on_no_disk(tmp_path: Path) -> None:
    seeing = Objects(Scripted(*[found(b"other")] * 4), cache=tmp_path, clock=Clock(), kind=BOTH)
    with pytest.raises(StoreUnavailableError):
        seeing.see("k")
    assert [*tmp_path.iterdir()] == []


def test_bytes_that_arrive_as_others_are_not_written() -> None:
    class Changing(Scripted):
        def put(self, key: str, data: bytes, condition: Condition | Version) -> Version | None:
            return Version(OTHER, None, len(data))

    with pytest.raises(StoreAwayError, match="other bytes have arrived"):
        objects(Changing(), BOTH).put("k", WHOLE, replace=False)


def test_who_asks_for_what_is_being_asked_for_waits_for_the_same_answer() -> None:
    asked, go_on = threading.Event(), threading.Event()

    class Slow(Scripted):
        def get(self, key: str, known: Version | None = None) -> StoredObject | Unchanged | None:
            if key == "slow":
                asked.set()
                assert go_on.wait(60)
            return super().get(key, known)

    seeing = objects(remote := Slow(found(b"other", "x"), found(WHOLE)), Capabilities(True, True, False))
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(seeing.see, "slow") for _ in range(5)]
        assert asked.wait(60)
        assert seeing.see("other") == found(b"other", "x"), "nobody waits for another object"
        go_on.set()
        assert [each.result() for each in waiting] == [found(WHOLE)] * 5
    assert remote.answers == []


def test_what_was_seen_is_confirmed_and_not_sent_again() -> None:
    clock = Clock()
    remote = Scripted(found(WHOLE), found(WHOLE), StoreAwayError("away"), StoreAwayError("away"))
    seeing = objects(remote, BOTH, clock)
    for _ in range(3):
        assert seeing.see("k") == found(WHOLE)
    assert len(remote.answers) == 3
    for left in (2, 1):
        clock.now += 2
        assert seeing.see("k") == found(WHOLE)
        assert len(remote.answers) == left
    with pytest.raises(StoreUnavailableError):
        seeing.see_now("k")


def test_a_replacement_depends_on_what_was_seen_last() -> None:
    remote = Scripted(found(WHOLE), None)
    seeing = objects(remote, BOTH)
    seeing.see("k")
    assert seeing.put("k", b"new", replace=True)
    assert remote.conditions == [found(WHOLE).version]
    assert seeing.put("other", b"new", replace=True)
    assert remote.conditions[1] is Condition.ABSENT


def test_what_is_refused_and_then_not_there_may_be_written_later() -> None:
    with pytest.raises(StoreUnavailableError, match="others write"):
        objects(Scripted(None, refuses=1), BOTH).put("k", b"new", replace=False)


def test_without_conditions_the_one_that_is_overwritten_knows_it() -> None:
    remote = Scripted(None, found(WHOLE), found(WHOLE))
    assert not objects(remote, NEITHER).put("k", b"mine", replace=False)
    assert remote.conditions == [Condition.NONE]
