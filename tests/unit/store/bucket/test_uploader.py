"""The thread that takes a spool up: again and again, never too often, until it is closed."""

import threading
from pathlib import Path

import pytest

from wiretape.exceptions import StoreUnavailableError
from wiretape.store.bucket.spool import Spool, SpooledName, Waiting
from wiretape.store.bucket.uploader import Uploader


@pytest.fixture(name="spool")
def _spool(tmp_path: Path) -> Spool:
    spool = Spool(tmp_path / "spool", 1 << 20)
    spool.add(SpooledName("team", "a", "responses", False), b"x")
    return spool


class Bucket:
    """Fails so many times, and then takes all."""

    def __init__(self, failures: int, error: Exception | None = None) -> None:
        self.left = failures
        self.error = error or StoreUnavailableError("away")
        self.names: list[str] = []
        self.asked = threading.Semaphore(0)

    def __call__(self, waiting: Waiting) -> None:
        self.asked.release()
        if self.left:
            self.left -= 1
            raise self.error
        self.names.append(waiting.address.name)


@pytest.mark.parametrize("error", [StoreUnavailableError("away"), OSError("disk"), RuntimeError("a fault of ours")])
def test_tries_again_until_it_is_done(spool: Spool, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    bucket = Bucket(3, error)
    drainer = Uploader(spool, bucket, first=0.01, longest=0.05)
    drainer.wake()
    assert drainer.wait_until_empty(10)
    assert bucket.names == ["a"]
    assert str(error) in caplog.text
    drainer.close()


def test_one_outage_is_said_once(spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
    drainer = Uploader(spool, Bucket(5), first=0.001, longest=0.002)
    drainer.wake()
    assert drainer.wait_until_empty(10)
    drainer.close()
    assert caplog.text.count("waits in") == 1


def test_what_is_added_goes_up_at_once(spool: Spool) -> None:
    bucket = Bucket(0)
    drainer = Uploader(spool, bucket)
    drainer.wake()
    assert drainer.wait_until_empty(10)
    for name in ("b", "c"):
        spool.add(SpooledName("team", name, "responses", False), b"x")
        drainer.wake()
        assert drainer.wait_until_empty(2)
    assert bucket.names == ["a", "b", "c"]
    drainer.close()


def test_closing_tries_what_is_left_and_does_not_wait_for_the_bucket(spool: Spool) -> None:
    bucket = Bucket(0)
    Uploader(spool, bucket).close()
    assert bucket.names == ["a"]

    spool.add(SpooledName("team", "b", "responses", False), b"x")
    away = Bucket(1000)
    drainer = Uploader(spool, away, first=60, longest=60)
    drainer.wake()
    away.asked.acquire()
    drainer.close()
    drainer.close()
    drainer.wake()
    assert spool.pending == 1
    assert away.left == 999
    assert not drainer.wait_until_empty(0)
