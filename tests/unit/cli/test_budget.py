"""wiretape budget, as a user calls it."""

import time
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from wiretape.call_log import places
from wiretape.cli.commands import app
from wiretape.pricing.budget import Per
from wiretape.pricing.spending import Spending

CONFIG = '[session.nightly]\nbudget = "5 USD"\n[session.daily]\nbudget = "1 USD per day"\n'


@pytest.fixture(name="root")
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "team.toml").write_text(CONFIG)
    return tmp_path / "recordings"


@pytest.fixture(name="spending")
def _spending(root: Path) -> Spending:
    return Spending(places.make_spent_file(str(root)))


def budget(root: Path, *args: str) -> Result:
    arguments = ["budget", "--recordings", str(root), *args]
    return CliRunner().invoke(app, arguments, prog_name="wiretape", env={"COLUMNS": "100"})


def shown(root: Path) -> Result:
    return budget(root, "--config", str(root.parent / "team.toml"))


def test_where_nothing_was_spent_all_is_left(root: Path) -> None:
    result = shown(root)
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()[1:]] == [
        ["daily", "0", "USD", "1", "USD", "per", "day", "1", "USD"],
        ["nightly", "0", "USD", "5", "USD", "5", "USD"],
    ]


def test_what_was_spent_and_what_is_left(root: Path, spending: Spending) -> None:
    spending.add("nightly", "", Decimal("1.5"))
    spending.add("nightly", "", None)
    spending.add("daily", "2020-01-01", Decimal(9))
    spending.add("former", "", Decimal(2))
    result = shown(root)
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()[1:]] == [
        ["daily", "0", "USD", "1", "USD", "per", "day", "1", "USD"],
        ["former", "2", "USD", "none", "now"],
        ["nightly", "1.50", "USD", "5", "USD", "3.50", "USD", "1"],
    ]


def test_a_budget_that_is_used_up_is_told_by_the_exit_code(root: Path, spending: Spending) -> None:
    spending.add("daily", Per.DAY.name_at(time.time()), Decimal("1.2"))
    assert shown(root).exit_code == 1


def test_a_session_begins_anew(root: Path, spending: Spending) -> None:
    spending.add("nightly", "", Decimal("1.5"))
    spending.add("daily", "", Decimal(1))
    assert budget(root, "--reset", "nightly").stdout == "session nightly begins anew: 1.50 USD were spent\n"
    assert budget(root, "--reset", "nightly").stdout == "session nightly has spent nothing here\n"
    assert [*spending.all()] == [("daily", "")]


def test_without_budgets_it_is_said_how_one_is_made(root: Path) -> None:
    result = budget(root)
    assert result.exit_code == 0
    assert 'budget = "5 USD" in [session.NAME]' in result.stdout
    assert budget(root, "--reset", "nightly").stdout == "session nightly has spent nothing here\n"


def test_what_cannot_be_told_is_said(root: Path, spending: Spending) -> None:
    spending.file.write_bytes(b"no database" * 100)
    result = shown(root)
    assert result.exit_code == 2
    assert "spent" in result.stderr
    assert budget(root, "--reset", "No Name").exit_code == 2
