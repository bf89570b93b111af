"""A process that turns live answers into recordings: beside the traffic's, whose interpreter it does not hold up.

Parsing and writing 50 MB takes a second in which nothing else of a Python process runs. Here a job goes over a pipe,
piece by piece, and what came of it comes back. ``Scribe`` is the side that asks; ``main`` the process.
"""

import contextlib
import json
import logging
import os
import signal
import struct
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from wiretape import redaction, request, wire
from wiretape.capture import Origin
from wiretape.counters import Counters
from wiretape.finding import Takes
from wiretape.pacing import INSTANT
from wiretape.providers import Endpoint, Route
from wiretape.redaction.rules import DEFAULT_POLICY, Policy
from wiretape.store.base import Store
from wiretape.store.opening import Place
from wiretape.tape import Mode, Tape, settler

logger = logging.getLogger(__name__)

_FRAME = struct.Struct("<dQ")
"""Before each piece in the pipe: when it came, and its size."""


# Behind the traffic, from its first moment: where cores are few, the streams go before.
_PROGRAM = "import os; hasattr(os, 'nice') and os.nice(10); from wiretape import scribe; scribe.run()"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the writing side of a tape is made of."""

    place: Place
    session: str
    mode: Mode
    takes: Takes
    form: str
    keep_captures: bool
    keep_errors: bool
    policy: Policy = DEFAULT_POLICY
    """What becomes of secrets, in this process as in that one."""

    @classmethod
    def of(cls, tape: Tape, place: Place) -> "Settings":
        """Those of a tape, and the place of its store."""
        policy = redaction.DEFAULT.policy
        return cls(place, tape.session, tape.mode, tape.takes, tape.form, tape.keep_captures, tape.keep_errors, policy)

    def open(self) -> Store:
        """The store that is written to."""
        return self.place.open(settler(lambda _: (self.mode, self.takes)))

    def tape(self, store: Store, counters: Counters) -> Tape:
        """A tape that writes as these settings say, in a process that cleans as they say."""
        redaction.DEFAULT.use(self.policy)
        return Tape(
            store,
            self.session,
            self.mode,
            counters,
            takes=self.takes,
            form=self.form,
            pace=INSTANT,
            keep_captures=self.keep_captures,
            keep_errors=self.keep_errors,
        )


@dataclass(frozen=True, slots=True)
class Job:
    """A live exchange as it was on the wire."""

    route: Route
    content_type: str
    test_id: str | None
    body: bytes
    arrived: wire.Arrived
    origin: Origin | None = None


def write(tape: Tape, job: Job) -> None:
    """Record an exchange: in the scribe's process, or where there is none."""
    try:
        asked = request.recorded(job.route, job.body, job.content_type, job.test_id)
    except ValueError as e:
        tape.counters.unrecorded += 1
        logger.warning("not recorded: %s: %s%s", job.route.url, e, tape.named)
    else:
        tape.record(asked, job.arrived, job.origin)


class Scribe:
    """The side that asks. One job at a time; the process is started when it is first needed, and again when it died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process before it is needed. Never raises: without it, who asks writes."""
        with contextlib.suppress(OSError):
            self._started()

    def write(self, settings: Settings, job: Job, counters: Counters) -> None:
        """Have an exchange recorded, and wait for it. Never raises; what happened is counted and said in the log."""
        try:
            outcome = self._ask(settings, job)
        except (OSError, ValueError) as e:
            self.close()
            logger.debug("no process to write recordings (%s): writing here", e)
            store = settings.open()
            write(settings.tape(store, counters), job)
            store.close()
            return
        counters.recorded += outcome["recorded"]
        counters.unrecorded += outcome["unrecorded"]
        for name, level, message in outcome["log"]:
            logging.getLogger(name).log(level, "%s", message)

    def close(self) -> None:
        """End the process; it may have to be killed, and can be started again."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            try:
                if pipe:
                    pipe.close()
            except OSError:
                pass  # It died with something of ours in the pipe.
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _ask(self, settings: Settings, job: Job) -> dict[str, Any]:
        process = self._started()
        assert process.stdin
        assert process.stdout
        head = {
            "settings": asdict(settings),
            "route": asdict(job.route),
            "content_type": job.content_type,
            "test_id": job.test_id,
            "status": job.arrived.status,
            "headers": job.arrived.headers,
            "ended": job.arrived.ended,
            "origin": job.origin and asdict(job.origin),
            "pieces": len(job.arrived.pieces),
        }
        process.stdin.write(json.dumps(head).encode() + b"\n" + _FRAME.pack(0.0, len(job.body)) + job.body)
        # Piece by piece, and no list of them in one: whatever C does in one go, it does with the interpreter held.
        for at, piece in zip(job.arrived.at, job.arrived.pieces, strict=True):
            process.stdin.write(_FRAME.pack(at, len(piece)))
            process.stdin.write(piece)
        process.stdin.flush()
        answer: dict[str, Any] = json.loads(process.stdout.readline())
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            path = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
            self._process = subprocess.Popen(  # noqa: S603  a program of our own
                [sys.executable, "-c", _PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))},
                start_new_session=True,  # Ctrl-C is for the proxy, which has work for us until it ends.
            )
        return self._process


class _Kept(logging.Handler):
    """Log records as values, for the process whose log they belong in."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[tuple[str, int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append((record.name, record.levelno, self.format(record)))


def main(jobs: IO[bytes], answers: IO[bytes]) -> None:
    """Take jobs until there are no more. A job that is cut off, because the proxy was killed, is not begun."""
    kept = _Kept()
    logging.getLogger("wiretape").addHandler(kept)
    logging.getLogger("wiretape").setLevel(logging.INFO)
    stores = _Stores()
    try:
        _work(jobs, answers, kept, stores)
    finally:
        stores.close()


class _Stores:
    """The stores that were written to: one for all jobs, as a bucket's finds out first what its server can do."""

    def __init__(self) -> None:
        self._stores: dict[Place, Store] = {}
        self._chosen: dict[str, tuple[Mode, Takes]] = {}

    def of(self, settings: Settings) -> Store:
        """The store of a job; how its session is recorded is kept for what has to wait."""
        self._chosen[settings.session] = settings.mode, settings.takes
        if settings.place not in self._stores:
            self._stores[settings.place] = settings.place.open(settler(self._choice))
        return self._stores[settings.place]

    def _choice(self, session: str) -> tuple[Mode, Takes]:
        # What an earlier process has left: as the option's default has it.
        return self._chosen.get(session, (Mode.RECORD_IF_MISSING, Takes.LAST))

    def close(self) -> None:
        """End them."""
        for store in self._stores.values():
            store.close()


def _work(jobs: IO[bytes], answers: IO[bytes], kept: _Kept, stores: _Stores) -> None:
    while line := jobs.readline():
        head = json.loads(line)
        try:
            (_, body), *pieces = [_piece(jobs) for _ in range(1 + head["pieces"])]
        except EOFError:
            return
        chosen = head["settings"]
        known = {"place": Place(**chosen["place"]), "mode": Mode(chosen["mode"]), "takes": Takes(chosen["takes"])}
        known["policy"] = Policy.from_json(chosen["policy"])
        settings = Settings(**{**chosen, **known})
        endpoint = Endpoint(**head["route"].pop("endpoint"))
        headers = tuple((name, value) for name, value in head["headers"])
        at, came = tuple(at for at, _ in pieces), tuple(piece for _, piece in pieces)
        arrived = wire.Arrived(head["status"], headers, came, at, head["ended"])
        origin = Origin(**head["origin"]) if head["origin"] else None
        counters = Counters()
        route = Route(**head["route"], endpoint=endpoint)
        write(
            settings.tape(stores.of(settings), counters),
            Job(route, head["content_type"], head["test_id"], body, arrived, origin),
        )
        outcome = {"recorded": counters.recorded, "unrecorded": counters.unrecorded, "log": kept.records}
        answers.write(json.dumps(outcome).encode() + b"\n")
        answers.flush()
        kept.records.clear()


def _piece(jobs: IO[bytes]) -> tuple[float, bytes]:
    frame = jobs.read(_FRAME.size)
    if len(frame) < _FRAME.size:
        raise EOFError
    at, size = _FRAME.unpack(frame)
    piece = jobs.read(size)
    if len(piece) < size:
        raise EOFError
    return at, piece


def run() -> None:
    """The process: jobs on standard input, what came of them on standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        main(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        # The proxy was killed; its last recording is written all the same. What nobody can read must not be flushed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
