"""Look-ups in a bucket: side by side, with few requests, and none that waits for another's."""

import asyncio
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from hashlib import md5
from pathlib import Path

import pytest

from builders import ENDPOINT, came, chat, tape_of
from deciding import make_decider
from s3 import Clock
from wiretape.metrics.counters import SessionCounters
from wiretape.policy import Mode
from wiretape.providers.routing import Endpoint, Route
from wiretape.proxy.calls import BodyState, EndpointRequest, Finding, LookedUp
from wiretape.sessions.access import AccessPolicy
from wiretape.sessions.model import Sessions
from wiretape.store.bucket.capabilities import Capabilities
from wiretape.store.bucket.client import ObjectClient
from wiretape.store.bucket.objects import Objects
from wiretape.store.bucket.store import BucketStore
from wiretape.store.bucket.versions import UNCHANGED, Condition, StoredObject, Unchanged, Version, digest
from wiretape.store.notes import Notes
from wiretape.tape.pool import TapePool
from wiretape.tape.question import Question

MANY = 20
LONG = 60.0


class InMemory(ObjectClient):
    """A bucket in memory. ``before`` is called in the thread of each GET, and may hold it."""

    def __init__(self) -> None:
        self.url = "s3://bucket"
        self.held: dict[str, StoredObject] = {}
        self.gets: list[str] = []
        self.lists = 0
        self.before: Callable[[str], object] = lambda _: None

    def get(self, key: str, known: Version | None = None) -> StoredObject | Unchanged | None:
        self.gets.append(key)
        self.before(key)
        found = self.held.get(key)
        return UNCHANGED if found and known and found.version.state == known.state else found

    def put(self, key: str, data: bytes, condition: Condition | Version) -> Version | None:
        if condition is Condition.ABSENT and key in self.held:
            return None
        e_tag = md5(data, usedforsecurity=False).hexdigest()
        version = Version(f'"{e_tag}"', None, len(data))
        self.held[key] = StoredObject(data, version, digest(data))
        return version

    def pages(self, folder: str) -> Iterator[dict[str, Version]]:
        self.lists += 1
        yield {key: each.version for key, each in self.held.items() if key.startswith(f"{folder}/")}

    def folders(self) -> list[str]:
        return sorted({key.partition("/")[0] for key in self.held})

    @property
    def recordings(self) -> list[str]:
        """The GETs of recordings."""
        return [key for key in self.gets if "/responses/" in key]


class Gathering:
    """Holds whoever comes until so many have come."""

    def __init__(self, count: int, folder: str) -> None:
        self._barrier = threading.Barrier(count)
        self._folder = folder

    def __call__(self, key: str) -> None:
        if self._folder in key:
            try:
                self._barrier.wait(LONG)
            except threading.BrokenBarrierError:
                raise AssertionError("they were not under way at the same time") from None


def store(remote: InMemory, notes: Path | None = None, clock: Clock | None = None) -> BucketStore:
    objects = Objects(remote, clock=clock or Clock(), kind=Capabilities(True, True, True))
    return BucketStore(remote, objects, notes=Notes(notes) if notes else None)


@pytest.fixture(name="remote")
def _remote() -> InMemory:
    remote = InMemory()
    tape = tape_of(store(remote), "default", Mode.RECORD)
    for number in range(2 * MANY):
        tape.record(chat(f"known {number}"), came(f"answer {number}"))
    assert tape.counters.recorded == 2 * MANY
    remote.gets.clear()
    remote.lists = 0
    return remote


ROUTE = Route("openai", "https://api.openai.com/v1", Endpoint("openai", "POST", ENDPOINT), "/chat/completions")


def ask(of: BucketStore, *texts: str, explained: bool = False) -> list[LookedUp]:
    """What a proxy decides on requests that come at once."""

    async def all_at_once() -> list[LookedUp]:
        ledger = SessionCounters()
        decider = make_decider()
        tapes = TapePool(of, Sessions(), ledger)
        decider.admission.use(AccessPolicy(Sessions(), "default", Mode.REPLAY), tapes)

        async def one(text: str) -> LookedUp:
            request = EndpointRequest(decider.admission.default, ROUTE, 0.0, BodyState.READ, chat(text))
            looked_up = await decider.look_up(request, text)
            if explained:
                await decider.explain(request, "api.openai.com")
            return looked_up

        try:
            return await asyncio.wait_for(asyncio.gather(*map(one, texts)), LONG)
        finally:
            decider.close()

    return asyncio.run(all_at_once())


def known(count: int = MANY) -> list[str]:
    return [f"known {number}" for number in range(count)]


def unknown(word: str = "unknown", count: int = MANY) -> list[str]:
    return [f"{word} {number}" for number in range(count)]


def test_hits_at_once_are_under_way_at_the_same_time(remote: InMemory) -> None:
    remote.before = Gathering(MANY, "/responses/")
    made = ask(store(remote), *known())
    assert all(each.hit for each in made)
    assert len(remote.recordings) == MANY, "each is read once"
    assert len(remote.gets) == 2 * MANY, "and so is its capture"


def test_a_search_reads_many_at_once_and_each_once_for_all_who_wait(remote: InMemory) -> None:
    remote.before = Gathering(MANY, "/responses/")
    made = ask(store(remote), *unknown())
    assert all(each.finding is Finding.MISS for each in made)
    assert len(remote.gets) == len(set(remote.gets)) == 2 * MANY


@pytest.mark.parametrize("noted", [False, True])
def test_a_miss_whose_session_is_known_reads_nothing(remote: InMemory, tmp_path: Path, *, noted: bool) -> None:
    of = store(remote, tmp_path / "notes.sqlite" if noted else None)
    ledger = SessionCounters()
    tape = TapePool(of, Sessions(), ledger).of(Sessions().get("default"), Mode.REPLAY)
    assert tape.lookup(Question(chat("first"))) is None
    remote.gets.clear()
    remote.lists = 0
    for text in unknown():
        assert tape.lookup(Question(chat(text))) is None
    assert remote.gets == []
    assert remote.lists == MANY
    if noted:
        assert "which differs in" in tape.explain(chat("first")).text
        assert remote.gets == []
        assert remote.lists == MANY


def test_after_a_restart_nothing_is_read_again(remote: InMemory, tmp_path: Path) -> None:
    notes = tmp_path / "index" / "notes.sqlite"
    before = store(remote, notes)
    ask(before, *unknown())
    before.close()
    assert stat.S_IMODE(notes.stat().st_mode) == 0o600
    remote.gets.clear()
    made = ask(store(remote, notes), *unknown("other"), explained=True)
    assert all(each.finding is Finding.MISS for each in made)
    assert remote.gets == []
    # What has changed since is read, and what is new.
    remote.put("default/responses/by-hand.json", remote.held.popitem()[1].data, Condition.NONE)
    made = ask(store(remote, notes), *unknown("third"))
    assert remote.gets == ["default/responses/by-hand.json"]


def by_sql(script: str) -> Callable[[Path], object]:
    def damage(path: Path) -> None:
        opened = sqlite3.connect(path)
        opened.executescript(script)
        opened.close()

    return damage


DAMAGE: dict[str, Callable[[Path], object]] = {
    "flipped": by_sql("UPDATE heads SET head = replace(head, '0', '1')"),
    "another value": by_sql("UPDATE heads SET head = NULL; UPDATE bodies SET body = 1"),
    "another form": by_sql("PRAGMA user_version = 99"),
    "other tables": by_sql("DROP TABLE heads; CREATE TABLE heads (x)"),
    "cut": lambda path: os.truncate(path, 5000),
    "zeros": lambda path: path.write_bytes(bytes(20_000)),
    "text": lambda path: path.write_text("no database\n" * 1000),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_notes_that_are_damaged_are_made_anew(remote: InMemory, tmp_path: Path, how: str) -> None:
    notes = tmp_path / "notes.sqlite"
    found = remote.held.pop(next(key for key in remote.held if "/responses/" in key))
    remote.put("default/responses/by-hand.json", found.data, Condition.NONE)
    before = store(remote, notes)
    ask(before, *unknown())
    before.close()
    DAMAGE[how](notes)
    for word in ("other", "third"):
        made = ask(of := store(remote, notes), "known 0", *unknown(word), explained=True)
        assert made[0].hit, "which no name leads to"
        assert all(each.finding is Finding.MISS for each in made[1:])
        of.close()
    remote.gets.clear()
    ask(of := store(remote, notes), *unknown("fourth"))
    assert remote.gets == [], "they are sound again"
    of.close()


def test_notes_that_can_be_nowhere_are_no_error(remote: InMemory, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    of = store(remote, tmp_path / "file" / "notes.sqlite")
    assert ask(of, "known 0", "unknown", explained=True)[0].hit


def test_full_notes_are_begun_anew(tmp_path: Path) -> None:
    from wiretape.store.notes import Note

    notes = Notes(tmp_path / "notes.sqlite", limit=1 << 17)
    for number in range(200):
        notes.keep("s", [Note(f"n{number}", "state", "head", bytes(4000))])
    notes.keep("s", [Note("small", "state", "head")])
    assert (tmp_path / "notes.sqlite").stat().st_size <= 1 << 17
    assert 0 < len(notes.all("s")) < 40


def test_one_slow_recording_holds_nobody_else_up(remote: InMemory) -> None:
    slow = next(key for key in remote.held if "/responses/" in key)
    asked, go_on = threading.Event(), threading.Event()

    def hold(key: str) -> None:
        if key == slow:
            asked.set()
            assert go_on.wait(LONG)

    of = store(remote)
    remote.before = hold

    async def all_of_them() -> list[LookedUp]:
        ledger = SessionCounters()
        decider = make_decider()
        decider.admission.use(AccessPolicy(Sessions(), "default", Mode.REPLAY), TapePool(of, Sessions(), ledger))

        async def one(text: str) -> LookedUp:
            request = EndpointRequest(decider.admission.default, ROUTE, 0.0, BodyState.READ, chat(text))
            return await decider.look_up(request, text)

        # More than there are threads.
        waiting = [asyncio.create_task(one("known 0")) for _ in range(200)]
        await asyncio.to_thread(asked.wait, LONG)
        served = await asyncio.wait_for(asyncio.gather(*map(one, known()[1:])), LONG)
        assert not any(each.done() for each in waiting)
        go_on.set()
        found = [*served, *await asyncio.gather(*waiting)]
        decider.close()
        return found

    assert all(each.hit for each in asyncio.run(all_of_them()))


def test_a_recording_that_another_has_just_written_is_found_at_once(remote: InMemory) -> None:
    of = store(remote, clock=Clock())  # Which stands still: what was seen is believed.
    assert not ask(of, "new")[0].hit
    tape = tape_of(store(remote), "default", Mode.RECORD)
    tape.record(chat("other"), came("x"))
    assert ask(of, "other")[0].hit


def test_a_session_that_one_list_does_not_tell_is_read_by_name(remote: InMemory) -> None:
    for number in range(1000):
        remote.held[f"default/responses/large{number}.json"] = remote.held[next(iter(remote.held))]
    of = store(remote)
    assert all(each.hit for each in ask(of, *known()))
    lists = remote.lists
    assert all(each.hit for each in ask(of, *(f"known {number}" for number in range(MANY, 2 * MANY))))
    assert remote.lists == lists
