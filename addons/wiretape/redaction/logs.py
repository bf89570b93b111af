"""Lines of the log and crash texts -> the same without secrets, and without what a terminal obeys, whoever writes them.
Beside the data's way.

A provider's URL may hold a key, an exception the body that it could not read. Each logger of this process, ours and
others', makes its records here, so that no handler sees one that was not looked through.
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
    """Makes log records as the maker before it does, without secrets."""

    def __init__(self, make: Callable[..., logging.LogRecord], redactor: Redactor, crashed: _ExceptHook) -> None:
        """``crashed``: what told of an exception that nobody catches, before."""
        self.make = make
        self.redactor = redactor
        self.crashed = crashed

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        """Return a record whose text is clean. Never raises for what is in it."""
        record = self.make(*args, **kwargs)
        try:
            self._clean(record)
        except Exception:  # noqa: BLE001  A log must neither fail the one who writes nor tell what could not be read.
            record.msg = _UNKNOWN
            record.args = ()
            record.exc_info = None
        return record

    def shown(self, text: str) -> str:
        """Return a text as it may be shown."""
        # What others have sent is in it as it came: a method, a host, what an exception repeats.
        return printable.lines(self.redactor.text(text))

    def _clean(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        cleaned = self.shown(message)
        if record.exc_info and record.exc_info[0]:
            crash = "".join(traceback.format_exception(*record.exc_info))
            clean_crash = self.shown(crash)
            if clean_crash != crash:
                # Whoever formats the record would write the exception as it is.
                record.exc_info = None
                cleaned = f"{cleaned}\n{clean_crash.rstrip()}"
        if cleaned != message:
            record.msg = cleaned
            record.args = ()


def install(redactor: Redactor) -> bool:
    """Have every record of this process cleaned from now on, and the text of what nobody catches.

    Return whether they were not before.
    """
    make = logging.getLogRecordFactory()
    if isinstance(make, CleanRecords):
        make.redactor = redactor
        return False
    logging.setLogRecordFactory(CleanRecords(make, redactor, sys.excepthook))
    sys.excepthook = _crashed
    return True


def remove() -> None:
    """Leave all as it was before ``install``."""
    make = logging.getLogRecordFactory()
    if isinstance(make, CleanRecords):
        logging.setLogRecordFactory(make.make)
        sys.excepthook = make.crashed


def _crashed(kind: type[BaseException], error: BaseException, place: TracebackType | None) -> None:
    make = logging.getLogRecordFactory()
    text = "".join(traceback.format_exception(kind, error, place))
    sys.stderr.write(make.shown(text) if isinstance(make, CleanRecords) else text)
