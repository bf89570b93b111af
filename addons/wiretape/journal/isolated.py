"""A module of ours in a Python of its own, which takes nothing from the folder it was started in: child processes.

Run as a file, by an isolated Python (``-I``): the folder that it was started in, ``PYTHONPATH`` and the like are not
on its path, so that what a checkout calls ``random.py`` or ``logging.py`` is not run. Our package is loaded from its
own place, whatever else is called so; what it needs is found where this process has it, in folders of installed
packages, behind the standard library.
"""

import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

_INSTALLED = ("site-packages", "dist-packages")

_HERE = Path(__file__).resolve()


def command(module: str) -> list[str]:
    """Return the command line that calls a module's ``main``."""
    installed = [each for each in sys.path if os.path.isabs(each) and Path(each).name in _INSTALLED]  # noqa: PTH117
    return [sys.executable, "-I", str(_HERE), json.dumps([*dict.fromkeys(installed)]), module]


def main(arguments: Sequence[str]) -> None:
    """Call a module's ``main``, given where packages are installed and the module's name."""
    installed = json.loads(arguments[0])
    module = arguments[1]
    sys.path += [each for each in installed if each not in sys.path]
    name = module.partition(".")[0]
    spec = importlib.util.spec_from_file_location(name, _HERE.parents[1] / "__init__.py")
    assert spec
    assert spec.loader
    sys.modules[name] = package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)
    importlib.import_module(module).main()


if __name__ == "__main__":
    # Behind the traffic, from the first moment: where cores are few, the streams go before.
    if hasattr(os, "nice"):
        os.nice(10)
    main(sys.argv[1:])
