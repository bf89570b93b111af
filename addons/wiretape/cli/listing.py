"""``ls``: a line for each recording, or JSON. Files in, lines out.

Where there are very many recordings, their lines are noted, so that the next ``ls`` reads only new recordings.
"""

import json
import os
import shutil
import sys
from dataclasses import astuple, replace
from decimal import Decimal
from functools import partial
from typing import Any

from wiretape import recording
from wiretape.cli.console import complain, progress
from wiretape.cli.files import File, Source
from wiretape.codecs import printable
from wiretape.codecs.units import usd
from wiretape.exceptions import NotHttpError, StoreUnavailableError
from wiretape.library.costs import RecordingCosts
from wiretape.library.ledger import Ledger
from wiretape.library.rows import Row, row_of, searchable

_HASH = 12
"""How many digits of a longer name are shown: enough for ``show``."""

_NARROWEST = 80
_MODEL = 14


def list_all(source: Source, costs: RecordingCosts, *, as_json: bool = False, search: str = "") -> int:
    """List all recordings, or those whose request or answer contains a text. Return 1 where one is broken."""
    rows: list[Row] = []
    code = 0
    files = {file.below: file for file in source.files()}
    ledger = Ledger(source.store, "#ls-rows", len(files))
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
            case [*values] if values:
                row = Row(name, *values)
                rows.append(replace(row, cost_usd=_cost(row, costs)))
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
        if search and search not in searchable(recorded):
            return []
        _, *values = astuple(row_of("", recorded, _capture(file), file.written()))
        return values
    except StoreUnavailableError:
        raise
    except NotHttpError as e:
        return ["kept", str(e)]
    except (OSError, ValueError) as e:
        return [str(e)]


def _cost(row: Row, costs: RecordingCosts) -> str | None:
    cost = costs.of_row(row)
    return None if cost is None else f"{cost:f}"


def _capture(file: File) -> bytes | None:
    kept = file.capture()
    try:
        return kept.read() if kept else None
    except StoreUnavailableError:
        raise
    except (OSError, ValueError):
        return None


def _print(rows: list[Row], *, as_json: bool) -> None:
    if as_json:
        # It is ASCII, in which there is nothing that a terminal obeys.
        told = (json.dumps(row.as_json()) for row in rows)
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
