"""Objects of a bucket, and what is said where it cannot be asked: never a credential, never "not found"."""

import sys
from uuid import uuid4

import pytest

import s3
from s3 import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server
from wiretape.exceptions import StoreUnavailableError
from wiretape.store.bucket.client import ObjectClient, _client_options
from wiretape.store.bucket.versions import UNCHANGED, Condition, StoredObject

both = pytest.mark.parametrize("s3", ["moto", "rclone"], indirect=True)
prefixed = s3.remote


@both
def test_an_object(s3: S3Server) -> None:
    remote = prefixed(uuid4().hex)
    assert remote.get("a/b") is None
    made = remote.put("a/b", b"data", Condition.ABSENT)
    assert made
    found = remote.get("a/b")
    assert isinstance(found, StoredObject)
    assert found.data == b"data"
    assert found.version.state == made.state
    assert remote.objects("a") == {"a/b": found.version} or remote.objects("a")["a/b"].state == made.state
    assert remote.get("a/b", found.version) is UNCHANGED
    assert remote.folders() == ["a"]
    remote.delete("a/b")
    remote.delete("a/b")
    assert remote.get("a/b", found.version) is None
    assert remote.objects("a") == {}


@pytest.mark.parametrize("s3", ["rclone"], indirect=True)
def test_a_list_has_many_pages_and_no_deeper_objects(s3: S3Server) -> None:
    remote = prefixed(uuid4().hex)
    for number in range(1010):
        remote.put(f"a/{number}", b"", Condition.NONE)
    remote.put("a/b/c", b"", Condition.NONE)
    remote.put("ab/c", b"", Condition.NONE)
    assert len(remote.objects("a")) == 1010


@both
def test_a_bucket_that_is_not_there_is_not_an_object_that_is_not_there(s3: S3Server) -> None:
    with pytest.raises(StoreUnavailableError, match=r"no such bucket|NoSuchBucket"):
        ObjectClient("s3://no-such-bucket/p", 1).get("a/b")


@pytest.mark.parametrize("s3", ["rclone"], indirect=True)
def test_a_wrong_key_is_said_without_it(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY[::-1])
    remote = prefixed("p")
    for question in (
        lambda: remote.get("a"),
        lambda: remote.put("a", b"", Condition.NONE),
        lambda: remote.objects("a"),
    ):
        with pytest.raises(StoreUnavailableError, match="the server answers 403") as caught:
            question()
        told = repr(caught.value) + repr(caught.value.__cause__)
        assert SECRET_KEY[::-1] not in told
        assert ACCESS_KEY not in told
        assert "Signature" not in told.replace("SignatureDoesNotMatch", "")


def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with S3Server("rclone") as server:
        env = server.env
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreUnavailableError, match=rf"s3://{BUCKET}/p/a: the bucket does not answer$"):
        prefixed("p").get("a")


def test_http_has_to_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_ALLOW_HTTP", raising=False)
    with pytest.raises(StoreUnavailableError, match="http:// has to be allowed"):
        prefixed("p").get("a")


@pytest.mark.parametrize(("url", "prefix"), [("s3://b", "AWS"), ("gs://b", "GOOGLE"), ("az://b", "AZURE")])
def test_what_the_environment_says_of_the_connection_is_kept(
    url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"ALLOW_HTTP": "TRUE", "ALLOW_INVALID_CERTIFICATES": "0", "PROXY_URL": "http://p:1"}.items():
        monkeypatch.setenv(f"{prefix}_{name}", value)
    assert _client_options(url) == {
        "allow_http": True,
        "allow_invalid_certificates": False,
        "proxy_url": "http://p:1",
    }


def test_without_obstore_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(ValueError, match="pip install obstore"):
        ObjectClient("s3://b/p", 1)
