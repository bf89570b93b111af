"""Tapes over one store."""

from pathlib import Path
from typing import Any

import pytest

from builders import RecordingTape, Taped, tape_of
from wiretape.policy import Mode
from wiretape.store.directory import DirectoryStore


@pytest.fixture(name="taped")
def _taped(tmp_path: Path) -> Taped:
    """Tapes over one store."""

    def make(mode: Mode = Mode.REPLAY, session: str = "default", **more: Any) -> RecordingTape:
        return tape_of(DirectoryStore(tmp_path), session, mode, **more)

    return make
