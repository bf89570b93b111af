"""What a reviewer sees of a request that two sessions answer."""

import json
from pathlib import Path

import pytest

from samples import CHAT
from wiretape.library import compare
from wiretape.library.compare import Take
from wiretape.library.drift import DriftKind
from wiretape.library.review import RequestReview, review
from wiretape.library.turn_differences import Side
from wiretape.store.directory import DirectoryStore

SECRET = "sk-proj-" + "aB3dE5fG7hJ9kL1mN2pQ" * 3


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    made = DirectoryStore(tmp_path)
    for session in ("main", "mine"):
        made.write(session, CHAT.stem, CHAT.read_bytes(), replace=True)
    return made


def say(store: DirectoryStore, old: str, new: str, name: str = CHAT.stem) -> None:
    data = CHAT.read_bytes()
    assert old.encode() in data
    store.write("mine", name, data.replace(old.encode(), new.encode()), replace=True)


def reviewed(store: DirectoryStore) -> RequestReview:
    takes: list[tuple[str, tuple[Take, ...]]] = []
    for session in ("main", "mine"):
        held = compare.contents(store, session).takes
        takes.append((session, next(iter(held.values()), ())))
    return review(store, *takes)


def test_what_was_answered_otherwise_is_marked(store: DirectoryStore) -> None:
    say(store, "Hello!", "Howdy!")
    found = reviewed(store)
    assert found.question == "Hello, world!"
    (take,) = found.takes
    assert take.asked == (), "the question is the same"
    pieces = take.answered[0].parts[0].pieces
    assert [piece.text for piece in pieces if piece.side is Side.HERE] == ["Howdy"]
    assert [piece.text for piece in pieces if piece.side is Side.THERE] == ["Hello"]
    assert take.drift is not None
    assert not take.drift.findings


def test_drift_is_told(store: DirectoryStore) -> None:
    say(store, '"finish_reason": "stop"', '"finish_reason": "length"')
    drift = reviewed(store).takes[0].drift
    assert drift
    assert [finding.kind for finding in drift.findings] == [DriftKind.FINISH]


def test_secrets_are_told_and_not_shown(store: DirectoryStore) -> None:
    say(store, "Hello!", SECRET)
    version = reviewed(store).takes[0].after
    assert version
    assert version.secrets
    assert SECRET not in json.dumps(version.secrets)


def test_what_only_one_has_is_shown_alone(store: DirectoryStore) -> None:
    store.remove("main", CHAT.stem)
    (take,) = reviewed(store).takes
    assert take.before is None
    assert take.answered[0].there is None
    assert take.drift is None


def test_of_many_takes_it_is_told_how_many_there_are(store: DirectoryStore) -> None:
    for number in range(2, 20):
        say(store, "Hello!", f"Hello {number}!", f"{CHAT.stem}.{number}")
    found = reviewed(store)
    assert (len(found.takes), found.more) == (10, 8)


def test_what_has_gone_meanwhile_is_told(store: DirectoryStore) -> None:
    take = next(iter(compare.contents(store, "mine").takes.values()))
    store.remove("mine", CHAT.stem)
    (told,) = review(store, ("main", ()), ("mine", take)).takes
    assert told.after
    assert told.after.problem == "it has gone meanwhile"
