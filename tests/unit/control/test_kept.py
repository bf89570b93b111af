"""What the store has of a session: each file is read once, and what is no recording is passed over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controlling import Told, told
from samples import CHAT
from wiretape.control.kept import KeptRecordings


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Told]:
    with told(tmp_path) as proxy:
        yield proxy


def test_a_file_is_read_once_as_long_as_it_is_as_it_is(proxy: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    store = proxy.store_
    kept = KeptRecordings()
    read: list[str] = []
    original = store.read

    def reading(session: str, name: str, *more: str) -> bytes | None:
        read.append(name)
        return original(session, name, *more)

    monkeypatch.setattr(store, "read", reading)
    (first,) = kept.of(store, "default")
    assert (first.name, first.session, first.endpoint) == (CHAT.stem, "default", "/v1/chat/completions")
    assert first.model
    assert read
    read.clear()
    assert kept.of(store, "default") == [first]
    assert read == []
    broken = Path(store.url) / "default" / "responses" / "broken.json"
    broken.write_text("{")
    assert kept.of(store, "default") == [first]
    assert {*read} == {"broken"}
