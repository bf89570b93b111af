from pathlib import Path

from wiretape.store.directory import DirectoryStore
from wiretape.tape.indexes import Indexes


def test_a_session_has_one_index(tmp_path: Path) -> None:
    indexes = Indexes(DirectoryStore(tmp_path))
    assert indexes.of("a") is indexes.of("a")
    assert indexes.of("a") is not indexes.of("b")
    assert indexes.by_rules("a") is indexes.by_rules("a")
