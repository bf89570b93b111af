"""A frozen session: the mark is in the store, where every proxy sees it."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest

import s3
from wiretape.exceptions import StoreAwayError
from wiretape.store.base import RESPONSES, Store
from wiretape.store.directory import DirectoryStore
from wiretape.store.freezing import Frozen, FrozenMarks, freeze, is_frozen, mark, thaw

ANN = Frozen("ann", "2026-01-31T12:00:00Z")


@pytest.fixture(name="store", params=["directory", "moto"])
def _store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    if request.param == "directory":
        return DirectoryStore(tmp_path / "recordings")
    for name, value in request.getfixturevalue(request.param).env.items():
        monkeypatch.setenv(name, value)
    return s3.store(f"freezing/{uuid4().hex}")


def test_there_and_back(store: Store) -> None:
    store.write("team", "abc", b"{}", replace=False)
    assert not is_frozen(store, "team")
    assert mark(store, "team") is None
    assert freeze(store, "team", ANN)
    assert is_frozen(store, "team")
    assert not is_frozen(store, "other")
    assert mark(store, "team") == ANN
    assert list(store.scan("team")) == ["abc"]
    thaw(store, "team")
    thaw(store, "team")
    assert not is_frozen(store, "team")
    assert store.read("team", "abc") == b"{}"


def test_who_froze_it_first_stays(store: Store) -> None:
    assert freeze(store, "team", ANN)
    assert not freeze(store, "team", Frozen("bob", "2027-01-01T00:00:00Z"))
    assert mark(store, "team") == ANN


def test_another_proxy_sees_it(tmp_path: Path) -> None:
    freeze(DirectoryStore(tmp_path), "team", ANN)
    assert is_frozen(DirectoryStore(tmp_path), "team")


@pytest.mark.parametrize("text", ["", "[]", "1", "frozen by hand"])
def test_a_mark_that_says_nothing_is_a_mark(tmp_path: Path, text: str) -> None:
    store = DirectoryStore(tmp_path)
    freeze(store, "team", ANN)
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    file.write_text(text)
    assert is_frozen(store, "team")
    assert str(mark(store, "team")) == "frozen"


def test_in_words() -> None:
    assert str(ANN) == "frozen by ann at 2026-01-31T12:00:00Z"


# -- as the traffic sees it --------------------------------------------------------------------------------------------


class Watched(DirectoryStore):
    """A directory that counts who looks, and can be slow, or away."""

    def __init__(self, root: Path, *, quick: bool) -> None:
        super().__init__(root)
        self.is_quick = quick
        self.is_away = False
        self.looks: list[str] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def exists(self, session: str, name: str, folder: str = RESPONSES) -> bool:
        self.looks.append(threading.current_thread().name)
        assert self.go_on.wait(60)
        if self.is_away:
            raise StoreAwayError("away")
        return super().exists(session, name, folder)


class Hands:
    """The clock of the marks: it stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> Hands:
    clock = Hands()
    monkeypatch.setattr("wiretape.store.freezing.time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture(name="looker")
def _looker() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1, "looker") as looker:
        yield looker


def test_a_disk_is_looked_at_at_once_and_not_for_every_request(
    tmp_path: Path, clock: Hands, looker: ThreadPoolExecutor
) -> None:
    store = Watched(tmp_path, quick=True)
    marks = FrozenMarks(store, looker)
    assert marks.knows("team")
    assert not any(marks.is_frozen("team") for _ in range(100))
    assert len(store.looks) == 1
    freeze(store, "team", ANN)
    clock.now += 0.1
    assert marks.is_frozen("team")
    assert not marks.is_frozen("other")
    thaw(store, "team")
    clock.now += 0.1
    assert not marks.is_frozen("team")


def test_a_bucket_is_looked_at_by_another_thread(tmp_path: Path, clock: Hands, looker: ThreadPoolExecutor) -> None:
    store = Watched(tmp_path, quick=False)
    marks = FrozenMarks(store, looker)
    # Before somebody has looked who can wait, it is not known, and asking makes it no better known.
    assert not marks.is_frozen("team")
    assert not marks.knows("team")
    assert marks.look("team") is False
    assert marks.knows("team")
    freeze(store, "team", ANN)
    store.looks.clear()
    store.go_on.clear()
    clock.now += 3
    # The look does not come to an end, and nobody waits for it; there is one at a time.
    assert not any(marks.is_frozen("team") for _ in range(100))
    store.go_on.set()
    looker.submit(int).result()  # The look was before it.
    assert marks.is_frozen("team")
    assert [name.partition("_")[0] for name in store.looks] == ["looker"]


def test_while_the_bucket_is_away_what_was_seen_holds(tmp_path: Path, clock: Hands, looker: ThreadPoolExecutor) -> None:
    store = Watched(tmp_path, quick=False)
    marks = FrozenMarks(store, looker)
    freeze(store, "team", ANN)
    assert marks.look("team")
    store.is_away = True
    for _ in range(3):
        clock.now += 3
        assert marks.is_frozen("team")
        looker.submit(int).result()
    assert marks.look("team")
    # Of one that was never seen nothing is known but that nobody has said so.
    assert not marks.look("other")
    store.is_away = False
    thaw(store, "team")
    clock.now += 3
    marks.is_frozen("team")
    looker.submit(int).result()
    assert not marks.is_frozen("team")


@pytest.mark.parametrize("quick", [True, False])
def test_a_mark_that_cannot_be_read_is_not_taken_for_none(
    tmp_path: Path, clock: Hands, looker: ThreadPoolExecutor, *, quick: bool
) -> None:
    store = Watched(tmp_path, quick=quick)
    marks = FrozenMarks(store, looker)
    folder = store.path("team", "frozen", ".wiretape").parent
    folder.parent.mkdir(parents=True)
    folder.write_bytes(b"in the way")
    marks.look("team")
    for _ in range(3):
        assert "whether session team is frozen cannot be told" in str(marks.doubt("team"))
    assert marks.doubt("other") is None
    folder.unlink()
    freeze(store, "team", ANN)
    marks.look("team")
    assert marks.doubt("team") is None
    assert marks.is_frozen("team")
    thaw(store, "team")
    folder.rmdir()
    folder.write_bytes(b"in the way")
    marks.look("team")
    assert marks.is_frozen("team"), "what was seen before holds"
    assert marks.doubt("team")


def test_who_names_ever_new_sessions_fills_no_memory(tmp_path: Path, looker: ThreadPoolExecutor) -> None:
    store = Watched(tmp_path, quick=False)
    marks = FrozenMarks(store, looker)
    for number in range(1500):
        marks.look(f"s{number}")
    assert sum(marks.knows(f"s{number}") for number in range(1500)) <= 1002
    assert marks.knows("s1499")


def test_a_look_that_comes_as_the_proxy_stops_harms_nobody(tmp_path: Path, clock: Hands) -> None:
    looker = ThreadPoolExecutor(1)
    store = Watched(tmp_path, quick=False)
    marks = FrozenMarks(store, looker)
    freeze(store, "team", ANN)
    marks.look("team")
    looker.shutdown()
    clock.now += 3
    assert marks.is_frozen("team")
