"""The files that stand over the system's inside."""

from pathlib import Path

from wiretape.cli.certificates import TrustFiles
from wiretape.cli.isolation.files import covers, files_and_dns


def test_names_are_looked_up_in_files_and_by_the_name_server_alone() -> None:
    switch = "passwd: files systemd\n hosts:  files mdns4 [NOTFOUND=return] resolve dns\nnetworks: files\n"
    expected = "passwd: files systemd\nhosts: files myhostname dns\nnetworks: files\n"
    assert files_and_dns(switch) == expected


def test_each_file_is_covered_once_by_its_own_path(tmp_path: Path) -> None:
    java = tmp_path / "jdk" / "lib" / "security" / "cacerts"
    java.parent.mkdir(parents=True)
    real = tmp_path / "real"
    real.touch()
    java.symlink_to(real)
    store = tmp_path / "store"
    store.write_bytes(b"x")
    trust = TrustFiles(str(tmp_path / "ca.pem"), str(store), "")
    with covers(trust, {"JAVA_HOME": str(tmp_path / "jdk")}) as pairs:
        covered = {theirs: ours for ours, theirs in pairs}
        assert len(covered) == len(pairs)
        assert covered[str(real)] == str(store)
        resolver = str(Path("/etc/resolv.conf").resolve())
        if resolver in covered:
            assert Path(covered[resolver]).read_text("ascii") == "nameserver 127.0.0.1\n"
    assert not any(Path(ours).exists() for ours in covered.values() if ours not in (str(store), trust.pem))
