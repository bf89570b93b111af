"""A name in the place of another: always the same one for a key, a rule and a value."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from wiretape.redaction import pseudonyms


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(pseudonyms.VARIABLE, "0123456789abcdef")
    pseudonyms.key.cache_clear()
    yield
    pseudonyms.key.cache_clear()


def test_it_is_the_same_in_every_version() -> None:
    """Recordings hold them: with another number they would not be found any more."""
    assert pseudonyms.pseudonym("customer-{n}", "customer", "Jane Doe") == "customer-873726671448928"


def test_rule_value_and_key_make_another(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {
        pseudonyms.pseudonym("{n}", "a", "bc"),
        pseudonyms.pseudonym("{n}", "ab", "c"),
        pseudonyms.pseudonym("{n}", "a", "bd"),
        pseudonyms.pseudonym("{n}", "a", "b\ud800"),
    }
    monkeypatch.setenv(pseudonyms.VARIABLE, "another-key-of-16")
    pseudonyms.key.cache_clear()
    made.add(pseudonyms.pseudonym("{n}", "a", "bc"))
    assert len(made) == 5
    assert all(len(each) == 15 and each.isdecimal() for each in made)


def test_what_a_template_makes_is_known_again() -> None:
    made = pseudonyms.pseudonym("<c.{n}>", "c", "x")
    assert pseudonyms.known("<c.{n}>").fullmatch(made)
    assert not pseudonyms.known("<c.{n}>").fullmatch(made.replace(".", "-"))
    assert not pseudonyms.known("<c.{n}>").fullmatch("<c.123>")


def test_a_short_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(pseudonyms.VARIABLE, "0123456789abcde")
    with pytest.raises(ValueError, match="has at least 16 characters") as told:
        pseudonyms.key()
    assert "0123456789" not in str(told.value)


def test_a_machines_own_key_is_drawn_once_and_its_owners_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(pseudonyms.VARIABLE)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    drawn = pseudonyms.key()
    file = tmp_path / "wiretape" / "pseudonym.key"
    assert pseudonyms.key_file() == file
    assert file.read_bytes() == drawn
    assert len(drawn) == 64
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [*file.parent.iterdir()] == [file]
    pseudonyms.key.cache_clear()
    assert pseudonyms.key() == drawn


def test_where_none_can_be_kept_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.delenv(pseudonyms.VARIABLE)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(ValueError, match=f"set {pseudonyms.VARIABLE}"):
        pseudonyms.key()
