"""What waited in a spool goes up: where it belongs, beside what another proxy wrote first, or not at all."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from s3 import Clock
from wiretape.exceptions import StoreUnavailableError
from wiretape.store.bucket.capabilities import Capabilities
from wiretape.store.bucket.client import ObjectClient
from wiretape.store.bucket.objects import Objects
from wiretape.store.bucket.spool import Spool, SpooledName, Waiting
from wiretape.store.bucket.take_up import Settle, TakeUp, goes_before
from wiretape.store.bucket.versions import Condition, StoredObject, Unchanged, Version

NOW = datetime.now(UTC)
BEFORE = NOW - timedelta(hours=1)
LATER = NOW + timedelta(hours=1)


class Held(ObjectClient):
    """A bucket in memory that honours conditions. Each of ``first`` is written by another right before a write."""

    def __init__(self, held: Mapping[str, bytes], modified: datetime, first: Sequence[bytes] = ()) -> None:
        self.url = "s3://b"
        self.first = [*first]
        self.modified = modified
        self.held = {key: self._stored(data) for key, data in held.items()}

    def _stored(self, data: bytes) -> StoredObject:
        return StoredObject(data, Version(f'"{data.hex()}-1"', None, len(data), self.modified))

    def get(self, key: str, known: Version | None = None) -> StoredObject | Unchanged | None:
        return self.held.get(key)

    def put(self, key: str, data: bytes, condition: Condition | Version) -> Version | None:
        if self.first:
            self.held[key] = self._stored(self.first.pop(0))
        there = self.held.get(key)
        expected = condition if isinstance(condition, Version) else None
        if (there and there.version) != expected:
            return None
        self.held[key] = self._stored(data)
        return self.held[key].version

    def files(self) -> dict[str, bytes]:
        return {key: each.data for key, each in self.held.items()}


def beside(session: str, name: str, ours: bytes, theirs: bytes) -> str | None:
    return f"{name}-2"


def dropped(session: str, name: str, ours: bytes, theirs: bytes) -> str | None:
    return None


def take_up(remote: Held, spool: Spool, settle: Settle | None, *, is_frozen: bool = False) -> None:
    objects = Objects(remote, clock=Clock(), kind=Capabilities(creates=True, updates=True, tells_md5=False))
    taking = TakeUp(
        objects,
        spool,
        settle,
        is_frozen=lambda _: is_frozen,
        where=lambda session, name, folder: f"s3://b/{session}/{folder}/{name}.json",
    )
    spool.drain(taking.put)


@pytest.fixture(name="spool")
def _spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", 1 << 20)


RECORDING = "team/responses/a.json"
SECOND = "team/responses/a-2.json"


@pytest.mark.parametrize(
    ("there", "replace", "modified", "settle", "after"),
    [
        ({}, False, BEFORE, beside, {RECORDING: b"ours"}),
        ({}, True, BEFORE, beside, {RECORDING: b"ours"}),
        ({RECORDING: b"ours"}, False, BEFORE, beside, {RECORDING: b"ours"}),
        ({RECORDING: b"theirs"}, True, BEFORE, beside, {RECORDING: b"ours"}),
        ({RECORDING: b"theirs"}, True, LATER, beside, {RECORDING: b"theirs", SECOND: b"ours"}),
        ({RECORDING: b"theirs"}, False, BEFORE, beside, {RECORDING: b"theirs", SECOND: b"ours"}),
        ({RECORDING: b"theirs"}, False, BEFORE, dropped, {RECORDING: b"theirs"}),
        ({RECORDING: b"theirs"}, False, BEFORE, None, {RECORDING: b"theirs"}),
        (
            {RECORDING: b"theirs", SECOND: b"ours"},
            False,
            BEFORE,
            beside,
            {RECORDING: b"theirs", SECOND: b"ours"},
        ),
    ],
)
def test_where_an_entry_goes(
    there: Mapping[str, bytes],
    replace: bool,
    modified: datetime,
    settle: Settle | None,
    after: Mapping[str, bytes],
    *,
    spool: Spool,
) -> None:
    spool.add(SpooledName("team", "a", "responses", replace), b"ours")
    remote = Held(there, modified)
    take_up(remote, spool, settle)
    assert remote.files() == after
    assert spool.pending == 0


@pytest.mark.parametrize(
    ("settle", "captures"),
    [(beside, {"team/wire/a-2.json": b"wire"}), (dropped, {})],
)
def test_a_capture_goes_where_its_recording_went(settle: Settle, captures: Mapping[str, bytes], spool: Spool) -> None:
    spool.add(SpooledName("team", "a", "responses", False), b"ours")
    spool.add(SpooledName("team", "a", "wire", False), b"wire")
    remote = Held({RECORDING: b"theirs"}, BEFORE)
    take_up(remote, spool, settle)
    take_up(remote, spool, settle)  # What got a new name waits anew.
    assert {key: data for key, data in remote.files().items() if "/wire/" in key} == captures
    assert spool.pending == 0


def test_a_capture_of_another_stays_and_gets_no_second_one(spool: Spool) -> None:
    spool.add(SpooledName("team", "a", "wire", False), b"ours")
    remote = Held({"team/wire/a.json": b"theirs"}, BEFORE)
    take_up(remote, spool, beside)
    assert remote.files() == {"team/wire/a.json": b"theirs"}
    assert spool.pending == 0


def test_of_entries_of_one_name_the_newest_goes_up_whatever_the_clock_of_the_server(spool: Spool) -> None:
    for data in (b"1", b"2", b"3"):
        spool.add(SpooledName("team", "a", "responses", True), data)
    remote = Held({}, LATER)
    take_up(remote, spool, beside)
    assert remote.files() == {RECORDING: b"3"}


def test_an_entry_replaces_what_this_proxy_wrote_a_moment_ago(spool: Spool) -> None:
    spool.add(SpooledName("team", "a", "responses", False), b"1")
    spool.add(SpooledName("team", "other", "responses", False), b"other")
    remote = Held({}, LATER)
    objects = Objects(remote, clock=Clock(), kind=Capabilities(creates=True, updates=True, tells_md5=False))
    taking = TakeUp(objects, spool, beside, is_frozen=lambda _: False, where=lambda *words: "/".join(words))
    first, other = spool.entries()
    taking.put(first)
    first.path.unlink()
    spool.add(SpooledName("team", "a", "responses", True), b"2")
    taking.put(other)
    *_, second = spool.entries()
    taking.put(second)
    assert remote.files() == {RECORDING: b"2", "team/responses/other.json": b"other"}


@pytest.mark.parametrize("folder", ["responses", "wire"])
def test_what_waits_for_a_frozen_session_is_lost_and_said(
    folder: str, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    spool.add(SpooledName("team", "a", folder, False), b"ours")
    remote = Held({}, BEFORE)
    take_up(remote, spool, beside, is_frozen=True)
    assert remote.files() == {}
    assert f"RECORDING LOST: s3://b/team/{folder}/a.json: the session is frozen" in caplog.text


def test_the_mark_of_a_frozen_session_goes_up(spool: Spool) -> None:
    spool.add(SpooledName("team", "frozen", ".wiretape", False), b"{}")
    remote = Held({}, BEFORE)
    take_up(remote, spool, beside, is_frozen=True)
    assert remote.files() == {"team/.wiretape/frozen.json": b"{}"}


def test_who_loses_a_race_looks_again(spool: Spool) -> None:
    spool.add(SpooledName("team", "a", "responses", False), b"ours")
    remote = Held({}, BEFORE, first=[b"theirs"])
    take_up(remote, spool, beside)
    assert remote.files() == {RECORDING: b"theirs", SECOND: b"ours"}


def test_where_others_write_all_the_time_the_entry_waits(spool: Spool) -> None:
    spool.add(SpooledName("team", "a", "responses", True), b"ours")
    remote = Held({}, BEFORE, first=[b"%d" % number for number in range(9)])
    with pytest.raises(StoreUnavailableError, match=r"^s3://b/team/responses/a\.json: others write there"):
        take_up(remote, spool, beside)
    assert spool.pending == 1


def waiting(*, replace: bool) -> Waiting:
    return Waiting(Path("entry"), SpooledName("team", "a", "responses", replace), NOW)


@pytest.mark.parametrize(
    ("entry", "modified", "is_before"),
    [
        (None, BEFORE, False),
        (waiting(replace=False), BEFORE, False),
        (waiting(replace=False), None, False),
        (waiting(replace=True), BEFORE, True),
        (waiting(replace=True), NOW, False),
        (waiting(replace=True), LATER, False),
        (waiting(replace=True), None, True),
    ],
)
def test_an_entry_goes_before_what_it_replaces_and_is_older(
    entry: Waiting | None, modified: datetime | None, is_before: bool
) -> None:
    assert goes_before(entry, Version('"e"', None, 1, modified)) is is_before
