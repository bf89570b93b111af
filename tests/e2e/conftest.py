"""What most end-to-end tests start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import Provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider on loopback for every host; a module may have one of its own."""
    with Provider() as provider:
        yield provider


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Where recordings are to go: a folder that is not there yet."""
    return tmp_path / "recordings"
