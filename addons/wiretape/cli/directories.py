"""The directories that a command works in, as ``wiretape_places`` has them: the environment -> JSON.

A directory can have two paths where a symbolic link leads to it: the one that the shell shows and the one that the
system has. A program may tell a model either, so both are told.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

_TEMPORARY = ("TMPDIR", "TEMP", "TMP")
"""The variables that name the directory for temporary files, in the order in which they are looked at."""


def places(environ: Mapping[str, str]) -> str:
    """Return the value of ``wiretape_places`` for a command that is started here with these variables."""
    temporary = [environ[name] for name in _TEMPORARY if environ.get(name)]
    known = {
        "cwd": [*_working(environ)],
        "home": [environ["HOME"]] if environ.get("HOME") else [],
        "tmp": temporary[:1] or [tempfile.gettempdir()],
    }
    return json.dumps({name: _paths(paths) for name, paths in known.items()})


def _working(environ: Mapping[str, str]) -> Iterator[str]:
    try:
        working = Path.cwd()
    except OSError:  # It has been removed.
        return
    shown = Path(environ.get("PWD", ""))
    with suppress(OSError):
        if shown.is_absolute() and shown.samefile(working):
            yield str(shown)
    yield str(working)


def _paths(paths: list[str]) -> list[str]:
    """Return absolute paths, each as it is told and as it is without symbolic links; each once."""
    told = [os.path.abspath(path) for path in paths]  # noqa: PTH100  Path.absolute() keeps ".."
    real = [os.path.realpath(path) for path in told]
    return [*dict.fromkeys([*told, *real])]
