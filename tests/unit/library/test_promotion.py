"""A session's recordings, taken over into another: what was promised, and nothing that may not be."""

from dataclasses import replace
from pathlib import Path

import pytest

from samples import CHAT, RESPONSES, SAMPLES
from wiretape import recording
from wiretape.library.compare import compare, contents
from wiretape.library.promotion import PromotionPlan, carry_out, plan
from wiretape.matching.request import identity
from wiretape.recording.capture import Capture, Origin, digest, dumps, loads
from wiretape.store.base import WIRE
from wiretape.store.directory import DirectoryStore
from wiretape.store.freezing import Frozen, freeze
from wiretape.tape.names import disambiguated_name

OTHER = SAMPLES["cerebras completions"]


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path)


def put(store: DirectoryStore, session: str, *paths: Path, take: str = "") -> None:
    for path in paths:
        store.write(session, path.stem + take, path.read_bytes(), replace=True)


def capture(store: DirectoryStore, session: str, path: Path, text: bytes = b"data: [DONE]\n\n") -> None:
    of = digest(store.read(session, path.stem) or b"")
    store.write(session, path.stem, dumps(Capture(of, 200, (), (text,), (1.0,))), replace=True, folder=WIRE)


def say(store: DirectoryStore, session: str, name: str, new: bytes = b"Howdy!") -> None:
    data = store.read(session, name) or b""
    assert b"Hello!" in data
    store.write(session, name, data.replace(b"Hello!", new), replace=True)


def files(store: DirectoryStore, session: str) -> dict[str, bytes]:
    root = store.root / session
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.json")}


def promote(store: DirectoryStore) -> PromotionPlan:
    made = plan(store, "new", "main")
    assert made.refusals == ()
    carry_out(store, made)
    again = plan(store, "new", "main")
    assert (again.steps, again.refusals) == ((), ())
    assert not compare(contents(store, "new"), contents(store, "main")).only_first
    return made


def test_into_an_empty_session(store: DirectoryStore) -> None:
    put(store, "new", *RESPONSES.iterdir())
    capture(store, "new", CHAT)
    before = files(store, "new")
    made = promote(store)
    assert (len(made.steps), made.same) == (4, 0)
    assert files(store, "new") == files(store, "main") == before
    assert len(before) == 5


def test_what_the_other_has_beside_it_stays(store: DirectoryStore) -> None:
    put(store, "new", CHAT)
    put(store, "main", OTHER)
    capture(store, "main", OTHER)
    promote(store)
    assert files(store, "main") == files(store, "new") | {
        f"responses/{OTHER.name}": OTHER.read_bytes(),
        f"wire/{OTHER.name}": store.read("main", OTHER.stem, WIRE),
    }


def test_what_is_replaced_is_shown_first(store: DirectoryStore) -> None:
    put(store, "new", CHAT, OTHER)
    put(store, "main", CHAT, OTHER)
    say(store, "new", CHAT.stem)
    made = promote(store)
    (step,) = made.steps
    assert step.replaced == (CHAT.stem,)
    assert "Hello!" in step.difference.partition(" -> ")[0]
    assert "Howdy!" in step.difference.partition(" -> ")[2]
    assert made.same == 1


def test_all_takes_are_replaced_together(store: DirectoryStore) -> None:
    put(store, "new", CHAT)
    say(store, "new", CHAT.stem)
    for take in ("", ".2", ".3"):
        put(store, "main", CHAT, take=take)
    store.write("main", f"{CHAT.stem}.2", b"{}", replace=False, folder=WIRE)
    (step,) = promote(store).steps
    assert step.removed == (f"{CHAT.stem}.2", f"{CHAT.stem}.3")
    assert files(store, "main") == files(store, "new")


def test_one_of_another_name_and_form_is_replaced(store: DirectoryStore) -> None:
    found = recording.loads(CHAT.read_bytes())
    old = recording.make(found.request, found.response, "2026")
    store.write("main", old.name, recording.dumps(old), replace=False)
    put(store, "new", CHAT)
    say(store, "new", CHAT.stem)
    (step,) = promote(store).steps
    assert step.removed == (old.name,)
    assert files(store, "main") == files(store, "new")


def test_the_old_capture_does_not_stay_with_a_new_recording(store: DirectoryStore) -> None:
    for session in ("new", "main"):
        put(store, session, CHAT)
    capture(store, "main", CHAT)
    say(store, "new", CHAT.stem)
    promote(store)
    assert store.read("main", CHAT.stem, WIRE) is None


def test_a_capture_that_is_void_is_left_behind(store: DirectoryStore) -> None:
    put(store, "new", CHAT)
    capture(store, "new", CHAT)
    say(store, "new", CHAT.stem)
    promote(store)
    assert store.read("main", CHAT.stem, WIRE) is None


def test_a_capture_goes_along(store: DirectoryStore) -> None:
    put(store, "new", CHAT)
    capture(store, "new", CHAT, b"as it came")
    promote(store)
    assert loads(store.read("main", CHAT.stem, WIRE) or b"").chunks == (b"as it came",)


@pytest.mark.parametrize("chunks", [(b"as it came",), None])
def test_who_made_a_recording_goes_along(store: DirectoryStore, chunks: tuple[bytes, ...] | None) -> None:
    put(store, "new", CHAT)
    made = Origin("ann", "2026-01-31T12:00:00Z", "curl/8.5.0", "0.1.0", 1234.5)
    at = (1.0,) if chunks else ()
    data = dumps(Capture(digest(CHAT.read_bytes()), 200, (), chunks, at, made))
    store.write("new", CHAT.stem, data, replace=False, folder=WIRE)
    promote(store)
    assert store.read("main", CHAT.stem, WIRE) == data
    assert loads(data).origin == made


def another(path: Path) -> recording.Recording:
    """A recording whose name in another host's session is the same."""
    found = recording.loads(path.read_bytes())
    url = found.request.url.replace("api.fireworks.ai", "eu.fireworks.ai")
    return replace(found, request=replace(found.request, url=url))


@pytest.mark.parametrize("take", ["", ".2"])
def test_one_whose_name_another_request_has_gets_the_second_name(store: DirectoryStore, take: str) -> None:
    other = another(CHAT)
    assert other.name == CHAT.stem
    store.write("main", CHAT.stem, recording.dumps(other), replace=False)
    put(store, "new", CHAT)
    if take:
        put(store, "new", CHAT, take=take)
    promote(store)
    name = disambiguated_name(CHAT.stem, identity(recording.loads(CHAT.read_bytes()).request)) + take
    assert store.read("main", name) == CHAT.read_bytes()
    assert store.read("main", CHAT.stem) == recording.dumps(other)


def test_a_file_that_is_no_recording_is_replaced_and_shown(store: DirectoryStore) -> None:
    put(store, "new", CHAT)
    store.write("main", CHAT.stem, b"{}", replace=False)
    (step,) = promote(store).steps
    assert step.difference == "no recording: no request"
    assert step.replaced == (CHAT.stem,)


# -- what may not be ---------------------------------------------------------------------------------------------------

SECRET = b"sk-" + b"a1B2" * 10


def refused(store: DirectoryStore, source: str = "new") -> tuple[str, ...]:
    before = files(store, "main")
    made = plan(store, source, "main")
    with pytest.raises(ValueError, match=r".+"):
        carry_out(store, made)
    assert files(store, "main") == before
    return made.refusals


def test_a_secret_is_refused_and_with_it_all(store: DirectoryStore) -> None:
    put(store, "new", CHAT, OTHER)
    say(store, "new", CHAT.stem, SECRET)
    (reason,) = refused(store)
    assert f"{CHAT.name}: a secret is in it" in reason
    assert SECRET.decode() not in reason


def test_a_secret_in_a_capture_is_refused(store: DirectoryStore) -> None:
    put(store, "new", CHAT)
    capture(store, "new", CHAT, SECRET)
    (reason,) = refused(store)
    assert f"wire/{CHAT.name}: a secret is in it" in reason


def test_a_broken_file_is_refused(store: DirectoryStore) -> None:
    put(store, "new", CHAT)
    store.write("new", "broken", b"{}", replace=False)
    (reason,) = refused(store)
    assert reason.endswith("broken.json: no request")


def test_what_is_there_already_is_not_looked_at_again(store: DirectoryStore) -> None:
    # A fault that both have is nobody's who promotes.
    for session in ("new", "main"):
        put(store, session, CHAT, OTHER)
        say(store, session, CHAT.stem, SECRET)
    assert plan(store, "new", "main").refusals == ()


def test_a_frozen_session_is_refused(store: DirectoryStore) -> None:
    put(store, "new", CHAT)
    freeze(store, "main", Frozen("ann"))
    assert refused(store) == ("session main is frozen",)


def test_a_frozen_source_is_not(store: DirectoryStore) -> None:
    put(store, "new", CHAT)
    freeze(store, "new", Frozen("ann"))
    promote(store)


def test_into_itself_is_refused(store: DirectoryStore) -> None:
    put(store, "main", CHAT)
    assert refused(store, "main") == ("main is to be promoted into itself",)


def test_what_was_recorded_after_the_look_is_not_copied(store: DirectoryStore) -> None:
    put(store, "new", CHAT)
    made = plan(store, "new", "main")
    say(store, "new", CHAT.stem, SECRET)
    with pytest.raises(ValueError, match="recorded anew meanwhile"):
        carry_out(store, made)
    assert files(store, "main") == {}


def test_one_that_was_cut_off_is_finished_by_the_next(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, "new", *RESPONSES.iterdir())
    capture(store, "new", CHAT)
    made = plan(store, "new", "main")
    write, calls = store.write, iter(range(100))

    def fails(*args: object, **named: object) -> bool:
        if next(calls) == 2:
            raise OSError("No space left on device")
        return write(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "write", fails)
    with pytest.raises(OSError, match="No space"):
        carry_out(store, made)
    assert len(contents(store, "main").takes) == 2
    monkeypatch.undo()
    promote(store)
    assert len(contents(store, "main").takes) == 4
