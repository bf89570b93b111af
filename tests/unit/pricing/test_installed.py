"""Whether there is a library of prices, told without an import of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from wiretape.pricing import installed


def test_a_version_is_told_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert installed.version()
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert installed.version() == ""


def test_prices_are_remembered_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert installed.memory_file() == tmp_path / "wiretape" / "prices.json"


def test_a_start_imports_neither_the_library_nor_what_reads_it() -> None:
    code = (
        "import sys, wiretape.proxy.configure; from wiretape.pricing.prices import Prices; Prices().are_known;"
        "print(sorted({'genai_prices', 'wiretape.pricing.library', 'wiretape.pricing.rates'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
