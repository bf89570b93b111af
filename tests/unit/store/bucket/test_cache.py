"""For how long something seen is believed, and copies on a disk."""

import os
from pathlib import Path

import pytest

from s3 import Clock
from wiretape.store.bucket.cache import Disk, RecentObjects
from wiretape.store.bucket.versions import StoredObject, Version


def found(data: bytes, e_tag: str = "e") -> StoredObject:
    return StoredObject(data, Version(f'"{e_tag}"', None, len(data)))


class TestSight:
    def test_believed_for_a_while_from_when_it_was_asked(self) -> None:
        clock = Clock()
        sight = RecentObjects(10_000, 1.5, clock)
        sight.saw("team/a", found(b"x"), clock.now - 1.0)
        seen, is_fresh = sight.get("team/a")
        assert seen
        assert seen.object == found(b"x")
        assert is_fresh
        clock.now += 0.6
        assert sight.get("team/a") == (seen, False)
        assert sight.get("team/b") == (None, False)

    def test_an_answer_to_an_earlier_question_does_not_undo_a_write(self) -> None:
        clock = Clock()
        sight = RecentObjects(10_000, 1.5, clock)
        asked = clock.now
        clock.now += 0.1
        sight.wrote("team/a", found(b"x"), asked)
        sight.saw("team/a", None, asked + 0.05)
        seen, _ = sight.get("team/a")
        assert seen
        assert seen.object
        sight.saw("team/a", None, clock.now + 0.1)
        seen, _ = sight.get("team/a")
        assert seen
        assert seen.object is None

    def test_a_session_in_doubt(self) -> None:
        clock = Clock()
        sight = RecentObjects(10_000, 1.5, clock)
        for key in ("team/a", "other/a"):
            sight.saw(key, found(b"x"), clock.now)
        sight.doubt("team")
        assert [sight.get(key)[1] for key in ("team/a", "other/a")] == [False, True]
        assert sight.get("team/a")[0], "the bytes stay, to be confirmed"
        clock.now += 0.1
        sight.saw("team/a", found(b"x"), clock.now)
        assert sight.get("team/a")[1]

    def test_bounded_and_what_is_used_stays(self) -> None:
        clock = Clock()
        sight = RecentObjects(10_000, 1.5, clock)
        for number in range(100):
            sight.saw(f"team/{number}", found(b"x" * 1000), clock.now)
            sight.get("team/0")
            assert sight.size <= 10_000
        assert sight.get("team/0")[0]
        assert sight.get("team/99")[0]
        assert sight.get("team/50")[0] is None
        sight.saw("team/large", found(b"x" * 20_000), clock.now)
        assert sight.get("team/large")[0] is None
        for number in range(100):
            sight.saw(f"team/none{number}", None, clock.now)
        assert sight.size <= 10_000


class TestDisk:
    def test_what_was_kept_last(self, tmp_path: Path) -> None:
        disk = Disk(tmp_path / "cache", 10_000)
        assert disk.get("team/a") is None
        disk.keep("team/a", found(b"1", "one"))
        disk.keep("team/a", found(b"2\n\x00", "two"))
        disk.keep("team/b", found(b"3"))
        assert disk.get("team/a") == found(b"2\n\x00", "two")
        assert Disk(tmp_path / "cache", 10_000).get("team/b") == found(b"3")
        assert len([*(tmp_path / "cache").iterdir()]) == 2
        disk.drop("team/a")
        assert disk.get("team/a") is None

    def test_bounded_and_what_is_used_stays(self, tmp_path: Path) -> None:
        disk = Disk(tmp_path / "cache", 10_000)
        for number in range(30):
            disk.keep(f"team/{number}", found(b"x" * 1000))
            for age, path in enumerate((tmp_path / "cache").iterdir()):
                os.utime(path, (age, age))  # A coarse clock would make them all the same age.
            assert disk.get("team/0")
        assert sum(path.stat().st_size for path in (tmp_path / "cache").iterdir()) <= 10_000
        assert disk.get("team/0")

    @pytest.mark.parametrize("how", [b"", b"{}", b"{}\nxyz", b"\xff\n", b"[1]\n"])
    def test_a_broken_file_is_nothing(self, tmp_path: Path, how: bytes) -> None:
        disk = Disk(tmp_path, 10_000)
        disk.keep("team/a", found(b"data"))
        [path] = tmp_path.iterdir()
        whole = path.read_bytes()
        path.write_bytes(how)
        assert disk.get("team/a") is None
        path.write_bytes(whole[:-1])
        assert disk.get("team/a") is None
        path.write_bytes(whole)
        assert disk.get("team/a") == found(b"data")

    def test_a_disk_that_fails_is_said_and_no_error(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        (tmp_path / "cache").write_bytes(b"in the way")
        disk = Disk(tmp_path / "cache", 10_000)
        disk.keep("team/a", found(b"x"))
        assert "not kept" in caplog.text
        assert disk.get("team/a") is None
        disk.drop("team/a")
