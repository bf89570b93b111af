"""The CAs that a command trusts: the machine's, those of the user's variables, and mitmproxy's."""

import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from wiretape.cli import certificates
from wiretape.cli.certificates import check_confdir, trust_files, trusted_file, trusted_pem


def certificate(name: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 7, now, now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


OURS, COMPANY, OTHER = certificate("ours"), certificate("company"), certificate("other")


@pytest.fixture(name="company")
def _company(tmp_path: Path) -> Path:
    path = tmp_path / "company.pem"
    path.write_bytes(COMPANY)
    return path


def test_a_companys_ca_stays_trusted_whichever_variable_names_it(company: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(OTHER)
    chosen = trusted_pem({"SSL_CERT_FILE": str(company), "REQUESTS_CA_BUNDLE": str(other), "PIP_CERT": str(other)})
    assert chosen == COMPANY + b"\n" + OTHER


def test_the_machines_cas_are_trusted_where_no_file_takes_their_place(
    company: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "_system_pem", lambda: OTHER)
    assert trusted_pem({}) == OTHER
    assert trusted_pem({"NODE_EXTRA_CA_CERTS": str(company)}) == OTHER + b"\n" + COMPANY
    assert trusted_pem({"SSL_CERT_FILE": "/no/such/file"}).startswith(OTHER)


@pytest.mark.parametrize("text", ["", "no certificate"])
def test_what_is_no_certificate_is_left_out(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "_system_pem", lambda: OTHER)
    (tmp_path / "x.pem").write_text(text)
    assert OTHER in trusted_pem({"SSL_CERT_FILE": str(tmp_path / "x.pem")})
    assert b"no certificate" not in trusted_pem({"CURL_CA_BUNDLE": str(tmp_path / "x.pem")})


def test_the_file_goes_at_the_end(company: Path) -> None:
    with trusted_file({"SSL_CERT_FILE": str(company)}) as name:
        assert Path(name).read_bytes() == COMPANY
    assert not Path(name).exists()


def test_each_program_finds_them_in_its_form(company: Path) -> None:
    with trust_files(OURS, {"SSL_CERT_FILE": str(company)}) as files:
        pem = Path(files.pem).read_bytes()
        assert pem == COMPANY + b"\n" + OURS
        names = {
            match[1]
            for each in pkcs12.load_pkcs12(Path(files.java).read_bytes(), None).additional_certs
            if (match := re.search("CN=(.*)", each.certificate.subject.rfc4514_string()))
        }
        assert names == {"company", "ours"}
        (settings,) = Path(files.php).iterdir()
        assert settings.read_text() == f'curl.cainfo = "{files.pem}"\nopenssl.cafile = "{files.pem}"\n'
        # The command may run as another user.
        assert stat.S_IMODE(Path(files.pem).stat().st_mode) == 0o644
        assert stat.S_IMODE(Path(files.pem).parent.stat().st_mode) == 0o755
    assert not Path(files.pem).parent.exists()


def test_a_certificate_that_cannot_be_read_is_no_reason_to_fail(company: Path) -> None:
    company.write_bytes(COMPANY + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with trust_files(OURS, {"SSL_CERT_FILE": str(company)}) as files:
        assert len(pkcs12.load_pkcs12(Path(files.java).read_bytes(), None).additional_certs) == 2


def test_a_folder_that_cannot_have_a_ca_is_said_with_what_to_do(tmp_path: Path) -> None:
    check_confdir([f"confdir={tmp_path / 'new' / 'folder'}"])
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Let HOME, or --set confdir=, name a folder that can be written"):
        check_confdir(["confdir=/elsewhere", f"confdir={tmp_path / 'file' / 'below'}"])
