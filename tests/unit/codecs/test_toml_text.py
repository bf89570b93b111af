"""The text of a configuration, which a stranger may have written."""

import os
from pathlib import Path

import pytest

from wiretape.codecs import toml_text


def test_tables_are_read() -> None:
    assert toml_text.loads("x.toml", '[a.b]\nc = "d"') == {"a": {"b": {"c": "d"}}}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a = ", "not TOML"),
        ("a = " + "1" * 5000, "not TOML"),
        ("a = " + "[" * 5000, "nested too deeply"),
        (".".join("a" * 80) + " = 1", "more than 64 parts"),
        ("a" * (toml_text.LARGEST + 1), "longer than"),
    ],
)
def test_what_is_none_names_the_file(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=rf"^x\.toml: .*{why}"):
        toml_text.loads("x.toml", text)


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text("a = 'ä'", "utf-8")
    assert toml_text.read(file) == "a = 'ä'"


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", Path("/dev/zero")):
        with pytest.raises(OSError, match="no regular file"):
            toml_text.read(path)
    with pytest.raises(FileNotFoundError):
        toml_text.read(tmp_path / "none")
