"""A control API that answers from what a test gives it: for what only asks it."""

from typing import Any

from wiretape.control.client import ControlClient

NOTHING = {"calls": 0, "hits": 0, "misses": [], "recorded": [], "passed": 0, "refused": 0, "faults": 0, "lost": 0}


class FakeControl(ControlClient):
    """Keeps what it was asked for. A scope's account is what ``become`` has said last."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1")
        self.asked: list[tuple[Any, ...]] = []
        self.kept: dict[str, list[dict[str, Any]]] = {}
        self.rows: list[dict[str, Any]] = []
        self._accounts: dict[str, dict[str, Any]] = {}
        self._open = ""

    def become(self, **account: Any) -> None:
        """Let this be the account of the scope that is open."""
        self._accounts[self._open] |= account

    def open_scope(self, client: str, **what: object) -> dict[str, Any]:
        self._open = f"scope-{len(self._accounts) + 1}"
        self._accounts[self._open] = {"id": self._open, "client": client, **NOTHING}
        self.asked.append(("open", client, what))
        return {"id": self._open, "client": client, **what}

    def change_scope(self, id_: str, **what: object) -> dict[str, Any]:
        self.asked.append(("change", id_, what))
        return {}

    def scope(self, id_: str) -> dict[str, Any]:
        return dict(self._accounts[id_])

    def end_scope(self, id_: str) -> dict[str, Any]:
        self.asked.append(("end", id_))
        return dict(self._accounts[id_])

    def calls(self, *, scope: str = "", since: int | str | None = None, **_: Any) -> dict[str, Any]:
        found = [] if since else self.kept.get(scope, [])
        return {"calls": found, "next": 1}

    def call(self, id_: int) -> dict[str, Any]:
        return {"request": {"body": {"id": id_}}, "answer": None}
