"""What the tests of layers share: their recordings, their clock, and rigs that are closed after each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from layer_rig import Clock, Rigs
from samples import SAMPLES


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for name in ("fast_http1", "playing_stream", "direct_stream"):
        monkeypatch.setattr(f"wiretape.proxy.layers.{name}.now", clock)
    return clock


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    responses = tmp_path / "default" / "responses"
    responses.mkdir(parents=True)
    for path in SAMPLES.values():
        (responses / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.fixture(name="rigged")
def _rigged(folder: Path) -> Iterator[Rigs]:
    rigs = Rigs(folder)
    yield rigs
    rigs.close()
