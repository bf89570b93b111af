"""A bucket without a server, which answers as a test tells it to."""

from wiretape.exceptions import StoreAwayError
from wiretape.store.bucket.client import ObjectClient
from wiretape.store.bucket.versions import UNCHANGED, Condition, StoredObject, Unchanged, Version


class Scripted(ObjectClient):
    """Answers as it was told to; writes fail on a condition so many times."""

    def __init__(
        self, *answers: StoredObject | Exception | None, refuses: int = 0, page: StoredObject | None = None
    ) -> None:
        self.url = "s3://b"
        self.answers = [*answers]
        self.refuses = refuses
        self.conditions: list[Condition | Version] = []
        self.absences = 0
        self.page = page
        """What comes for an object that cannot be there."""

    def get(self, key: str, known: Version | None = None) -> StoredObject | Unchanged | None:
        if key.startswith(".wiretape-none-"):
            self.absences += 1
            return self.page
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return UNCHANGED if answer and known and known == answer.version else answer

    def put(self, key: str, data: bytes, condition: Condition | Version) -> Version | None:
        if key.startswith(".wiretape-probe-"):
            raise StoreAwayError("it may not be written to", status=403)
        self.conditions.append(condition)
        if self.refuses:
            self.refuses -= 1
            return None
        return Version('"new"', None, len(data))

    def delete(self, key: str) -> None:
        raise StoreAwayError("it may not be written to", status=403)
