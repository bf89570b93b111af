"""Makes a store from what an option says: a directory, or the URL of a bucket."""

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wiretape.exceptions import ConfigurationError
from wiretape.store import regular
from wiretape.store.base import Store
from wiretape.store.directory import DirectoryStore
from wiretape.store.notes import Notes

if TYPE_CHECKING:
    from wiretape.store.bucket.take_up import Settle

_BUCKETS = ("s3", "gs", "az")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """Where recordings are, as options say it. All fields but the first and the last are for a bucket."""

    recordings: str
    """A path or a URL."""
    local: str = ""
    """A folder on this machine for what waits and for copies of what was read. If empty, it is the user's cache."""
    spool: int = 512 * MIB
    """How many bytes may wait there while the bucket is away."""
    disk: int = 0
    """How many bytes of copies may be there."""
    timeout: float = 2.0
    """How many seconds a look-up may take to connect, and the bucket may be silent."""
    largest: int = regular.LARGEST
    """How many bytes a recording may have."""

    def absolute(self) -> "StoreUrl":
        """Return the same place for a process that was started in another folder."""
        recordings = self.recordings
        if not is_url(recordings):
            recordings = str(Path(recordings).absolute())
        return replace(self, recordings=recordings, local=self.local and str(Path(self.local).absolute()))

    def open(self, settle: "Settle | None" = None) -> Store:
        """Return the store, without asking it anything yet. Raises ConfigurationError. ``BucketStore``
        explains ``settle``.
        """
        local = None
        if self.local:
            local = Path(self.local)
        return open_store(
            self.recordings,
            local=local,
            spool=self.spool,
            disk=self.disk,
            timeout=self.timeout,
            largest=self.largest,
            settle=settle,
        )


def is_url(text: str) -> bool:
    """Tell whether a text is a URL, rather than a path as ``C:\\recordings`` is."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text) is not None


def bucket_url(text: str) -> str:
    """Return the URL of a bucket in its normal form. Raises ConfigurationError, which repeats no credential."""
    parts = urlsplit(text)
    scheme = parts.scheme.lower()
    if scheme not in _BUCKETS:
        raise ConfigurationError(f"{scheme}:// is no store: give a directory, or a bucket as s3://, gs:// or az://")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(
            f"{scheme}://: only bucket and prefix belong in the URL; credentials in the environment"
        )
    prefix = parts.path.strip("/")
    if not _NAME.fullmatch(parts.netloc) or any(part in {"", ".", ".."} for part in prefix.split("/") if prefix):
        raise ConfigurationError(f"{text!r} names no bucket and prefix: {scheme}://BUCKET/PREFIX")
    return f"{scheme}://{parts.netloc}/{prefix}".rstrip("/")


def open_store(
    text: str,
    *,
    local: Path | None = None,
    spool: int = 512 * MIB,
    memory: int = 64 * MIB,
    disk: int = 0,
    timeout: float = 2.0,
    largest: int = regular.LARGEST,
    settle: "Settle | None" = None,
) -> Store:
    """Return the store of a path or a URL, without asking it anything yet. Raises ConfigurationError.

    A file in a folder that has more than ``largest`` bytes is no recording.

    ``local`` is a folder on this machine, by default in the user's cache, for what was found out about recordings, for
    what waits for a bucket, and for copies of what was read from it.

    The others are for a bucket. ``spool``, ``memory`` and ``disk`` are bounds in bytes for what waits, and for the
    copies in memory and in ``local``; 0 turns each off. ``timeout`` is how many seconds a look-up may take to connect,
    and the bucket may be silent. ``BucketStore`` explains ``settle``.
    """
    local = local or cache_folder()
    if not is_url(text):
        return DirectoryStore(Path(text), largest, _notes(local, text))
    url = bucket_url(text)
    from wiretape.store.bucket.client import ObjectClient
    from wiretape.store.bucket.objects import Objects
    from wiretape.store.bucket.spool import Spool
    from wiretape.store.bucket.store import BucketStore

    remote = ObjectClient(url, timeout)
    own = place_number(url)
    cache = None
    if disk:
        cache = local / "cache" / own
    objects = Objects(remote, memory=memory, cache=cache, disk=disk)
    waiting = None
    if spool:
        waiting = Spool(local / "spool" / own, spool)
    return BucketStore(remote, objects, waiting, settle, _notes(local, url))


def _notes(local: Path, place: str) -> Notes:
    return Notes(local / "index" / f"{place_number(place)}.sqlite")


def place_number(text: str) -> str:
    """Return what a path or a URL is called where something is kept about it. Raises ConfigurationError."""
    place = bucket_url(text) if is_url(text) else str(Path(text).absolute())
    return hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def cache_folder() -> Path:
    """Return the folder of this user's cache that is ours, whether it is there or not."""
    try:
        default = Path.home() / ".cache"
    except RuntimeError:  # A user without a home, as in some containers.
        default = Path(tempfile.gettempdir())
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return Path(base or default) / "wiretape"
