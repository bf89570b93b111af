"""Objects of a bucket as values: their bytes, their versions, and on what a write of one depends. Below ``client``."""

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from wiretape.exceptions import StoreAwayError


class Condition(Enum):
    """The condition of a write that does not depend on a version."""

    NONE = "none"
    ABSENT = "absent"


class Unchanged(Enum):
    """The answer to the question whether an object has changed."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


@dataclass(frozen=True, slots=True)
class Version:
    """Identifies the bytes of an object."""

    e_tag: str | None
    version: str | None
    size: int
    modified: datetime | None = None
    """When they were written, by the server's clock; None where it does not tell."""

    @property
    def state(self) -> Hashable:
        """A value that is another one for other bytes. Lists have ETags with quotes or without."""
        return (self.e_tag or "").strip('"') or self.version or self.modified, self.size


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object, as it came."""

    data: bytes
    version: Version
    digest: str | None = None
    """The SHA-256 of the bytes that were written, in hex, where we wrote them and the server has kept it."""


class CutError(StoreAwayError):
    """An answer began and was cut off. It may be asked for again at once."""


def digest(data: bytes) -> str:
    """Return the SHA-256 of the bytes of an object, in hex."""
    return hashlib.sha256(data).hexdigest()
