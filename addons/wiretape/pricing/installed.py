"""Whether the library of prices is on this machine, and where its prices are remembered. It imports neither.

All that a start needs to know of them.
"""

from pathlib import Path

from wiretape.store.opening import cache_folder

MISSING = "prices need the package genai-prices: pip install genai-prices"


def version() -> str:
    """Return what tells this installation of the library from others; empty where there is none."""
    import importlib.util

    found = importlib.util.find_spec("genai_prices")
    if found is None or not found.origin:
        return ""
    status = (Path(found.origin).parent / "data.py").stat()
    return f"{status.st_mtime_ns}-{status.st_size}"


def memory_file() -> Path:
    """Return the file of this user that ``memory`` writes, whether it is there or not."""
    return cache_folder() / "prices.json"
