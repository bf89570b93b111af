"""What a session holds, known by what was asked, and how two sessions differ."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from samples import CHAT, RESPONSES
from wiretape import recording
from wiretape.library.compare import compare, contents, explain
from wiretape.store.directory import DirectoryStore


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for session in ("a", "b"):
        shutil.copytree(RESPONSES, tmp_path / session / "responses")
    return tmp_path


def differences(root: Path) -> tuple[int, int, int, int]:
    store = DirectoryStore(root)
    found = compare(contents(store, "a"), contents(store, "b"))
    assert bool(found) == bool(found.only_first or found.only_second or found.changed)
    return len(found.only_first), len(found.only_second), len(found.changed), found.same


def explained(root: Path) -> str:
    store = DirectoryStore(root)
    a, b = contents(store, "a"), contents(store, "b")
    (key,) = compare(a, b).changed
    return explain(store, ("a", a.takes[key]), ("b", b.takes[key]))


def say(path: Path, old: str = "Hello!", new: str = "Howdy!") -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_copies_are_the_same(root: Path) -> None:
    assert differences(root) == (0, 0, 0, 4)


def test_what_one_lacks(root: Path) -> None:
    (root / "a" / "responses" / CHAT.name).unlink()
    assert differences(root) == (0, 1, 0, 3)
    shutil.rmtree(root / "b")
    assert differences(root) == (3, 0, 0, 0)


def test_another_answer(root: Path) -> None:
    say(root / "b" / "responses" / CHAT.name)
    assert differences(root) == (0, 0, 1, 3)
    assert explained(root).startswith("\"Hello! It's nice")
    assert " -> \"Howdy! It's nice" in explained(root)


def test_the_part_that_differs_is_shown(root: Path) -> None:
    say(root / "b" / "responses" / CHAT.name, '" chat"', '" talk"')
    assert "chat?" in explained(root)
    assert "talk?" in explained(root)
    assert "Hello" not in explained(root)
    assert len(explained(root)) < 200


def test_of_a_longer_answer_its_end_is_shown(root: Path) -> None:
    say(root / "b" / "responses" / CHAT.name, '"?"', '"? Or rather not?"')
    assert explained(root).endswith('Or rather not?"')


def test_the_same_words_with_another_id(root: Path) -> None:
    say(root / "b" / "responses" / CHAT.name, "d583f66e", "00000000")
    assert explained(root) == "the same words; ids, times or other fields differ"


def test_an_answer_and_an_error(root: Path) -> None:
    path = root / "b" / "responses" / CHAT.name
    found = recording.loads(path.read_bytes())
    error = {"message": "no", "status_code": 404}
    path.write_bytes(recording.dumps(replace(found, response=replace(found.response, body=[], error=error))))
    assert explained(root) == "answer -> error 404"


def test_a_name_does_not_count(root: Path) -> None:
    folder = root / "b" / "responses"
    (folder / CHAT.name).rename(folder / "greeting.json")
    assert differences(root) == (0, 0, 0, 4)


def test_a_layout_does_not_count(root: Path) -> None:
    path = root / "b" / "responses" / CHAT.name
    path.write_text(json.dumps(json.loads(path.read_text())))
    assert differences(root) == (0, 0, 0, 4)


def test_a_form_does_not_count_but_the_answer_does(root: Path) -> None:
    path = root / "b" / "responses" / CHAT.name
    found = recording.loads(path.read_bytes())
    path.unlink()
    made = recording.make(found.request, found.response, "2026")
    other = path.with_name(f"{made.name}.json")
    other.write_bytes(recording.dumps(made))
    assert differences(root) == (0, 0, 0, 4)
    say(other)
    assert differences(root) == (0, 0, 1, 3)


def test_another_test_of_the_2026_form_is_another_request(root: Path) -> None:
    for session, test_id in (("a", "one"), ("b", "two")):
        path = root / session / "responses" / CHAT.name
        found = recording.loads(path.read_bytes())
        made = recording.make(replace(found.request, test_id=test_id), found.response, "2026")
        path.write_bytes(recording.dumps(made))
    assert differences(root) == (1, 1, 0, 3)


def test_takes_are_in_order_and_count(root: Path) -> None:
    folder = root / "b" / "responses"
    for number in (10, 9, 2):
        shutil.copy(CHAT, folder / f"{CHAT.stem}.{number}.json")
    takes = next(each for each in contents(DirectoryStore(root), "b").takes.values() if len(each) > 1)
    assert [take.name for take in takes] == [CHAT.stem, *(f"{CHAT.stem}.{number}" for number in (2, 9, 10))]
    assert differences(root) == (0, 0, 1, 3)
    assert explained(root) == "1 take -> 4 takes"


def test_what_is_no_recording_is_named(root: Path) -> None:
    (root / "a" / "responses" / "broken.json").write_text("{}")
    found = contents(DirectoryStore(root), "a")
    assert found.broken == {"broken": "no request"}
    assert found.owners()["broken"] is None
    assert len(found.owners()) == 5
    assert differences(root) == (0, 0, 0, 4)


def test_a_session_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert contents(DirectoryStore(tmp_path), "a").takes == {}
