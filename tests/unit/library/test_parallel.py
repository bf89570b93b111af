"""Work that is shared out among processes, and what of it is noted."""

import os
import threading
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from builders import came, chat, tape_of
from wiretape import redaction
from wiretape.library import compare, parallel, promotion, verify
from wiretape.policy import Mode
from wiretape.store.directory import DirectoryStore
from wiretape.store.notes import Notes

FOLDERS = ("responses", "wire")


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_MANY", 10)
    monkeypatch.setattr(parallel, "_cores", lambda: 2)
    monkeypatch.setattr("wiretape.library.ledger._MANY", 10)


def work(log: Path, number: int) -> tuple[int, int]:
    with log.open("a") as file:
        file.write(f"{os.getpid()}\n")
    if number == 999:
        raise ValueError("it is 999")
    return number, os.getpid()


def test_all_is_done_in_order_by_several(tmp_path: Path) -> None:
    done = [*parallel.mapped(partial(work, tmp_path / "log"), range(200))]
    assert [number for number, _ in done] == [*range(200)]
    assert os.getpid() not in {process for _, process in done}
    assert [*parallel.mapped(partial(work, tmp_path / "log"), range(3))] == [(n, os.getpid()) for n in range(3)]


def test_beside_other_threads_no_process_is_made(tmp_path: Path) -> None:
    done: list[tuple[int, int]] = []
    thread = threading.Thread(target=lambda: done.extend(parallel.mapped(partial(work, tmp_path / "log"), range(200))))
    thread.start()
    thread.join()
    assert {process for _, process in done} == {os.getpid()}


def test_what_is_raised_is_raised(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it is 999"):
        [*parallel.mapped(partial(work, tmp_path / "log"), range(990, 1010))]


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> DirectoryStore:
    store = DirectoryStore(tmp_path / "of", notes=Notes(tmp_path / "notes.sqlite"))
    tape = tape_of(store, "a", Mode.RECORD)
    for number in range(30):
        tape.record(chat(f"number {number}"), came(f"answer {number}"))
    (tmp_path / "of" / "a" / "responses" / "broken.json").write_text("{}")
    return store


def test_what_a_session_holds_is_read_once(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first = compare.contents(store, "a")
    assert len(first.takes) == 30
    assert first.broken == {"broken": "no request"}
    assert first == compare.contents(DirectoryStore(store.root), "a"), "as it is found without notes"
    names = [name for takes in first.takes.values() for name in (takes[0].name,)]
    read: list[str] = []

    def reading(_: object, session: str, name: str, folder: str = "responses") -> bytes | None:
        read.append(f"{folder}/{name}")
        return original(store, session, name, folder)

    plan = promotion.plan(store, "a", "b")
    assert len(plan.steps) == 30
    original = DirectoryStore.read
    monkeypatch.setattr(DirectoryStore, "read", reading)
    monkeypatch.setattr(parallel, "_MANY", 1000)
    checked: list[str] = []
    really = verify.verify

    def checking(name: str, data: bytes) -> verify.Verification:
        checked.append(name)
        return really(name, data)

    monkeypatch.setattr(verify, "verify", checking)
    read.clear()
    assert promotion.plan(store, "a", "b") == plan
    assert checked == [], "they were found sound, and are as they were"
    assert {*read} == {"responses/broken", *(f"{folder}/{name}" for name in names for folder in FOLDERS)}
    monkeypatch.setattr(redaction.DEFAULT, "holds_variable", lambda data: b"number 12" in data)
    assert promotion.plan(store, "a", "b") == plan
    assert len(checked) == 1, "it may hold what is a secret only now"
    path = store.path("a", names[7])
    path.write_bytes(path.read_bytes().replace(b"answer", b"ANSWER"))
    read.clear()
    again = compare.contents(store, "a")
    assert sorted(read) == sorted([f"responses/{names[7]}", "responses/broken"])
    assert compare.compare(first, again).changed == (
        next(iter(k for k, v in first.takes.items() if v[0].name == names[7])),
    )


def test_how_far_it_is_is_shown(store: DirectoryStore) -> None:
    seen: list[tuple[int, str]] = []

    def watch(items: Iterable[Any], count: int, what: str) -> Iterator[Any]:
        seen.append((count, what))
        return iter(items)

    promotion.plan(store, "a", "b", watch)
    assert seen == [(31, "reading a"), (0, "reading b"), (30, "checking")]
