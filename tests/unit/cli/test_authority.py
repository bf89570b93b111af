"""What is an authority that a proxy may have, and how it is told apart from others."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from authorities import Certificate
from wiretape.cli import authority


def test_its_fingerprint_is_the_one_that_openssl_tells(tmp_path: Path) -> None:
    made = Certificate()
    file = tmp_path / "ca.pem"
    file.write_bytes(made.pem)
    command = ["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", str(file)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert authority.read(file).fingerprint == told.strip().partition("=")[2]


NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("pem", "told"),
    [
        (b"", "it holds 0 certificates"),
        (b"<html>mitm.it</html>", "it holds 0 certificates"),
        (Certificate().pem + Certificate().pem, "it holds 2 certificates"),
        (Certificate().pem + Certificate().key_pem, "a private key came with it"),
        (Certificate(is_authority=False).pem, "the certificate of no authority"),
        (Certificate(is_authority=None).pem, "the certificate of no authority"),
        (Certificate(NOW - 2 * DAY, NOW - DAY).pem, "it has expired on"),
        (Certificate(NOW + DAY, NOW + 2 * DAY).pem, "one of the two clocks is wrong"),
        (b"-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n", "it cannot be read"),
    ],
)
def test_what_is_none(pem: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        authority.parse(pem)


def test_it_is_found_in_a_bundle_however_that_is_laid_out() -> None:
    mine = authority.parse(Certificate().pem)
    others = Certificate().pem
    assert mine.is_in(others + b"\n" + mine.pem.replace(b"\n", b"\r\n"))
    assert not mine.is_in(others)


def test_how_long_it_holds() -> None:
    assert authority.parse(Certificate(NOW - DAY, NOW + 29 * DAY).pem).ends_soon
    assert not authority.parse(Certificate(NOW - DAY, NOW + 31 * DAY).pem).ends_soon
