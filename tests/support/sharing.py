"""One real ``mitmdump`` for many tests: its start is a second of work, and most tests need nothing but a session.

While a test has it, clients come in its session and mode, what goes upstream goes to its provider, and log and
connections begin where the test did: what takes a ``Mitmdump`` takes this one too. A test that asks what is *not* in
the log at the end, or what is there when the proxy has stopped, needs one of its own.
"""

import contextlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

from harness import Mitmdump
from loopback import Provider


class Shared(Mitmdump):
    """For the tests of a module, one after the other. ``options``: what they have in common."""

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        self._stack = contextlib.ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="shared-")))
        self._recordings, self._origin = folder / "recordings", folder / "origin.json"
        self.lead_to(None)
        # Nobody is sent there: all providers have one CA, and its file is to be there for as long as the proxy is.
        authority = self._stack.enter_context(Provider())
        env = {"TO_LOOPBACK_ORIGIN": str(self._origin)}
        super().__init__(self._recordings, origin=authority, options=options, env=env)
        self.session = ""
        """Of the test that has it."""
        self._user = ""
        self._number = self._lines_before = self._connects_before = 0

    def __exit__(self, *exc: object) -> None:
        with self._stack:
            super().__exit__(*exc)

    @contextlib.contextmanager
    def lent(self, mode: str, provider: Provider | None = None) -> Iterator[Self]:
        """For one test, in a new session. ``provider`` is that for every host.

        The test waits until it is said what became of each live answer: the next one is to find no line of it.
        """
        assert not self.session, "another test has it"
        self._number += 1
        self.session = f"test-{self._number}"
        self._user = f"{self.session}+{mode}"
        self._lines_before, self._connects_before = len(self._lines), len(super().connects())
        self.lead_to(provider)
        try:
            yield self
            assert self.process.poll() is None, f"it has ended:\n{self.log()}"
            self.assert_sound()
        finally:
            self.lead_to(None)
            self.session = self._user = ""

    @property
    def folder(self) -> Path:
        """Of the session: its ``responses`` and ``wire`` are in there."""
        return self._recordings / self.session

    def in_mode(self, mode: str) -> None:
        """From now on clients come in this one. What was recorded is read from its file: no hit had it in memory."""
        self._user = f"{self.session}+{mode}"

    def anew(self, mode: str, options: Mapping[str, str] | None = None) -> Mitmdump:
        """A proxy of the test's own on what this one has recorded for it: nothing is in its memory."""
        return Mitmdump(self._recordings, mode, session=self.session, options=options)

    def url_for(self, credentials: str) -> str:
        """Where none are named it is the session's."""
        return super().url_for(credentials or self._user)

    def log(self) -> str:
        """What was written since the test began."""
        with self._more:
            return "".join(self._lines[self._lines_before :])

    def connects(self) -> list[str]:
        """Of the test."""
        return super().connects()[self._connects_before :]

    def lead_to(self, provider: Provider | None) -> None:
        # At once: a connection of the test before may still be looking.
        new = self._origin.with_suffix(".new")
        new.write_text(json.dumps({"*": provider.port} if provider else {}), "utf-8")
        new.replace(self._origin)
