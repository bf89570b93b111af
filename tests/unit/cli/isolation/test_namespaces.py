"""What is told where a system does not let a command be isolated."""

import errno
from pathlib import Path

import pytest

from wiretape.cli.isolation import namespaces


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A kernel without settings."""
    for name in ("_APPARMOR", "_CLONE", "_NAMESPACES"):
        monkeypatch.setattr(namespaces, name, tmp_path / name)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("_APPARMOR", "1", "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
        ("_CLONE", "0", "sudo sysctl kernel.unprivileged_userns_clone=1"),
        ("_NAMESPACES", "0", "sudo sysctl user.max_user_namespaces="),
        ("_APPARMOR", "0", "--security-opt seccomp=unconfined"),
        ("_APPARMOR", "?", "--security-opt seccomp=unconfined"),
    ],
)
def test_the_setting_that_forbids_it_is_named(tmp_path: Path, name: str, value: str, says: str) -> None:
    (tmp_path / name).write_text(value, "ascii")
    told = namespaces._why("enter namespaces", errno.EPERM)
    assert told.startswith("this system does not let us enter namespaces: Operation not permitted")
    assert says in told


def test_what_a_kernel_lacks_is_named() -> None:
    assert "nft_tproxy" in namespaces._why("set the network up", errno.EOPNOTSUPP)
    assert namespaces._why("make sockets", errno.EMFILE).endswith("Too many open files")


def test_users_are_who_they_are_outside() -> None:
    lines = "         0       1000          1\n         1     100000      65536\n"
    assert namespaces._same(lines) == "0 0 1\n1 1 65536\n"
