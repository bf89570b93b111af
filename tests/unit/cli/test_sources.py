"""What a command was asked to look at: all sessions or one, and what is said where there is none."""

from pathlib import Path

import pytest

from wiretape.cli.sources import source


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        (tmp_path / name / "responses").mkdir(parents=True)
        (tmp_path / name / "responses" / "1.json").write_text("{}")
    return tmp_path


def test_all_of_a_folder_or_one_session(root: Path) -> None:
    assert [each.below for each in source(str(root)).files()] == ["a/responses/1", "b/responses/1"]
    assert [each.below for each in source(str(root), "b").files()] == ["b/responses/1"]


def test_what_is_not_there_is_said(root: Path) -> None:
    with pytest.raises(ValueError, match="there is no such directory"):
        source(str(root / "none"))
    with pytest.raises(ValueError, match=r"no session c below .*; there are .*a, b"):
        source(str(root), "c")
    with pytest.raises(ValueError, match="A Session"):
        source(str(root), "A Session")
