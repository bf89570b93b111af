"""A process that turns live answers into recordings: beside the traffic's, whose interpreter it does not hold up.

The answers are in the proxy's journal, and nowhere else: the process is told where that is and how to open it, then
that there is something new, and looks. What became of each exchange comes back, a line of JSON each:

    proxy  -> writer    {"journal": PATH or null, "key": HEX}, then a byte for "look"; the pipe's end for "that is all"
    writer -> proxy     an outcome for each exchange, and lines for the log

The thread of ``WriterProcess``, which is the side that asks, is in one of these states; ``main`` is the process.

    serving     a process is at work, and what it tells is passed on
    pausing     the process was killed, or could not be started: the next one is started in a moment
    writing     three could not be started, one after the other: this thread does the work itself, and it is said
    over        the process has ended by itself, as the pipe has ended and all is written

When the proxy is killed the pipe ends as well: the process finishes the journal and removes it. A process that is
killed, for want of memory perhaps, is started again however often that happens: it must not take the proxy with it.

Example: an answer ends while the process is being started again. ``look`` finds no process; the answer is in the
journal, and the new process looks there before it waits for a command.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from wiretape.journal import isolated
from wiretape.journal.folder import Folder, Journal
from wiretape.journal.outcome import LogCapture, WriteOutcome, say
from wiretape.journal.recovery import recover
from wiretape.journal.stores import Stores
from wiretape.journal.writer import JournalWriter

logger = logging.getLogger(__name__)

_TRIES = 3
"""Processes that cannot be started, one after the other, until it is done without."""

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 5.0
"""Seconds until a process that was killed is started again: doubled each time."""

_SETTLED = 10.0
"""Seconds after which it is started again at once."""


class WriterProcess:
    """The side that asks. ``tell`` gets each outcome, with the lines for the log, in a thread of its own.

    An outcome that a writer has told and another tells again, as the first was killed, comes twice.
    """

    def __init__(self, journal: Journal | None, tell: Callable[[WriteOutcome], None]) -> None:
        """Without a journal of its own the process finishes what others have left."""
        self._journal = journal
        self._tell = tell
        self._process: subprocess.Popen[bytes] | None = None
        self._changing = threading.Lock()
        self._is_ending = False
        self._look = threading.Event()
        """There is something new, for the thread that does without a process."""
        self._thread = threading.Thread(target=self._run, name="wiretape-writer", daemon=True)

    def start(self) -> None:
        """Start the process. Never raises."""
        self._thread.start()

    def look(self) -> None:
        """Have it look, as something has ended. Never waits, never raises: for the traffic's thread."""
        self._look.set()
        with self._changing:
            if self._process and self._process.stdin and not self._is_ending:
                # Where the pipe is full it is about to look anyway; where it has died, the next one looks first.
                with suppress(OSError):
                    os.write(self._process.stdin.fileno(), b"\n")

    def end(self) -> None:
        """Have it end when all is written, as nothing more will come."""
        with self._changing:
            self._is_ending = True
            if self._process and self._process.stdin:
                with suppress(OSError):
                    self._process.stdin.close()
        self._look.set()

    def wait(self, seconds: float) -> bool:
        """Wait so many seconds for its end, and return whether it has come."""
        if self._thread.ident:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def process_id(self) -> int | None:
        """The id of the process, where there is one."""
        return self._process.pid if self._process else None

    def _run(self) -> None:
        failures = 0
        pause = _FIRST_PAUSE
        while failures < _TRIES:
            began = time.monotonic()
            try:
                code = self._serve()
            except OSError as e:
                code = 1
                why = str(e)
            else:
                if code == 0:
                    return
                why = f"it was ended by signal {-code}" if code < 0 else f"it ended with exit code {code}"
            # One that is killed, for want of memory perhaps, is no reason to do its work in the proxy.
            failures = 0 if code < 0 else failures + 1
            logger.error("the process that writes recordings failed (%s): it is started again", why)
            if time.monotonic() - began > _SETTLED:
                pause = _FIRST_PAUSE
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        if self._journal:
            logger.error("recordings are written by the proxy itself, which slows its traffic down")
            self._write_here(self._journal)

    def _serve(self) -> int:
        """Start a process, pass on what it tells until it ends, and return its exit code. Raises OSError."""
        process = subprocess.Popen(  # noqa: S603  a program of our own
            isolated.command(__name__),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the proxy, which has work for us until it ends.
        )
        assert process.stdin
        assert process.stdout
        folder = self._journal.folder if self._journal else None
        setup = {"journal": folder and str(folder.path), "key": folder and folder.key.hex()}
        with suppress(OSError):
            process.stdin.write(json.dumps(setup).encode() + b"\n")
            process.stdin.flush()
        os.set_blocking(process.stdin.fileno(), False)
        with self._changing:
            self._process = process
            if self._is_ending or self._journal is None:
                with suppress(OSError):
                    process.stdin.close()
        for line in process.stdout:
            try:
                self._hear(line)
            except Exception:
                # Who is not listened to any more would write no more.
                logger.exception("wiretape failed: what the process that writes recordings has told is dropped")
        code = process.wait()
        with self._changing:
            self._process = None
            with suppress(OSError):
                process.stdin.close()
        process.stdout.close()
        return code

    def _hear(self, line: bytes) -> None:
        if not line.endswith(b"\n"):
            return  # It was killed in the middle of it: the next one tells it again.
        told: dict[str, Any] = json.loads(line)
        if "number" in told:
            self._tell(WriteOutcome(**told))
        else:
            say(told["log"])

    def _write_here(self, journal: Journal) -> None:
        stores = Stores()
        lock = journal.folder.lock_for_writing()
        try:
            writer = JournalWriter(journal.folder, stores, LogCapture())
            for outcome in writer.told_again():
                self._tell(outcome)
            while not self._is_ending:
                self._look.wait()
                self._look.clear()
                writer.pause()
                for outcome in writer.write_ended():
                    self._tell(outcome)
            for outcome in writer.finish():
                self._tell(outcome)
        except Exception:
            logger.exception("RECORDINGS LEFT in %s: wiretape recover writes them", journal.folder.path)
        finally:
            stores.close()
            if lock:
                lock.release()


def main() -> None:
    """Be the process: take commands from standard input, and tell on standard output what became of things."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # As for SIGINT: the pipe's end tells when there is no more to do.
    log = LogCapture()
    ours = logging.getLogger("wiretape")
    ours.addHandler(log)
    ours.setLevel(logging.INFO)
    ours.propagate = False
    setup = json.loads(_line(sys.stdin.fileno()))
    tell = _Telling(sys.stdout.buffer)
    stores = Stores()
    try:
        if setup["journal"]:
            folder = Folder(Path(setup["journal"]), bytes.fromhex(setup["key"]))
            # None where the journal has been removed, or somebody else is at work.
            if lock := folder.lock_for_writing():
                _work(JournalWriter(folder, stores, log), log, tell)
                lock.release()
        else:
            _recover(log, tell)
    finally:
        stores.close()


def _line(file: int) -> bytes:
    """Read one line, and nothing of what comes after it."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(file, 1)):
        line += byte
    return line


class _Telling:
    """Tells the proxy. Once the proxy is killed nothing hears it, and the work goes on."""

    def __init__(self, output: IO[bytes]) -> None:
        self._output: IO[bytes] | None = output

    def __call__(self, told: dict[str, Any]) -> None:
        if self._output is None:
            return
        try:
            self._output.write(json.dumps(told).encode() + b"\n")
            self._output.flush()
        except OSError:
            # What nobody can read must not be flushed at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self._output = None


def _work(writer: JournalWriter, log: LogCapture, tell: _Telling) -> None:
    commands = sys.stdin.fileno()
    for outcome in writer.told_again():
        tell(asdict(outcome))
    is_over = False
    while not is_over:
        for outcome in writer.write_ended():
            tell(asdict(outcome))
        if lines := log.taken():
            tell({"log": lines})
        is_over = not os.read(commands, 65536)
        if not is_over:
            writer.pause()
    for outcome in writer.finish():
        tell(asdict(outcome))


def _recover(log: LogCapture, tell: _Telling) -> None:
    for recovered, lines in recover(log):
        tell({"log": lines})
        if recovered:
            tell({"log": [("wiretape.journal.recovery", recovered.level, str(recovered))]})
