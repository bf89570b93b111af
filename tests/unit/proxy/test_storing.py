"""A store that cannot be, or cannot be written, is told by its option and with what to do."""

from pathlib import Path

import pytest
from mitmproxy import exceptions

from wiretape.exceptions import StoreAwayError
from wiretape.policy import Mode, Takes
from wiretape.proxy import storing
from wiretape.store.directory import DirectoryStore
from wiretape.store.opening import StoreUrl


def choice(_: str) -> tuple[Mode, Takes]:
    return Mode.RECORD, Takes.LAST


class Failing(DirectoryStore):
    """A store that cannot be written."""

    error: OSError

    def check_writable(self, session: str) -> None:
        raise self.error


def test_a_place_is_opened(tmp_path: Path) -> None:
    store = storing.open_store(StoreUrl(str(tmp_path), str(tmp_path / "local")), choice)
    assert store.url == str(tmp_path)
    storing.check_writable(store, "default")
    store.close()


def test_a_place_that_is_none_names_its_option() -> None:
    with pytest.raises(exceptions.OptionsError, match=r"^wiretape_recordings: ftp:// is no store"):
        storing.open_store(StoreUrl("ftp://a/b"), choice)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(28, "No space left on device"), "/recordings: cannot be written: No space left on device"),
        (StoreAwayError("s3://bucket: no such bucket"), "s3://bucket: no such bucket"),
    ],
)
def test_what_cannot_be_written_says_what_to_do(error: OSError, why: str) -> None:
    store = Failing(Path("/recordings"))
    store.error = error
    with pytest.raises(exceptions.OptionsError) as raised:
        storing.check_writable(store, "default")
    assert str(raised.value).startswith(f"wiretape_recordings: {why}. Nothing could be recorded: see to that")
    assert "wiretape_mode=replay" in str(raised.value)
