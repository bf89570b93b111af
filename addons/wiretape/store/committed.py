"""When the files of a folder were committed last, where the folder is in a repository of git. Beside ``directory``.

It is asked once for a folder, whatever the number of its files, and in a bounded time: a repository of many years is
read as far as that goes. A file that was changed since it was committed tells no time, nor does one that is not
committed at all.

Git is started so that it does nothing but read: it asks nobody for what a partial clone lacks, starts no program of the
repository's configuration, and is told nothing by the variables that a hook of git leaves to what it starts.
"""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Collection, Iterator
from pathlib import Path

_LONGEST = 20.0
"""Seconds for which git may read."""

_LINES = 2_000_000
"""Lines of its log that are read."""

_TIME = re.compile(r"@(\d{1,12})\n?", re.ASCII)

_READ_ONLY = (
    "--no-pager",
    "--literal-pathspecs",
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.quotePath=false"),
    *("-c", "log.showSignature=false"),
    *("-c", "protocol.allow=never"),
)
_LOG = ("log", "--format=@%at", "--name-only", "--no-renames", "--no-ext-diff", "--diff-filter=AM", "--relative")
_CHANGED = ("ls-files", "--modified", "--deleted", "-z")


def committed(folder: Path, names: Collection[str]) -> dict[str, float]:
    """Return when files of a folder were committed last, in seconds since 1970, of those of which that is known.

    ``names`` are the files that are wanted. What cannot be told, as where there is no git, is told of no file.
    """
    program = shutil.which("git")
    if program is None or not names:
        return {}
    command = [program, "-C", str(folder), *_READ_ONLY]
    try:
        times = _log([*command, *_LOG, "--", "."], {*names})
        changed = subprocess.run(  # noqa: S603  it is given no text of others
            [*command, *_CHANGED, "--", "."],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LONGEST,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    if changed.returncode:
        return {}
    for name in os.fsdecode(changed.stdout).split("\0"):
        times.pop(name, None)
    return times


def _log(command: list[str], wanted: set[str]) -> dict[str, float]:
    """Return when files were committed last, by the log of git, which begins with the newest commit."""
    process = subprocess.Popen(  # noqa: S603  it is given no text of others
        command, env=_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    too_long = threading.Timer(_LONGEST, process.kill)
    too_long.daemon = True
    too_long.start()
    try:
        assert process.stdout
        with process.stdout as lines:
            return _times(map(os.fsdecode, lines), wanted)
    finally:
        # All is known, or will not be: what git has left to say is of no use.
        too_long.cancel()
        process.kill()
        process.wait()


def _times(lines: Iterator[str], wanted: set[str]) -> dict[str, float]:
    times: dict[str, float] = {}
    at = 0.0
    for number, line in enumerate(lines):
        if len(times) == len(wanted) or number > _LINES:
            break
        if match := _TIME.fullmatch(line):
            at = float(match[1])
        else:
            name = line.rstrip("\n")
            if name in wanted:
                times.setdefault(name, at)
    return times


def _environment() -> dict[str, str]:
    # In a hook of git these say which repository is meant: of the one that was committed to, and not of the folder's.
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return own | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
