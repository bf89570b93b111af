"""What sessions have spent: exact, for all processes, and never taken for nothing where it cannot be read."""

import stat
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest

from wiretape.pricing.spending import Spending, Spent


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "spent.sqlite"


def test_what_one_has_added_is_there_for_all(file: Path) -> None:
    one = Spending(file)
    other = Spending(file)
    assert other.of("main", "") == Spent()
    one.add("main", "", Decimal("0.0000000375"))
    other.add("main", "", Decimal("1.5"))
    one.add("main", "", None)
    one.add("main", "2026-11-28", Decimal(2))
    one.add("nightly", "", Decimal(3))
    assert other.of("main", "") == one.of("main", "") == Spent(Decimal("1.5000000375"), 1)
    assert one.all() == {
        ("main", ""): Spent(Decimal("1.5000000375"), 1),
        ("main", "2026-11-28"): Spent(Decimal(2)),
        ("nightly", ""): Spent(Decimal(3)),
    }


def test_it_is_there_for_who_comes_later_until_it_is_reset(file: Path) -> None:
    before = Spending(file)
    before.add("main", "", Decimal(1))
    before.add("nightly", "", Decimal(1))
    before.close()
    after = Spending(file)
    assert after.of("main", "").usd == 1
    after.reset("main")
    assert after.all() == {("nightly", ""): Spent(Decimal(1))}


def test_nothing_is_lost_where_many_add_at_once(file: Path) -> None:
    workers = [Spending(file) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: workers[number % 4].add("main", "", Decimal("0.1")), range(40)))
    assert Spending(file).of("main", "").usd == 4


def test_a_sum_is_rounded_up(file: Path) -> None:
    spending = Spending(file)
    spending.add("main", "", Decimal("1e-13"))
    assert spending.of("main", "").usd == Decimal("1e-12")


def test_periods_that_are_over_are_forgotten_at_last(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wiretape.pricing.spending._KEPT", 2)
    spending = Spending(file)
    for period in ("", "2026-11-01", "2026-11-02", "2026-11-03"):
        spending.add("main", period, Decimal(1))
    assert [period for _, period in spending.all()] == ["", "2026-11-02", "2026-11-03"]


def test_only_its_owner_reads_it(file: Path) -> None:
    Spending(file).add("main", "", Decimal(1))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, file: Path) -> None:
    file.write_bytes(b"no database" * 100)
    for spending in (Spending(file), Spending(tmp_path / "none" / "spent.sqlite")):
        with pytest.raises(OSError, match=r"spent\.sqlite"):
            spending.of("main", "")
        with pytest.raises(OSError, match=r"spent\.sqlite"):
            spending.add("main", "", Decimal(1))
