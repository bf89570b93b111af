"""Runs a module of ours in a Python of its own, which takes nothing from the folder it was started in: child processes.

Run as a file, by an isolated Python (``-I``): the folder that it was started in, ``PYTHONPATH`` and the like are not
on its path, so that what a checkout calls ``random.py`` or ``logging.py`` is not run. The package is found by its
place, and what it needs where this process has it: folders of installed packages, and those behind the standard
library, never before it.
"""

import importlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

_INSTALLED = ("site-packages", "dist-packages")


def command(module: str) -> list[str]:
    """The command line that calls a module's ``main``."""
    package = Path(__file__).resolve().parents[1]
    installed = [each for each in sys.path if os.path.isabs(each) and Path(each).name in _INSTALLED]  # noqa: PTH117
    path = dict.fromkeys((str(package), *installed))
    return [sys.executable, "-I", str(Path(__file__).resolve()), json.dumps([*path]), module]


def main(arguments: Sequence[str]) -> None:
    """Be the module."""
    path, module = arguments
    sys.path += [each for each in json.loads(path) if each not in sys.path]
    importlib.import_module(module).main()


if __name__ == "__main__":
    # Behind the traffic, from the first moment: where cores are few, the streams go before.
    if hasattr(os, "nice"):
        os.nice(10)
    main(sys.argv[1:])
