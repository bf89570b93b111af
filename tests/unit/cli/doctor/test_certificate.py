"""The CA of this machine, as the doctor sees it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from authorities import Certificate
from wiretape.cli.doctor.certificate import findings
from wiretape.cli.doctor.finding import State

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def keep(folder: Path, made: Certificate, *, key: Certificate | None = None, given: bytes | None = None) -> None:
    """Put a CA where mitmproxy has it."""
    file = folder / "mitmproxy-ca.pem"
    file.write_bytes((key or made).key_pem + made.pem)
    file.chmod(0o600)
    (folder / "mitmproxy-ca-cert.pem").write_bytes(made.pem if given is None else given)


def bad(folder: Path) -> list[tuple[str, str]]:
    """What is wrong, with what is to be done."""
    return [(each.said, each.advice) for each in findings(folder) if each.state is not State.OK]


def test_a_sound_one_is_told_by_its_fingerprint(tmp_path: Path) -> None:
    made = Certificate()
    keep(tmp_path, made)
    found = [*findings(tmp_path)]
    assert {each.state for each in found} == {State.OK}
    assert "SHA-256 fingerprint " in found[0].said


def test_none_yet_is_no_fault(tmp_path: Path) -> None:
    assert bad(tmp_path) == []
    assert "the first proxy that is started makes it" in next(findings(tmp_path)).said


@pytest.mark.parametrize(
    ("begins", "ends", "told"),
    [
        (NOW - 2 * DAY, NOW - DAY, "has expired on"),
        (NOW + DAY, NOW + 90 * DAY, "which is still to come"),
        (NOW - DAY, NOW + DAY, "expires on"),
    ],
)
def test_its_times(begins: datetime, ends: datetime, told: str, tmp_path: Path) -> None:
    keep(tmp_path, Certificate(begins, ends))
    [(said, advice)] = bad(tmp_path)
    assert told in said
    assert advice


def test_a_key_that_others_can_read_is_a_fault(tmp_path: Path) -> None:
    keep(tmp_path, Certificate())
    (tmp_path / "mitmproxy-ca.pem").chmod(0o640)
    [(said, advice)] = bad(tmp_path)
    assert "has the mode 640" in said
    assert advice == f"chmod 600 {tmp_path}/mitmproxy-ca.pem"


def test_files_that_do_not_belong_together_are_a_fault(tmp_path: Path) -> None:
    keep(tmp_path, Certificate(), key=Certificate())
    assert "the key is not that of the certificate" in bad(tmp_path)[0][0]
    keep(tmp_path, Certificate(), given=Certificate().pem)
    assert "is another CA than the one that signs" in bad(tmp_path)[0][0]
    keep(tmp_path, Certificate(), given=b"")
    assert "is what programs get" in bad(tmp_path)[0][0]
    (tmp_path / "mitmproxy-ca.pem").write_bytes(b"no")
    assert "does not hold a key and a certificate" in bad(tmp_path)[0][0]
