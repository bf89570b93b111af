"""Takes secrets out of the lines of the log and the texts of crashes, and control characters, which a terminal obeys.

The URL of a provider may hold a key, and an exception may repeat the body that it could not read. All loggers of this
process, ours and those of others, make their records here, so that no handler sees a record that was not cleaned.
"""

import logging
import sys
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

from wiretape.codecs import printable
from wiretape.redaction.redactor import Redactor

_UNKNOWN = "a line that could not be looked through for secrets"


type _ExceptHook = Callable[[type[BaseException], BaseException, TracebackType | None], Any]


class CleanRecords:
    """Makes log records as the factory before it does, and takes the secrets out."""

    def __init__(self, make: Callable[..., logging.LogRecord], redactor: Redactor, crashed: _ExceptHook) -> None:
        """``crashed``: what told of an exception that nobody catches, before."""
        self.make = make
        self.redactor = redactor
        self.crashed = crashed

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        """Return a record whose text is clean. Never raises for anything in the record."""
        record = self.make(*args, **kwargs)
        try:
            self._clean(record)
        except Exception:  # noqa: BLE001  A log must neither fail its caller nor tell what could not be cleaned.
            record.msg = _UNKNOWN
            record.args = ()
            record.exc_info = None
        return record

    def shown(self, text: str) -> str:
        """Return a text as it may be shown."""
        # It may hold what others have sent, as it came: a method, a host, the text of an exception.
        return printable.lines(self.redactor.text(text))

    def _clean(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        cleaned = self.shown(message)
        if record.exc_info and record.exc_info[0]:
            crash = "".join(traceback.format_exception(*record.exc_info))
            clean_crash = self.shown(crash)
            if clean_crash != crash:
                # A formatter would write the exception as it is.
                record.exc_info = None
                cleaned = f"{cleaned}\n{clean_crash.rstrip()}"
        if cleaned != message:
            record.msg = cleaned
            record.args = ()


def install(redactor: Redactor) -> bool:
    """Have every record of this process cleaned from now on, and the text of exceptions that nothing catches.

    Return whether that is new.
    """
    make = logging.getLogRecordFactory()
    if isinstance(make, CleanRecords):
        make.redactor = redactor
        return False
    logging.setLogRecordFactory(CleanRecords(make, redactor, sys.excepthook))
    sys.excepthook = _crashed
    return True


def remove() -> None:
    """Undo what ``install`` did."""
    make = logging.getLogRecordFactory()
    if isinstance(make, CleanRecords):
        logging.setLogRecordFactory(make.make)
        sys.excepthook = make.crashed


def _crashed(kind: type[BaseException], error: BaseException, place: TracebackType | None) -> None:
    make = logging.getLogRecordFactory()
    text = "".join(traceback.format_exception(kind, error, place))
    if isinstance(make, CleanRecords):
        text = make.shown(text)
    sys.stderr.write(text)
