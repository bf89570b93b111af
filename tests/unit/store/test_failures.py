"""Which errors say that there is nothing, and which that it cannot be told."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wiretape.exceptions import StoreAwayError, StoreUnavailableError
from wiretape.store.failures import is_absent, told

OTHERS = ["EIO", "EMFILE", "ENFILE", "EACCES", "EPERM", "ELOOP", "ENOTDIR", "ESTALE", "ENOTCONN", "ETIMEDOUT", "ENOMEM"]


def error(name: str) -> OSError:
    number: int = getattr(errno, name)
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize("name", OTHERS)
def test_every_error_but_one_says_that_it_cannot_be_told(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / "a" / "b.json")
    assert not is_absent(error(name), path)
    problem = told(error(name), path)
    assert type(problem) is StoreUnavailableError
    assert not isinstance(problem, StoreAwayError), "the provider is not asked instead"
    assert str(problem) == f"{path}: cannot be read: {error(name).strerror}"


ABSENT: dict[str, Callable[[Path], object]] = {
    "nothing": lambda _: None,
    "the session": lambda root: root.mkdir(),
    "the folder": lambda root: (root / "session").mkdir(parents=True),
    "the file": lambda root: (root / "session" / "responses").mkdir(parents=True),
    "behind a link": lambda root: root.symlink_to("."),
}


@pytest.mark.parametrize("there", ABSENT)
def test_a_name_that_is_not_known_is_absent(there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ABSENT[there](tmp_path / "root")
    monkeypatch.chdir(tmp_path)
    for path in (str(tmp_path / "root" / "session" / "responses" / "a.json"), "root/session/responses/a.json"):
        assert is_absent(error("ENOENT"), path)


@pytest.mark.parametrize("place", ["root", "root/session", "root/session/responses", "root/session/responses/a.json"])
def test_what_a_link_points_to_may_come_back(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to("not/mounted")
    monkeypatch.chdir(tmp_path)
    for path in (str(tmp_path / "root" / "session" / "responses" / "a.json"), "root/session/responses/a.json"):
        assert not is_absent(error("ENOENT"), path)
