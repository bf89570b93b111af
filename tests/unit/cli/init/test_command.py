"""``wiretape init``: what is not there is written, and what is there stays."""

from pathlib import Path

import pytest

from wiretape.cli.init import templates
from wiretape.cli.init.command import init


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


OURS = {"wiretape.toml", ".gitattributes", ".gitignore"}


@pytest.mark.parametrize(
    ("there", "tests"),
    [
        ([], {"tests/test_wiretape.py"}),
        (["pyproject.toml"], {"tests/test_wiretape.py"}),
        (["test/other.py"], {"test/test_wiretape.py"}),
        (["package.json"], {"test/wiretape.test.mjs"}),
        (["package.json", "tests/a.mjs"], {"tests/wiretape.test.mjs"}),
        (["package.json", "pyproject.toml"], {"tests/test_wiretape.py", "test/wiretape.test.mjs"}),
    ],
)
def test_a_project_gets_a_test_in_its_language(there: list[str], tests: set[str], tmp_path: Path) -> None:
    for name in there:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert init(tmp_path) == 0
    assert files(tmp_path) == {*there} | OURS | tests
    for name in tests:
        assert f" {name}\n" in (tmp_path / name).read_text("utf-8"), "its head says how it is run"


def test_a_second_time_nothing_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    init(tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    capsys.readouterr()
    init(tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == before
    assert ": written\n" not in capsys.readouterr().out


def test_what_is_there_stays_and_what_would_be_written_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wiretape.toml").write_text("[session.main]\n", "utf-8")
    init(tmp_path)
    assert (tmp_path / "wiretape.toml").read_text("utf-8") == "[session.main]\n"
    printed = capsys.readouterr().out
    assert "wiretape.toml: is there already, and stays as it is" in printed
    for line in templates.WIRETAPE_TOML.splitlines():
        assert f"    {line}".rstrip() in printed


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"# C\na\nb\n"),
        (b"x", b"x\n# C\na\nb\n"),
        (b"x\r\ny", b"x\r\ny\r\n# C\r\na\r\nb\r\n"),
        (b"a\n", b"a\n# C\nb\n"),
        (b"b\r\n a \r\n", b"b\r\n a \r\n"),
        (b"\xff\n", b"\xff\n# C\na\nb\n"),
    ],
)
def test_lines_are_added_once_with_the_files_own_ends(
    before: bytes, after: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templates, "IGNORED", ("# C", "a", "b"))
    (tmp_path / ".gitignore").write_bytes(before)
    for _ in range(2):
        init(tmp_path)
        assert (tmp_path / ".gitignore").read_bytes() == after


def test_no_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no such directory"):
        init(tmp_path / "none")
    (tmp_path / ".gitignore").mkdir()
    with pytest.raises(ValueError, match=r"\.gitignore is no file"):
        init(tmp_path)
