"""``ls``: a line for each recording, or JSON. Files in, lines out.

Where there are very many recordings, their lines are noted, so that the next ``ls`` reads only new recordings.
"""

import json
import os
import shutil
import sys
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from wiretape import recording
from wiretape.cli.console import complain, progress
from wiretape.cli.costs import RecordingCosts
from wiretape.cli.files import File, Source
from wiretape.codecs import printable
from wiretape.codecs.units import counted, usd
from wiretape.exceptions import NotHttpError, StoreUnavailableError
from wiretape.library import transcript
from wiretape.library.ledger import Ledger
from wiretape.matching import request
from wiretape.providers import wire
from wiretape.providers.usage import Usage
from wiretape.recording import RecordedRequest, Recording
from wiretape.recording import capture as captures

_KEPT = 200
"""How many characters of a question are noted."""

_HASH = 12
"""How many digits of a longer name are shown: enough for ``show``."""

_NARROWEST = 80
_MODEL = 14


@dataclass(frozen=True, slots=True)
class Row:
    """A recording."""

    name: str
    """Its name, after the folders that lead to it."""
    when: str
    """When it was recorded, as its capture tells, or else when its file was written, as RFC 3339; empty for neither."""
    endpoint: str
    base: str
    """The base URL; for a passthrough endpoint, the URL."""
    model: str
    status: int
    chunks: int | None
    """How many chunks a stream has."""
    tokens: int
    question: str
    """The first words of the question."""
    test_id: str | None
    form: str
    usage: dict[str, int | str]
    """The tokens that the answer says that it took, as far as it says so."""
    cost_usd: str | None = None
    """What it costs at the provider; None where that is not known."""

    @property
    def answer(self) -> str:
        """What the answer was, in a word or two."""
        if self.status != 200:
            return f"error {self.status}"
        if self.tokens:
            return counted(self.tokens, "token")
        if self.chunks is None:
            return "one piece"
        return counted(self.chunks, "chunk")


def list_all(source: Source, costs: RecordingCosts, *, as_json: bool = False, search: str = "") -> int:
    """List all recordings, or those whose request or answer contains a text. Return 1 where one is broken."""
    rows: list[Row] = []
    code = 0
    files = {file.below: file for file in source.files()}
    ledger = Ledger(source.store, "#ls-costs", len(files))
    states = {}
    if not search:
        states = {name: file.state() for name, file in files.items()}
    known = ledger.known(states)
    new = {name: file for name, file in files.items() if name not in known}
    reading = source.mapped(partial(_row, search=search.lower()), [*new.values()])
    read = dict(zip(new, progress(reading, len(new), "reading"), strict=True))
    ledger.keep({name: row for name, row in read.items() if len(row) > 1 and not search}, states)
    for name, file in files.items():
        match known.get(name) or read[name]:
            case [problem]:
                complain(f"{file}: {problem}")
                code = 1
            case [_, problem]:
                complain(f"{file}: {problem}")
            case [url, method, *values] if values:
                row = Row(name, *values)
                rows.append(replace(row, cost_usd=_cost(row, url, method, costs)))
    _print(rows, as_json=as_json)
    return code


def _row(file: File, search: str) -> list[Any]:
    """Return the values of a row without the name, or what is wrong with the file, or nothing where it
    is not wanted.
    """
    try:
        data = file.read()
        if data is None:
            return ["there is no such file"]
        recorded = recording.loads(data)
        if search and not _has(recorded, search):
            return []
        response = recorded.response
        status = response.status
        if response.error is not None:
            status = response.error.get("status_code")
        if not isinstance(status, int):
            status = 200
        streamed = None
        if response.is_streaming:
            streamed = len(response.elements()) or len(response.body)
        question = " ".join(transcript.question(recorded.request).split())[:_KEPT]
        usage, tokens = wire.usage(recorded.request, recorded.response)
        return [
            recorded.request.url,
            recorded.request.method,
            _when(file),
            recorded.request.endpoint,
            request.base(recorded.request),
            recorded.request.model,
            status,
            streamed,
            tokens,
            question,
            recorded.request.test_id,
            recorded.form,
            {name: value for name, value in asdict(usage).items() if value is not None},
        ]
    except StoreUnavailableError:
        raise
    except NotHttpError as e:
        return ["kept", str(e)]
    except (OSError, ValueError) as e:
        return [str(e)]


def _cost(row: Row, url: str, method: str, costs: RecordingCosts) -> str | None:
    if row.status != 200:
        return None
    request = RecordedRequest(url, {"model": row.model}, row.endpoint, method=method)
    cost = costs.of(request, Usage(**row.usage), _moment(row.when))  # type: ignore[arg-type]
    return None if cost is None else f"{cost:f}"


def _moment(when: str) -> float:
    """Return when it was recorded, in seconds since 1970; now, where that is not told."""
    try:
        return datetime.fromisoformat(when).timestamp()
    except ValueError:
        return time.time()


def _has(recorded: Recording, search: str) -> bool:
    body = json.dumps(recorded.request.body, ensure_ascii=False).replace("\\n", "\n").replace('\\"', '"')
    return search in body.lower() or search in transcript.text(recorded).lower()


def _when(file: File) -> str:
    kept = file.capture()
    try:
        data = None
        if kept:
            data = kept.read()
        origin = None
        if data is not None:
            origin = captures.loads(data).origin
    except StoreUnavailableError:
        raise
    except (OSError, ValueError):
        origin = None
    if origin:
        return origin.at
    written = file.written()
    if written is None:
        return ""
    return datetime.fromtimestamp(written, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _print(rows: list[Row], *, as_json: bool) -> None:
    if as_json:
        # It is ASCII, in which there is nothing that a terminal obeys.
        told = (json.dumps({**asdict(row), "answer": row.answer}) for row in rows)
        sys.stdout.write("[" + ",\n ".join(told) + "]\n")
        return
    width = max(_NARROWEST, shutil.get_terminal_size((_NARROWEST, 24)).columns)
    cells = [("recording", "when", "model", "answer", "USD", "question"), *map(_cells, rows)]
    if not any(row.cost_usd for row in rows):
        cells = [(*row[:4], row[5]) for row in cells]
    widths = [max(len(row[place]) for row in cells) for place in range(len(cells[0]) - 1)]
    left = max(8, width - sum(widths) - 2 * len(widths))
    lines = []
    for row in cells:
        fixed = "  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=False))
        lines.append(f"{fixed}  {_cut(row[-1], left)}".rstrip())
    sys.stdout.write("\n".join(lines) + "\n")


def _cells(row: Row) -> tuple[str, ...]:
    folder, _, name = row.name.rpartition("/")
    folder = folder.removesuffix("responses").removesuffix("/")
    shown = name
    if folder:
        if len(name) >= 2 * _HASH:
            name = f"{name[:_HASH]}…"
        shown = os.path.join(folder, name)  # noqa: PTH118
    model = _cut(row.model.rpartition("/")[2], _MODEL)
    question = row.question or row.endpoint or row.base
    cost = usd(Decimal(row.cost_usd)).removesuffix(" USD") if row.cost_usd else ""
    return tuple(map(printable.line, (shown, row.when[:10], model, row.answer, cost, question)))


def _cut(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    return text[: width - 1] + "…"
