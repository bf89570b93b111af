"""A store of what an option says."""

from pathlib import Path

import pytest

from wiretape.store.bucket.store import BucketStore
from wiretape.store.directory import DirectoryStore
from wiretape.store.opening import StoreUrl, bucket_url, open_store


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDSECRET")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "TOPSECRET")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "VE9QU0VDUkVU")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize("text", ["recordings", "/a/b", ".", "a b", "C:\\recordings", "C:/recordings", "s3:/b"])
def test_a_path_is_a_directory(text: str) -> None:
    store = open_store(text)
    assert isinstance(store, DirectoryStore)
    assert store.root == Path(text)


def test_a_place_is_the_same_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert StoreUrl("recordings", "local", spool=1).absolute() == StoreUrl(
        str(tmp_path / "recordings"), str(tmp_path / "local"), spool=1
    )
    for place in (StoreUrl("/a/b"), StoreUrl("s3://bucket/a", "/c")):
        assert place.absolute() == place


@pytest.mark.parametrize("url", ["s3://bucket", "s3://bucket/a/prefix", "gs://bucket/p", "az://container/p/q"])
def test_a_url_is_a_bucket_and_nothing_is_asked_of_it(url: str, tmp_path: Path) -> None:
    store = open_store(url, local=tmp_path, disk=1 << 20)
    assert isinstance(store, BucketStore)
    assert store.url == url
    assert store.where("team", "abc") == f"{url}/team/responses/abc.json"
    assert store.waiting == 0
    store.close()
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("s3://bucket/", "s3://bucket"),
        ("S3://bucket/a/b/", "s3://bucket/a/b"),
        ("gs://bucket//a", "gs://bucket/a"),
        ("az://c/ü", "az://c/ü"),
    ],
)
def test_a_url_has_one_form(text: str, url: str) -> None:
    assert bucket_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "s3://",
        "s3:///prefix",
        "s3://-bucket",
        "s3://buc ket/x",
        "s3://bucket/a//b",
        "s3://bucket/../b",
        "s3://bucket/a/./b",
        "s3://AKIDSECRET:TOPSECRET@bucket/p",
        "s3://bucket/p?key=TOPSECRET",
        "s3://bucket/p#TOPSECRET",
        "http://127.0.0.1/p?TOPSECRET",
        "file:///tmp",
        "memory://x",
        "foo://x:TOPSECRET@y",
    ],
)
def test_what_names_no_bucket_is_an_error_that_repeats_no_credential(text: str) -> None:
    with pytest.raises(ValueError, match=r"s3://|az://|credentials in the environment") as caught:
        open_store(text)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value", "url"),
    [
        ("AZURE_STORAGE_ACCOUNT_NAME", None, "az://container/p"),
        ("AZURE_STORAGE_ACCOUNT_KEY", "!TOPSECRET!", "az://container/p"),
        ("GOOGLE_SERVICE_ACCOUNT_KEY", '{"private_key": "TOPSECRET"}', "gs://bucket/p"),
    ],
)
def test_an_environment_that_does_not_do_is_an_error_that_repeats_no_credential(
    variable: str, value: str | None, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is None:
        monkeypatch.delenv(variable)
    else:
        monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=f"{url}: ") as caught:
        open_store(url)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_every_bucket_has_a_spool_of_its_own(tmp_path: Path) -> None:
    folders = set()
    for url in ("s3://bucket/a", "s3://bucket/b", "gs://bucket/a", "s3://bucket/a/"):
        store = open_store(url, local=tmp_path)
        assert isinstance(store, BucketStore)
        assert store._spool
        folders.add(store._spool.folder)
    assert len(folders) == 3
