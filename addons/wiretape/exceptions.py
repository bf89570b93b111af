"""The errors that a caller can tell apart, as one small tree. Below everything: it imports nothing of ours.

    WiretapeError
      ConfigurationError         an option or wiretape.toml says what cannot be
      RecordingError             a file's bytes are no recording
        NotHttpError             they are a recording of what goes over no HTTP
        NotARecordingError       what stands under a recording's name can be no file of ours: it is not even read
      StoreUnavailableError      it cannot be told what is in a store: never to be taken for "there is nothing"
        StoreAwayError           a whole bucket cannot be asked

Each is the exception of Python's that its kind is, too: a ``ValueError`` where what was given is wrong, an ``OSError``
where a disk or a network is. So whoever wants no more than that needs none of these names.
"""


class WiretapeError(Exception):
    """What wiretape raises for a caller to tell apart."""


class ConfigurationError(WiretapeError, ValueError):
    """An option, or ``wiretape.toml``, says what cannot be. The message names file, line, table and key.

    Whoever makes values of a table knows no file. There the message says what is wrong, and ``path`` where: names of
    tables and keys, and the numbers of elements, from 0. ``wiretape.config`` makes the whole message of both.
    """

    def __init__(self, message: str, path: tuple[str | int, ...] = (), *, at: str = "") -> None:
        """``at``: the key below ``path`` that the message itself names, where its line is the one that is meant."""
        super().__init__(message)
        self.path = path
        self.at = at


class RecordingError(WiretapeError, ValueError):
    """The bytes of a file are no recording. The message says what is wrong, and holds nothing of the content."""


class NotHttpError(RecordingError):
    """A recording of what goes over no HTTP: a tool that was called, a protocol that an SDK keeps to itself."""

    def __init__(self) -> None:
        super().__init__("not an HTTP exchange: kept, not served")


class NotARecordingError(RecordingError):
    """What stands under a recording's name can be none: it is no file, is elsewhere, or is too large.

    It is no ``OSError``: the store works, and to ask again would change nothing.
    """


class StoreUnavailableError(WiretapeError, OSError):
    """It cannot be told what is in the store. Never to be taken for "not found": such a request is answered 503."""


class StoreAwayError(StoreUnavailableError):
    """A whole bucket cannot be asked: not reached, too slow, or closed to us.

    Meanwhile what was seen before is served, live traffic flows, and what is recorded waits in the spool.
    """

    def __init__(
        self, message: str, *, status: int | None = None, is_lasting: bool = False, was_absent: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status that the server answered, where it answered."""
        self.is_lasting = is_lasting
        """Whether it is of no use to wait: there is no such bucket, no credentials for it, or not the right ones."""
        self.was_absent = was_absent
        """Whether there was nothing when it was last looked at."""
