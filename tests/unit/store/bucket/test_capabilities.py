"""What a server can do, found out by trying."""

import time

import pytest

import s3
from s3 import S3Server
from wiretape.exceptions import StoreAwayError, StoreUnavailableError
from wiretape.store.bucket.capabilities import Capabilities, clock, probe
from wiretape.store.bucket.client import ObjectClient
from wiretape.store.bucket.versions import Condition, StoredObject, Unchanged, Version

PREFIX = "probe"


@pytest.mark.parametrize(
    ("s3", "kind"),
    [("moto", Capabilities(True, True, True)), ("rclone", Capabilities(False, False, True))],
    indirect=["s3"],
)
def test_both_kinds_are_told_apart_and_nothing_is_left(s3: S3Server, kind: Capabilities) -> None:
    remote = remote_of(PREFIX)
    assert probe(remote) == kind
    assert remote.objects("") == {}
    assert [key for key in remote_of("").folders() if "probe-" in key] == []
    told = clock(remote)
    assert told is not None
    assert abs(told.timestamp() - time.time()) < 3600, "it is the server's, of this machine"
    assert remote.objects("") == {}


def test_what_cannot_be_kept_is_named() -> None:
    assert Capabilities(True, True, False).cannot() == []
    assert len(Capabilities(True, False, True).cannot()) == 1
    assert any("record the same request at once" in sentence for sentence in Capabilities(False, True, True).cannot())


class Refusing(ObjectClient):
    """A server that has never heard of conditions, and says so."""

    def __init__(self, status: int) -> None:
        self.url = "s3://b"
        self.status = status
        self.held: dict[str, bytes] = {}

    def get(self, key: str, known: Version | None = None) -> StoredObject | Unchanged | None:
        data = self.held.get(key)
        return None if data is None else StoredObject(data, Version('"e"', None, len(data)))

    def put(self, key: str, data: bytes, condition: Condition | Version) -> Version | None:
        if condition is not Condition.NONE:
            raise StoreAwayError("of 400 objects 501 are in the way: NotSupported", status=self.status)
        self.held[key] = data
        return Version('"e"', None, len(data))

    def delete(self, key: str) -> None:
        raise StoreAwayError("the server answers 403", status=403)


@pytest.mark.parametrize("status", [501, 400])
def test_a_server_that_refuses_conditions_does_not_honour_them(status: int, caplog: pytest.LogCaptureFixture) -> None:
    assert probe(Refusing(status)) == Capabilities(False, False, False)
    assert "403" in caplog.text, "what cannot be deleted is said"
    assert clock(Refusing(status)) is None, "it does not tell"


@pytest.mark.parametrize("status", [503, 403, None])
def test_a_server_that_is_away_is_of_no_kind(status: int | None) -> None:
    refusing = Refusing(501)
    refusing.status = status  # type: ignore[assignment]
    with pytest.raises(StoreUnavailableError):
        probe(refusing)


class Portal(Refusing):
    """Answers everything with a page of its own; says to have written all."""

    def get(self, key: str, known: Version | None = None) -> StoredObject | Unchanged | None:
        return StoredObject(b"<html>", Version('"e"', None, 6))

    def put(self, key: str, data: bytes, condition: Condition | Version) -> Version | None:
        return Version('"e"', None, len(data))


class Forgetful(Refusing):
    """Says to have written all, and has nothing."""

    def put(self, key: str, data: bytes, condition: Condition | Version) -> Version | None:
        return Version('"e"', None, len(data))


@pytest.mark.parametrize("kind", [Portal, Forgetful])
def test_what_answers_in_a_buckets_place_is_none(kind: type[Refusing]) -> None:
    with pytest.raises(StoreAwayError, match="this is no bucket"):
        probe(kind(200))


remote_of = s3.remote
