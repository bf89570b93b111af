"""What a server can do, found out by trying."""

import pytest

import s3
from s3 import S3Server
from wiretape.store.base import Unavailable
from wiretape.store.probe import Kind, probe
from wiretape.store.remote import Condition, Remote, Version

PREFIX = "probe"


@pytest.mark.parametrize(
    ("s3", "kind"),
    [("moto", Kind(True, True, True)), ("rclone", Kind(False, False, True))],
    indirect=["s3"],
)
def test_both_kinds_are_told_apart_and_nothing_is_left(s3: S3Server, kind: Kind) -> None:
    remote = remote_of(PREFIX)
    assert probe(remote) == kind
    assert remote.objects("") == {}
    assert [key for key in remote_of("").folders() if "probe-" in key] == []


def test_what_cannot_be_kept_is_named() -> None:
    assert Kind(True, True, False).cannot() == []
    assert len(Kind(True, False, True).cannot()) == 1
    assert any("record the same request at once" in sentence for sentence in Kind(False, True, True).cannot())


class Refusing(Remote):
    """A server that has never heard of conditions, and says so."""

    def __init__(self, status: str) -> None:
        self.url = "s3://b"
        self.status = status

    def put(self, key: str, data: bytes, condition: Condition | Version) -> Version | None:
        if condition is not Condition.NONE:
            raise Unavailable(f"{self.url}/{key}: the server answers {self.status}")
        return Version('"e"', None, len(data))

    def delete(self, key: str) -> None:
        raise Unavailable("the server answers 403")


@pytest.mark.parametrize("status", ["501 NotImplemented", "400 InvalidArgument"])
def test_a_server_that_refuses_conditions_does_not_honour_them(status: str, caplog: pytest.LogCaptureFixture) -> None:
    assert probe(Refusing(status)) == Kind(False, False, False)
    assert "403" in caplog.text, "what cannot be deleted is said"


def test_a_server_that_is_away_is_of_no_kind() -> None:
    with pytest.raises(Unavailable):
        probe(Refusing("503"))


remote_of = s3.remote
