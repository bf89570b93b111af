"""Whether a folder is on another machine's disk. Source of the form: proc(5), /proc/pid/mountinfo."""

from pathlib import Path

import pytest

from wiretape.store.mounts import is_elsewhere


def line(point: str, kind: str, *, number: int = 36, optional: str = "shared:1 ") -> str:
    return f"{number} 35 98:0 /mnt1 {point} rw,noatime {optional}- {kind} /dev/root rw,errors=continue"


ROOT = line("/", "ext4", optional="")


def mounted(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "mountinfo"
    path.write_text("\n".join([*lines, ""]), "utf-8")
    return path


@pytest.mark.parametrize(
    "kind",
    [
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "9p", "ceph"),
        *("glusterfs", "afs", "lustre", "virtiofs", "vboxsf", "sshfs"),
    ],
)
def test_a_folder_of_another_machines(kind: str, tmp_path: Path) -> None:
    mounts = mounted(tmp_path, ROOT, line("/somewhere/team", kind))
    assert is_elsewhere(Path("/somewhere/team"), mounts)
    assert is_elsewhere(Path("/somewhere/team/recordings"), mounts)
    assert not is_elsewhere(Path("/somewhere"), mounts)
    assert not is_elsewhere(Path("/somewhere/team2"), mounts)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "apfs", "vfat", "ntfs3"])
def test_a_folder_of_this_machines(kind: str, tmp_path: Path) -> None:
    assert not is_elsewhere(Path("/somewhere/here"), mounted(tmp_path, ROOT, line("/somewhere", kind)))


def test_all_of_a_machine_may_be_elsewhere(tmp_path: Path) -> None:
    mounts = mounted(tmp_path, line("/", "nfs4"), line("/somewhere/tmp", "tmpfs"))
    assert is_elsewhere(Path("/somewhere"), mounts)
    assert is_elsewhere(Path("/"), mounts)
    assert not is_elsewhere(Path("/somewhere/tmp/recordings"), mounts)


@pytest.mark.parametrize("turn", [1, -1])
def test_the_innermost_mount_decides_in_whatever_order_they_stand(turn: int, tmp_path: Path) -> None:
    lines = [ROOT, line("/somewhere", "nfs"), line("/somewhere/a", "ext4"), line("/somewhere/a/b", "fuse.x")]
    mounts = mounted(tmp_path, *lines[::turn])
    folders = ["/", "/somewhere", "/somewhere/a", "/somewhere/a/b", "/somewhere/a/b/c", "/somewhere/ab"]
    assert [is_elsewhere(Path(folder), mounts) for folder in folders] == [False, True, False, True, True, True]


def test_of_two_mounts_at_one_point_the_later_covers_the_other(tmp_path: Path) -> None:
    here, there = line("/somewhere", "ext4"), line("/somewhere", "nfs4")
    assert is_elsewhere(Path("/somewhere/x"), mounted(tmp_path, ROOT, here, there))
    assert not is_elsewhere(Path("/somewhere/x"), mounted(tmp_path, ROOT, there, here))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"/somewhere/My\040Disk", "/somewhere/My Disk"),
        (r"/somewhere/a\011b", "/somewhere/a\tb"),
        (r"/somewhere/a\012b", "/somewhere/a\nb"),
        (r"/somewhere/a\134040b", r"/somewhere/a\040b"),
    ],
)
def test_what_a_line_cannot_hold_is_written_in_octal(written: str, meant: str, tmp_path: Path) -> None:
    mounts = mounted(tmp_path, ROOT, line(written, "nfs"))
    assert is_elsewhere(Path(meant), mounts)
    assert is_elsewhere(Path(meant) / "recordings", mounts)


@pytest.mark.parametrize("name", ["Données", "共有", "My\u00a0Disk", "a\u3000b", "a\u2028b", "a\u0085b", "a\fb"])
def test_a_name_beyond_ascii(name: str, tmp_path: Path) -> None:
    mounts = mounted(tmp_path, ROOT, line(f"/somewhere/{name}", "nfs"))
    assert is_elsewhere(Path("/somewhere") / name / "recordings", mounts)
    assert not is_elsewhere(Path("/somewhere"), mounts)


def test_a_name_that_is_no_text_of_another_mount_is_no_obstacle(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    other = line("/media/Donn_es", "vfat").encode().replace(b"_", b"\xe9")
    mounts.write_bytes(b"\n".join([ROOT.encode(), other, line("/somewhere", "nfs").encode(), b""]))
    assert is_elsewhere(Path("/somewhere"), mounts)
    assert not is_elsewhere(Path("/media"), mounts)


@pytest.mark.parametrize("optional", ["", "shared:1 ", "shared:1 master:2 propagate_from:3 "])
def test_there_may_be_any_number_of_optional_fields(optional: str, tmp_path: Path) -> None:
    assert is_elsewhere(Path("/somewhere"), mounted(tmp_path, ROOT, line("/somewhere", "nfs", optional=optional)))


def test_a_link_is_where_it_leads(tmp_path: Path) -> None:
    target, link = tmp_path / "team", tmp_path / "link"
    target.mkdir()
    link.symlink_to(target)
    mounts = mounted(tmp_path, ROOT, line(str(target.resolve()), "nfs"))
    assert is_elsewhere(link / "not there yet", mounts)


def test_a_relative_folder_is_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mounts = mounted(tmp_path, ROOT, line(str(tmp_path.resolve()), "nfs"))
    assert is_elsewhere(Path("recordings"), mounts)


def test_where_no_mounts_can_be_read_all_is_here(tmp_path: Path) -> None:
    assert not is_elsewhere(tmp_path, tmp_path / "missing")
    assert not is_elsewhere(tmp_path, tmp_path)


def test_on_this_machine_it_can_be_told(tmp_path: Path) -> None:
    assert is_elsewhere(tmp_path) in (True, False)


def test_links_that_go_round_in_a_circle_lead_to_where_they_are(tmp_path: Path) -> None:
    circle = tmp_path / "circle"
    circle.symlink_to("circle")
    assert not is_elsewhere(circle, mounted(tmp_path, ROOT))
    assert is_elsewhere(circle / "below", mounted(tmp_path, ROOT, line(str(tmp_path), "nfs4")))
