"""How large a recording may be that a command looks at."""

from pathlib import Path

import pytest

from wiretape.cli.files import largest
from wiretape.cli.files_on_disk import OnDisk
from wiretape.exceptions import NotARecordingError
from wiretape.store.regular import LARGEST


def test_the_largest_recording_is_a_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WIRETAPE_MAX_RECORDING", raising=False)
    assert largest() == LARGEST
    monkeypatch.setenv("WIRETAPE_MAX_RECORDING", "10x")
    with pytest.raises(ValueError, match="WIRETAPE_MAX_RECORDING: '10x' is no size"):
        largest()
    monkeypatch.setenv("WIRETAPE_MAX_RECORDING", "10")
    (tmp_path / "1.json").write_text("more than ten bytes")
    with pytest.raises(NotARecordingError):
        OnDisk(tmp_path / "1.json", tmp_path).read()
