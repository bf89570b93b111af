"""Whatever is killed under load: all that a client has got whole is recorded. ``kills.py`` does the same for longer."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from harness import Mitmdump, openai_client, wait_until
from kills import kill, lives, recorded, team, writer_of
from loopback import Provider
from talk import Talk, ask
from wiretape.cluster.balancer import haproxy
from wiretape.journal.key import key_folders

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


def test_the_next_start_finishes_what_was_left_in_whatever_mode(tmp_path: Path) -> None:
    recordings, env = tmp_path / "recordings", {"XDG_STATE_HOME": str(tmp_path / "state")}
    with Provider() as provider:
        Talk(provider)
        with Mitmdump(recordings, "record", origin=provider, env=env) as proxy:
            writer = wait_until(lambda: writer_of(proxy), 30)
            assert writer
            os.kill(writer, signal.SIGSTOP)
            with openai_client(proxy) as client:
                got = ask(client, "are you there?")
            # Both at once: what they had is in the journal alone.
            kill(proxy.process.pid, writer)
            proxy.process.wait()
    assert recorded(recordings) == {}
    with Mitmdump(recordings, "replay", env=env) as proxy:
        proxy.wait_for_log(r"a proxy \(process \d+\) had ended with answers still to be written: 1 recorded", 30)
        with openai_client(proxy) as client:
            assert ask(client, "are you there?") == got
    assert not [*(tmp_path / "state" / "wiretape" / "journal").iterdir()]
