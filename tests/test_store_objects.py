"""What proxies agree on, where the server does not help: parts of objects, writes that collide."""

from hashlib import md5

import pytest

from s3 import Clock
from wiretape.store.base import Unavailable
from wiretape.store.objects import Objects
from wiretape.store.probe import Kind
from wiretape.store.remote import UNCHANGED, Condition, Found, Remote, Unchanged, Version

WHOLE = b"a whole object"
E_TAG = f'"{md5(WHOLE, usedforsecurity=False).hexdigest()}"'
OTHER = '"0123456789abcdef0123456789abcdef"'


def found(data: bytes, e_tag: str = E_TAG) -> Found:
    return Found(data, Version(e_tag, None, len(data)))


class Scripted(Remote):
    """Answers as it was told to; writes fail on a condition so many times."""

    def __init__(self, *answers: Found | Exception | None, refuses: int = 0) -> None:
        self.url = "s3://b"
        self.answers = [*answers]
        self.refuses = refuses
        self.conditions: list[Condition | Version] = []

    def get(self, key: str, known: Version | None = None) -> Found | Unchanged | None:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return UNCHANGED if answer and known and known == answer.version else answer

    def put(self, key: str, data: bytes, condition: Condition | Version) -> Version | None:
        self.conditions.append(condition)
        if self.refuses:
            self.refuses -= 1
            return None
        return Version('"new"', None, len(data))


def objects(remote: Remote, kind: Kind | None, clock: Clock | None = None) -> Objects:
    made = Objects(remote, clock=clock or Clock())
    made._kind = kind
    return made


NEITHER = Kind(False, False, True)
BOTH = Kind(True, True, True)


@pytest.mark.parametrize("kind", [NEITHER, None])
def test_a_part_of_an_object_is_asked_for_again(kind: Kind | None) -> None:
    remote = Scripted(found(b"a whole"), found(b"a whole obj"), found(WHOLE))
    assert objects(remote, kind).see("k") == found(WHOLE)


def test_a_part_that_stays_is_unavailable_and_no_recording() -> None:
    with pytest.raises(Unavailable, match="being written"):
        objects(Scripted(*[found(b"a whole")] * 9), NEITHER).see("k")


def test_a_part_of_what_is_gone_is_nothing() -> None:
    assert objects(Scripted(found(b"a whole"), None), NEITHER).see("k") is None


@pytest.mark.parametrize(
    ("kind", "e_tag", "questions"),
    [
        (BOTH, OTHER, 1),
        (Kind(False, False, False), OTHER, 1),
        (NEITHER, '"0123456789abcdef0123456789abcdef-2"', 1),
        (None, OTHER, 2),
    ],
)
def test_where_an_e_tag_is_something_else_nothing_is_missing(kind: Kind | None, e_tag: str, questions: int) -> None:
    remote = Scripted(*[found(WHOLE, e_tag)] * 2)
    assert objects(remote, kind).see("k") == found(WHOLE, e_tag)
    assert len(remote.answers) == 2 - questions


def test_what_was_seen_is_confirmed_and_not_sent_again() -> None:
    clock = Clock()
    remote = Scripted(found(WHOLE), found(WHOLE), Unavailable("away"), Unavailable("away"))
    seeing = objects(remote, BOTH, clock)
    for _ in range(3):
        assert seeing.see("k") == found(WHOLE)
    assert len(remote.answers) == 3
    for left in (2, 1):
        clock.now += 2
        assert seeing.see("k") == found(WHOLE)
        assert len(remote.answers) == left
    with pytest.raises(Unavailable):
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
    with pytest.raises(Unavailable, match="others write"):
        objects(Scripted(None, refuses=1), BOTH).put("k", b"new", replace=False)


def test_without_conditions_the_one_that_is_overwritten_knows_it() -> None:
    remote = Scripted(None, found(WHOLE), found(WHOLE))
    assert not objects(remote, NEITHER).put("k", b"mine", replace=False)
    assert remote.conditions == [Condition.NONE]
