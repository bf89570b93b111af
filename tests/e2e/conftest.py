"""What most end-to-end tests start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import Provider
from sharing import Shared

collect_ignore = ["sample_suite"]
"""It stands for a user's tests."""


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider on loopback for every host; a module may have one of its own."""
    with Provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def shared() -> Iterator[Shared]:
    """A proxy for all tests of a module that need no options of their own: each takes it with ``lent``."""
    with Shared() as proxy:
        yield proxy


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Where recordings are to go: a folder that is not there yet."""
    return tmp_path / "recordings"
