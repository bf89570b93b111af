"""Servers that the tests of several modules share, and the order in which they run."""

import atexit
import compileall
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from harness import ADDON
from s3 import S3Server
from wiretape.journal.folder import Journal

LONG = (
    "test_sample_suite.py",
    "test_cli.py",
    "test_wheel.py",
    "test_team.py",
    "test_sessions.py",
    "test_breakage.py",
    "test_isolation.py",
    "test_pytest_plugin.py",
    "test_layers.py",
    "test_serve.py",
)
"""The modules that take longest: begun last, one of them would run when all others are done."""


# An example may take as long as a busy machine needs. Each run draws others: fewer of them find as much in time.
settings.register_profile("patient", deadline=None, max_examples=50)
settings.load_profile("patient")

# Where Python may not write bytecode, what pytest makes of thousands of tests would be made anew each time.
sys.dont_write_bytecode = False


def pytest_configure(config: pytest.Config) -> None:
    """What is started here finds an empty home, has journals and notes beside the user's, and all go with the tests."""
    del config
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        os.environ[name] = folder = tempfile.mkdtemp(prefix="state-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in [name for name in os.environ if name.startswith("WIRETAPE_")]:
        del os.environ[name]
    # There a run replays, and fails where something has no recording: the tests say so themselves where they want that.
    os.environ.pop("CI", None)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the addon once: where Python may not write bytecode, every process of a test would do it again."""
    if not hasattr(session.config, "workerinput"):  # One of several that run tests: it is done already.
        compileall.compile_dir(ADDON.parent, quiet=2)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Leave the garbage of thousands of tests alone while they are read, and what is left of them afterwards."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores, as many tests wait for other processes."""
    del config
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long first: the long modules, then those with processes of their own."""
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: (places.get(item.path.name, len(LONG)), item.path.parent.name != "e2e"))


@pytest.fixture(scope="session")
def moto() -> Iterator[S3Server]:
    """An S3 server that honours the conditions of a write."""
    with S3Server("moto") as server:
        yield server


@pytest.fixture(scope="session")
def rclone() -> Iterator[S3Server]:
    """An S3 server that ignores them."""
    with S3Server("rclone") as server:
        yield server


@pytest.fixture
def s3(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server that the test is for, in the environment: indirect parametrization with its name."""
    server: S3Server = request.getfixturevalue(request.param)
    for name, value in server.env.items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture(name="journal")
def _journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
    """The journal of a proxy that runs, with room for a gigabyte."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    journal = Journal.create(1 << 30)
    yield journal
    journal.folder.remove()
    journal.release()
