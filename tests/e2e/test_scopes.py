"""Scopes and overrides of proxies that run: real mitmdumps, told as wiretape serve tells its workers."""

import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from coordinating import Coordinating
from harness import Mitmdump, wait_until
from loopback import Provider
from talk import Talk, httpx_client, post, said, written
from wiretape.config import Configuration, overrides
from wiretape.config.overrides import Known
from wiretape.sessions.scopes import Overrides, Scope

KNOWN = Known.of(Configuration())


class Rig:
    """A coordinator, and proxies that are its workers."""

    def __init__(self, team: Coordinating, folder: Path, provider: Provider) -> None:
        self.team = team
        self.recordings = folder / "recordings"
        self._provider = provider

    def worker(self, number: int, **options: str) -> Mitmdump:
        chosen = {"wiretape_coordinator": str(self.team.membership(number)), **options}
        return Mitmdump(self.recordings, "record-if-missing", origin=self._provider, options=chosen)

    def open(self, **told: Any) -> Scope:
        scope = overrides.scope(told, KNOWN)
        self.team.overriding.apply(self.team.overriding.overrides.with_scope(scope))
        return scope

    def close(self, scope: Scope) -> None:
        self.team.overriding.apply(self.team.overriding.overrides.without_scope(scope.id))


@pytest.fixture(name="rig")
def _rig(tmp_path: Path, provider: Provider) -> Iterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="team-") as folder, Coordinating(Path(folder)) as team:
        yield Rig(team, tmp_path, provider)


def own_end(answer: httpx.Response) -> object:
    """The client's end of the connection that an answer came over."""
    return answer.extensions["network_stream"].get_extra_info("client_addr")


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_one_tunnel_goes_through_scopes_of_different_sessions(rig: Rig, provider: Provider, *, http2: bool) -> None:
    talk = Talk(provider)
    ends: list[object] = []

    def ask() -> httpx.Response:
        answer = post(client, "Hi")
        ends.append(own_end(answer))
        return answer

    with rig.worker(1) as proxy, httpx_client(proxy, "gw0", http2=http2) as client:
        assert said(ask()) == "answer 1 to Hi"
        rig.open(client="gw0", session="one", test_id="test_one")
        assert [said(ask()) for _ in range(2)] == ["answer 2 to Hi"] * 2
        rig.open(client="gw0", session="two", mode="replay")
        assert ask().status_code == 400
        wait_until(lambda: "one" in written(rig.recordings))
        # What is in memory since, of the same session, is no way around a scope's faults.
        rig.open(client="gw0", session="one", mode="replay", faults=[{"status": 429, "nth": 2}])
        assert [ask().status_code for _ in range(3)] == [200, 429, 200]
        # What all tests share is not recorded by one that is alone.
        rig.open(client="gw0", session="one", test_id="test_alone", isolated=True)
        assert [said(ask()) for _ in range(2)] == ["answer 3 to Hi"] * 2
        scope = rig.open(client="gw0", session="one", mode="live", takes="sequence")
        assert said(ask()) == "answer 4 to Hi"
        rig.close(scope)
        assert said(ask()) == "answer 1 to Hi"
        assert len({*ends}) == 1, "it is one connection"
        assert len(talk.questions) == 4
        assert proxy.stop() == 0
    assert written(rig.recordings) == {"gw0": ["Hi"], "one": ["Hi", "Hi"]}
    made = [json.loads(file.read_bytes()) for file in (rig.recordings / "one" / "responses").iterdir()]
    assert sorted(str(each.get("test_id")) for each in made) == ["None", "test_alone"]


def test_clients_side_by_side_are_each_in_their_own_scope_on_all_workers(rig: Rig, provider: Provider) -> None:
    Talk(provider)
    names = [f"gw{number}" for number in range(6)]
    with rig.worker(1) as first:
        for name in names[:5]:
            rig.open(client=name, session=f"of-{name}", test_id=f"test_{name}")
        # It hears of what is in force before it listens.
        with rig.worker(2) as second, ThreadPoolExecutor(6) as pool:

            def use(name: str, client: httpx.Client) -> list[str]:
                with client:
                    return [said(post(client, name)) for _ in range(2)]

            told = [*pool.map(use, names, [httpx_client(first, name) for name in names])]
            wait_until(lambda: len(written(rig.recordings)) == 6)
            assert [*pool.map(use, names, [httpx_client(second, name) for name in names])] == told
            for name, answers in zip(names, told, strict=True):
                assert len({*answers}) == 1
                assert answers[0].endswith(f"to {name}")
            rig.team.overriding.flush()
            # Its faults are counted over all workers.
            rig.open(client="gw0", session="of-gw0", faults=[{"status": 429, "nth": [1, 3]}])
            statuses = []
            for proxy in (first, second, first, second):
                with httpx_client(proxy, "gw0") as client:
                    statuses.append(post(client, "gw0").status_code)
            assert statuses == [429, 200, 429, 200]
            for proxy in (first, second):
                with httpx_client(proxy, "gw0") as client:
                    rig.team.overriding.apply(Overrides())
                    assert said(post(client, f"after {proxy.port}"))
    of_scopes = {f"of-{name}": [name] for name in names[:5]}
    alone = sorted(f"after {proxy.port}" for proxy in (first, second))
    assert written(rig.recordings) == {**of_scopes, "gw5": ["gw5"], "gw0": alone}
