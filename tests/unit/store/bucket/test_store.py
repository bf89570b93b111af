"""Proxies that share a bucket: what one wrote another serves; two write at once; the bucket goes away and is back."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

import s3
from s3 import Clock, S3Server
from wiretape.exceptions import StoreUnavailableError
from wiretape.store.base import WIRE
from wiretape.store.bucket.circuit_breaker import CircuitBreaker
from wiretape.store.bucket.client import ObjectClient
from wiretape.store.bucket.objects import Objects
from wiretape.store.bucket.spool import Spool, SpooledName
from wiretape.store.bucket.store import BucketStore
from wiretape.store.freezing import Frozen, freeze

both = pytest.mark.parametrize("s3", ["moto", "rclone"], indirect=True)
conditional = pytest.mark.parametrize("s3", ["moto"], indirect=True)
unconditional = pytest.mark.parametrize("s3", ["rclone"], indirect=True)


@pytest.fixture(name="prefix")
def _prefix() -> str:
    return f"bucket/{uuid4().hex}"


@pytest.fixture(name="away")
def _away(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """A server of the test's own, to be killed. Its objects are files."""
    with S3Server("rclone") as server:
        for name, value in server.env.items():
            monkeypatch.setenv(name, value)
        yield server


def together(*tasks: Callable[[], object]) -> None:
    """Run callables in threads that start at once; the first error is raised."""
    barrier = threading.Barrier(len(tasks))

    def run(task: Callable[[], object]) -> None:
        barrier.wait()
        task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        for future in [pool.submit(run, task) for task in tasks]:
            future.result()


class TestVisibility:
    @both
    def test_what_another_wrote_is_there_at_once_where_nobody_looked_before(self, s3: S3Server, prefix: str) -> None:
        one, other = _stores(prefix, 2)
        one.write("team", "abc", b"x", replace=False)
        assert other.read("team", "abc") == b"x"
        assert other.scan("team").keys() == {"abc"}

    @both
    def test_within_two_seconds_where_one_looked_before(self, s3: S3Server, prefix: str) -> None:
        clock = Clock()
        writer, reader = s3_store(prefix), s3_store(prefix, clock=clock)
        assert reader.read("team", "abc") is None
        writer.write("team", "abc", b"first", replace=False)
        clock.now += 1.0
        assert reader.read("team", "abc") is None, "nothing is asked again within the time"
        clock.now += 0.9
        assert reader.read("team", "abc") == b"first"
        writer.write("team", "abc", b"second", replace=True)
        clock.now += 1.9
        assert reader.read("team", "abc") == b"second"
        writer.remove("team", "abc")
        clock.now += 1.9
        assert reader.read("team", "abc") is None

    @both
    def test_at_once_after_a_refresh_of_the_session(self, s3: S3Server, prefix: str) -> None:
        clock = Clock()
        writer, reader = s3_store(prefix), s3_store(prefix, clock=clock)
        assert reader.read("team", "abc") is None
        assert reader.read("other", "abc") is None
        writer.write("team", "abc", b"x", replace=False)
        writer.write("other", "abc", b"x", replace=False)
        reader.refresh("team")
        assert reader.read("team", "abc") == b"x"
        assert reader.read("other", "abc") is None

    @both
    def test_what_was_written_here_is_there_at_once(self, s3: S3Server, prefix: str) -> None:
        store = s3_store(prefix, clock=Clock())
        assert store.read("team", "abc") is None
        store.write("team", "abc", b"x", replace=False)
        assert store.read("team", "abc") == b"x"


class TestWritesAtOnce:
    @conditional
    def test_one_proxy_wins_and_the_others_adopt_it(self, s3: S3Server, prefix: str) -> None:
        stores = _stores(prefix, 6)
        for round_ in range(5):
            name = f"abc.{round_}"
            contents = [f"{number}".encode() * 20_000 for number in range(6)]
            won: list[bytes] = []
            served: list[bytes | None] = []

            def write(store: BucketStore, data: bytes, name: str = name, won: list[bytes] = won) -> None:
                if store.write("team", name, data, replace=False):
                    won.append(data)

            def read(store: BucketStore, name: str = name, served: list[bytes | None] = served) -> None:
                served.append(store.read("team", name))

            together(*(partial(write, store, data) for store, data in zip(stores, contents, strict=True)))
            assert len(won) == 1
            together(*(partial(read, store) for store in stores))
            assert set(served) == {won[0]}

    @conditional
    def test_a_replacement_of_what_was_replaced_meanwhile_is_refused(self, s3: S3Server, prefix: str) -> None:
        one, other = s3_store(prefix, clock=Clock()), s3_store(prefix, clock=Clock())
        one.write("team", "abc", b"first", replace=False)
        assert other.read("team", "abc") == b"first"
        assert one.write("team", "abc", b"of one", replace=True)
        assert not other.write("team", "abc", b"of the other", replace=True)
        assert other.read("team", "abc") == b"of one"
        assert other.write("team", "abc", b"of the other", replace=True)

    @unconditional
    def test_without_conditions_the_same_but_for_a_small_gap(
        self, s3: S3Server, prefix: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        one, other = s3_store(prefix, clock=Clock()), s3_store(prefix, clock=Clock())
        one.start()
        assert "two proxies that record the same request at once, the last wins" in caplog.text
        assert other.read("team", "abc") is None
        assert one.write("team", "abc", b"first", replace=False)
        assert not other.write("team", "abc", b"second", replace=False)
        assert other.read("team", "abc") == b"first"
        assert one.write("team", "abc", b"of one", replace=True)
        assert not other.write("team", "abc", b"of the other", replace=True)
        assert other.read("team", "abc") == b"of one"

    @unconditional
    def test_without_conditions_no_reader_sees_a_part(self, s3: S3Server, prefix: str) -> None:
        contents = {bytes([letter]) * size for letter in b"abc" for size in (400_000, 2_000_000)}
        stores = _stores(prefix, 4)
        for store in stores:
            store.start()
        stores[0].write("team", "abc", b"a" * 400_000, replace=False)
        torn: list[int] = []

        def write(store: BucketStore) -> None:
            for content in contents:
                store.write("team", "abc", content, replace=True)

        def read(store: BucketStore) -> None:
            for _ in range(40):
                store.refresh("team")
                try:
                    data = store.read("team", "abc")
                except StoreUnavailableError:
                    continue
                if data is not None and data not in contents:
                    torn.append(len(data))

        together(
            *(lambda store=store: write(store) for store in stores[:2]), *(lambda s=s: read(s) for s in stores[2:])
        )
        assert not torn


def who_waits(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each question from now on, whether it is put to the bucket: where not, nobody waits."""
    allows = CircuitBreaker.allows
    asked: list[bool] = []

    def noted(breaker: CircuitBreaker, key: str) -> bool:
        asked.append(allows(breaker, key))
        return asked[-1]

    monkeypatch.setattr(CircuitBreaker, "allows", noted)
    return asked


class TestAway:
    @pytest.mark.parametrize("how", ["stopped", "killed"])
    def test_a_look_up_says_that_it_cannot_in_bounded_time(
        self, away: S3Server, prefix: str, how: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = s3_store(prefix, timeout=0.3)
        store.write("team", "abc", b"x", replace=False)
        (away.stop if how == "stopped" else away.kill)()
        waited = who_waits(monkeypatch)
        questions: list[Callable[[], object]] = [
            lambda: store.read("team", "other"),
            lambda: store.state("team", "other"),
            lambda: store.exists("team", "other"),
            lambda: store.scan("team"),
            store.sessions,
            lambda: store.remove("team", "other"),
            lambda: store.write("team", "other", b"x", replace=False),
        ]
        for question in 5 * questions:
            with pytest.raises(StoreUnavailableError, match=f"s3://{s3.BUCKET}/{prefix}"):
                question()
        assert waited.count(True) < waited.count(False), "after two failures one at a time finds out whether it is back"
        if how == "stopped":
            away.go_on()
        else:
            away.start()
        assert _comes(lambda: store.read("team", "other") is None)
        assert store.read("team", "abc") == b"x"

    def test_what_was_read_before_is_served_and_what_was_missing_is_not_missing(
        self, away: S3Server, prefix: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        clock = Clock()
        store = s3_store(prefix, timeout=0.3, clock=clock)
        store.write("team", "abc", b"x", replace=False)
        assert store.read("team", "other") is None
        away.kill()
        clock.now += 60
        assert store.read("team", "abc") == b"x"
        assert store.state("team", "abc") is not None
        assert caplog.text.count("as it was then") == 1
        with pytest.raises(StoreUnavailableError):
            store.read("team", "other")

    def test_recordings_wait_are_served_here_and_go_up(self, away: S3Server, prefix: str, tmp_path: Path) -> None:
        store = s3_store(prefix, spool=tmp_path / "spool", timeout=0.3)
        store.start()
        store.write("team", "before", b"x", replace=False)
        away.kill()
        for number in range(5):
            assert store.write("team", f"n{number}", f"{number}".encode() * 10_000, replace=False)
            assert store.write("team", f"n{number}", b"c", replace=True, folder=WIRE)
        assert store.write("team", "n0", b"again" * 10_000, replace=True)
        assert store.read("team", "n0") == b"again" * 10_000
        assert store.read("team", "n4", WIRE) == b"c"
        assert store.exists("team", "n4")
        assert store.state("team", "n4") != store.state("team", "n3")
        assert store.waiting == 11
        away.start()
        assert store.wait_until_up(60)
        other = s3_store(prefix)
        assert other.scan("team").keys() == {"before", "n0", "n1", "n2", "n3", "n4"}
        assert other.read("team", "n0") == b"again" * 10_000
        assert all(other.read("team", f"n{n}") == f"{n}".encode() * 10_000 for n in range(1, 5))
        assert all(other.read("team", f"n{n}", WIRE) == b"c" for n in range(5))
        assert store.read("team", "n3") == b"3" * 10_000
        store.close()

    def test_what_waits_for_a_frozen_session_does_not_go_up(
        self, away: S3Server, prefix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        freeze(s3_store(prefix), "team", Frozen("ann"))
        store = s3_store(prefix, spool=tmp_path / "spool", timeout=0.3)  # It has not seen the mark.
        store.start()
        away.kill()
        assert store.write("team", "abc", b"x", replace=False)
        assert store.write("other", "abc", b"x", replace=False)
        away.start()
        assert store.wait_until_up(60)
        assert s3_store(prefix).read("team", "abc") is None
        assert s3_store(prefix).read("other", "abc") == b"x"
        assert "RECORDING LOST" in caplog.text
        store.close()

    def test_a_stopped_server_loses_nothing_either(
        self, away: S3Server, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = s3_store(prefix, spool=tmp_path / "spool", timeout=0.3)
        store.start()
        away.stop()
        waited = who_waits(monkeypatch)
        for number in range(30):
            store.write("team", f"n{number}", b"x", replace=False)
        assert waited.count(True) < waited.count(False)
        away.go_on()
        assert store.wait_until_up(60)
        assert len(s3_store(prefix).scan("team")) == 30
        store.close()

    def test_writers_through_an_outage_lose_and_tear_nothing(self, away: S3Server, prefix: str, tmp_path: Path) -> None:
        stores = [s3_store(prefix, spool=tmp_path / f"{n}" / "spool", timeout=0.3) for n in range(3)]
        third = threading.Semaphore(0)

        def write(number: int, store: BucketStore) -> None:
            for count in range(30):
                data = f"{number}/{count} ".encode() * 3000
                assert store.write(f"team{number}", f"n{count}", data, replace=False)
                third.release()

        def outage() -> None:
            for _ in range(30):
                third.acquire()
            away.kill()
            for _ in range(30):
                third.acquire()
            away.start()

        together(*(partial(write, number, store) for number, store in enumerate(stores)), outage)
        reader = s3_store(prefix)
        for number, store in enumerate(stores):
            assert store.wait_until_up(60)
            store.close()
            assert len(reader.scan(f"team{number}")) == 30
            for count in range(30):
                assert reader.read(f"team{number}", f"n{count}") == f"{number}/{count} ".encode() * 3000

    def test_a_full_spool_is_an_error(self, away: S3Server, prefix: str, tmp_path: Path) -> None:
        store = s3_store(prefix, spool=tmp_path / "spool", spool_limit=10_000, timeout=0.3)
        away.kill()
        assert store.write("team", "a", b"x" * 6000, replace=False)
        with pytest.raises(OSError, match="the spool is full"):
            store.write("team", "b", b"x" * 6000, replace=False)
        assert store.read("team", "a") == b"x" * 6000
        store.close()

    def test_what_a_killed_process_left_goes_up_at_the_next_start(
        self, away: S3Server, prefix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        Spool(tmp_path / "spool", 1 << 20).add(SpooledName("team", "abc", "responses", False), b"left")
        (tmp_path / "spool" / ".wiretape-00000000-1-x.tmp").write_bytes(b"torn")
        store = s3_store(prefix, spool=tmp_path / "spool")
        assert store.read("team", "abc") == b"left"
        assert store.scan("team").keys() == {"abc"}
        assert store.sessions() == ["team"]
        store.start()
        assert store.wait_until_up(60)
        assert s3_store(prefix).read("team", "abc") == b"left"
        assert "1 file waits" in caplog.text
        store.close()

    def test_two_processes_share_a_spool(self, away: S3Server, prefix: str, tmp_path: Path) -> None:
        proxy = s3_store(prefix, spool=tmp_path / "spool", timeout=0.3)
        writer = s3_store(prefix, spool=tmp_path / "spool", timeout=0.3)
        assert proxy.read("team", "abc") is None
        away.kill()
        writer.write("team", "abc", b"x", replace=False)
        writer.close()
        proxy.refresh("team")
        assert proxy.read("team", "abc") == b"x"
        away.start()
        proxy.start()
        assert proxy.wait_until_up(60)
        assert proxy.read("team", "abc") == b"x"
        proxy.close()


class TestSettling:
    @both
    def test_what_another_recorded_meanwhile_stays(self, s3: S3Server, prefix: str, tmp_path: Path) -> None:
        store = self._with_waiting(prefix, tmp_path, None)
        assert store.read("team", "abc") == b"theirs", "the bucket goes before what waits"
        self._up(store)
        assert s3_store(prefix).read("team", "abc") == b"theirs"
        assert s3_store(prefix).read("team", "abc", WIRE) is None

    @both
    def test_another_requests_recording_sends_ours_elsewhere(self, s3: S3Server, prefix: str, tmp_path: Path) -> None:
        def settle(session: str, name: str, ours: bytes, theirs: bytes) -> str | None:
            assert (session, ours, theirs) == ("team", b"ours", b"theirs")
            return f"{name}-2"

        self._up(self._with_waiting(prefix, tmp_path, settle))
        reader = s3_store(prefix)
        assert reader.read("team", "abc") == b"theirs"
        assert reader.read("team", "abc-2") == b"ours"
        assert reader.read("team", "abc-2", WIRE) == b"capture of ours"
        assert reader.read("team", "abc", WIRE) is None

    @both
    def test_a_take_goes_behind_however_many_there_are(self, s3: S3Server, prefix: str, tmp_path: Path) -> None:
        def settle(session: str, name: str, ours: bytes, theirs: bytes) -> str | None:
            base, _, number = name.partition(".")
            return f"{base}.{int(number or 1) + 1}"

        store = self._with_waiting(prefix, tmp_path, settle)
        for number in range(2, 9):
            s3_store(prefix).write("team", f"abc.{number}", b"theirs", replace=False)
        self._up(store)
        assert s3_store(prefix).read("team", "abc.9") == b"ours"
        assert s3_store(prefix).read("team", "abc.9", WIRE) == b"capture of ours"

    @both
    def test_what_had_arrived_after_all_is_not_written_again(self, s3: S3Server, prefix: str, tmp_path: Path) -> None:
        s3_store(prefix).write("team", "abc", b"ours", replace=False)
        before = s3_store(prefix).state("team", "abc")
        spool = Spool(tmp_path / "spool", 1 << 20)
        spool.add(SpooledName("team", "abc", "responses", False), b"ours")
        self._up(s3_store(prefix, spool=tmp_path / "spool"))
        assert s3_store(prefix).state("team", "abc") == before

    @both
    def test_a_replacement_replaces_what_is_older(self, s3: S3Server, prefix: str, tmp_path: Path) -> None:
        s3_store(prefix).write("team", "abc", b"old", replace=False)
        spool = Spool(tmp_path / "spool", 1 << 20)
        spool.add(SpooledName("team", "abc", "responses", True), b"new")
        self._up(s3_store(prefix, spool=tmp_path / "spool"))
        assert s3_store(prefix).read("team", "abc") == b"new"

    @staticmethod
    def _with_waiting(prefix: str, tmp_path: Path, settle: object) -> BucketStore:
        spool = Spool(tmp_path / "spool", 1 << 20)
        spool.add(SpooledName("team", "abc", "responses", False), b"ours")
        spool.add(SpooledName("team", "abc", WIRE, True), b"capture of ours")
        s3_store(prefix).write("team", "abc", b"theirs", replace=False)
        return s3_store(prefix, spool=tmp_path / "spool", settle=settle)

    @staticmethod
    def _up(store: BucketStore) -> None:
        store.start()
        assert store.wait_until_up(60)
        store.close()


class TestCaches:
    @both
    def test_memory_is_bounded(self, s3: S3Server, prefix: str) -> None:
        store = s3_store(prefix, memory=50_000)
        for number in range(20):
            store.write("team", f"n{number}", b"x" * 10_000, replace=False)
            store.read("team", f"none{number}")
            assert store._objects.memory <= 50_000
        assert store.write("team", "large", b"x" * 60_000, replace=False)
        assert store.read("team", "large") == b"x" * 60_000
        assert store.read("team", "n0") == b"x" * 10_000
        assert store._objects.memory <= 50_000

    def test_a_disk_cache_serves_while_the_bucket_is_away(self, away: S3Server, prefix: str, tmp_path: Path) -> None:
        s3_store(prefix).write("team", "abc", b"x", replace=False)
        assert s3_store(prefix, cache=tmp_path / "cache").read("team", "abc") == b"x"
        s3_store(prefix).write("team", "abc", b"y", replace=True)
        later = s3_store(prefix, cache=tmp_path / "cache", timeout=0.3)
        assert later.read("team", "abc") == b"y", "it is believed only when the bucket confirms it"
        away.kill()
        last = s3_store(prefix, cache=tmp_path / "cache", timeout=0.3)
        assert last.read("team", "abc") == b"y"
        with pytest.raises(StoreUnavailableError):
            last.read("team", "other")


def s3_store(prefix: str, **options: object) -> BucketStore:
    return s3.store(prefix, **options)  # type: ignore[arg-type]


def _stores(prefix: str, number: int) -> list[BucketStore]:
    return [s3_store(prefix) for _ in range(number)]


def _comes(holds: Callable[[], object]) -> bool:
    """Whether something holds that cannot be told for a moment more."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            return bool(holds())
        except StoreUnavailableError:
            threading.Event().wait(0.05)
    return False


class TestAtAStart:
    @conditional
    def test_a_bucket_that_is_none_is_told(self, s3: S3Server, prefix: str) -> None:
        s3_store(prefix).check_writable("team")
        remote = ObjectClient("s3://no-such-bucket", 2.0)
        none = BucketStore(remote, Objects(remote, memory=0))
        with pytest.raises(StoreUnavailableError, match="404 NoSuchBucket"):
            none.check_writable("team")

    def test_one_that_does_not_answer_may_be_back(self, away: S3Server, prefix: str) -> None:
        bucket = s3_store(prefix)
        away.stop()
        bucket.check_writable("team")
