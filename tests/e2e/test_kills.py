"""Whatever is killed under load: all that a client has got whole is recorded. ``kills.py`` does the same for longer."""

from pathlib import Path
from typing import Any

import pytest

from kills import lives, team
from wiretape.journal_folder import key_folders
from wiretape.team.front import haproxy

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are looked at in /proc"),
    pytest.mark.skipif(not key_folders(), reason="no folder in memory is here"),
]


def is_exact(found: dict[str, Any]) -> bool:
    return bool(found["finished"]) and not (found["lost"] or found["wrong"] or found["wrong to clients"])


def test_nothing_is_lost_with_the_proxy_its_writer_or_both(tmp_path: Path) -> None:
    found = lives(("proxy", "writer", "both"), 0.2, tmp_path)
    assert is_exact(found), found


@pytest.mark.skipif(haproxy() is None, reason="HAProxy is not on this machine")
def test_nothing_is_lost_with_all_workers_and_the_balancer(tmp_path: Path) -> None:
    found = team("all", 1, 0.2, tmp_path)
    assert is_exact(found), found
