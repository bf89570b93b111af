"""Servers that the tests of several modules share."""

from collections.abc import Iterator

import pytest

from s3 import S3Server


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
