"""A session's files as one look-up sees them, each noted with its state. In front of the store, below ``lookup``.

A hit is kept in memory for as long as none of the files changes that the look-up has looked at: those that it read, and
those that it looked for and that were not there. So every look goes through a ``Snapshot``, which notes the state
*before* it reads. If a file changes in between, the state is the old one, and the next look-up reads it again.

In a store where each file takes a while, ``look_ahead`` asks for all that may be needed at once. Then three answers
are possible for a name, and they are not the same:

    it was fetched, or is listed        it is there
    all were listed, and it is not      it is not there, for sure
    the bucket is away                  it cannot be told: StoreAwayError, unless it was seen before
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import count

from wiretape.exceptions import StoreAwayError, StoreUnavailableError
from wiretape.store.base import RESPONSES, WIRE, Fetched, Store
from wiretape.tape.names import take_name

type FileStates = Mapping[tuple[str, str], Hashable]
"""Files by name and folder, each with its state; None where there was no file."""


class Snapshot:
    """What one look-up sees of a session."""

    def __init__(self, store: Store, session: str) -> None:
        self._store = store
        self.session = session
        self._states: dict[tuple[str, str], Hashable] = {}
        self._fetched: Mapping[tuple[str, str], Fetched] = {}
        self.is_whole = True
        """Whether everything could be looked at."""
        self.doubt: StoreUnavailableError | None = None
        """Why what a search has not found may be there all the same, in a file that cannot be read."""
        self.listed: Mapping[str, Hashable] | None = None
        """All recordings and their states, where ``look_ahead`` could have them at once."""

    def look_ahead(self, names: Sequence[str]) -> None:
        """Ask for these recordings at once, and for what belongs to them, where each would take a while.

        It raises nothing: who reads them is told.
        """
        if self._store.is_quick:
            return
        try:
            self.listed = self._store.glance(self.session, names)
        except StoreUnavailableError:
            self.listed = None  # What was seen before may be served.
        if self.listed is not None:
            there = [name for name in names if name in self.listed]
            files = [(name, folder) for name in there for folder in (RESPONSES, WIRE)]
        else:
            files = [(name, RESPONSES) for name in names]
            if names:
                files += [(take_name(names[0], 2), RESPONSES), (names[0], WIRE)]
        self._fetched = self._store.fetch(self.session, files)

    def read(self, name: str, folder: str = RESPONSES) -> bytes | None:
        """Return the bytes of a file, or None where there is none. Raises as the store does."""
        if not self._look(name, folder):
            return None
        if fetched := self._fetched.get((name, folder)):
            return fetched.data
        try:
            return self._store.read(self.session, name, folder)
        except StoreAwayError as e:
            raise self._blamed(e) from e

    def exists(self, name: str) -> bool:
        """Return whether there is a recording of this name. Raises as the store does."""
        return self._look(name, RESPONSES)

    def take_names(self, name: str) -> Iterator[str]:
        """Yield the name, and the names of further takes that exist."""
        yield name
        for number in count(2):
            take = take_name(name, number)
            try:
                if not self.exists(take):
                    return
            except StoreAwayError:  # What is known is served meanwhile.
                self.note_gap()
                return
            yield take

    def where(self, name: str, folder: str = RESPONSES) -> str:
        """Return where a file is, for people."""
        return self._store.where(self.session, name, folder)

    def state(self, name: str, folder: str = RESPONSES) -> Hashable:
        """Return the state in which a file was when it was looked at; None where there was none."""
        return self._states.get((name, folder))

    def states(self) -> FileStates:
        """Return what was looked at so far."""
        return dict(self._states)

    def note_gap(self) -> None:
        """Note that something could not be looked at, so that what is found must not be kept."""
        self.is_whole = False

    def note_doubt(self, problem: StoreUnavailableError | None) -> None:
        """Note why what was not found may be there all the same."""
        self.doubt = problem

    def _look(self, name: str, folder: str) -> bool:
        # Before the file is read: if it changes in between, the state is the old one, and it is looked up again.
        if fetched := self._fetched.get((name, folder)):
            if fetched.problem:
                raise self._blamed(fetched.problem)
            state = fetched.state
        elif self.listed is not None and folder == RESPONSES:
            state = self.listed.get(name)
        else:
            state = self._store.state(self.session, name, folder)
        self._states[name, folder] = state
        return state is not None

    def _blamed(self, problem: StoreUnavailableError) -> StoreUnavailableError:
        """Return what to raise: a bucket that has just told what it has is not away, but the file cannot be read."""
        is_file = isinstance(problem, StoreAwayError) and self.listed is not None
        return StoreUnavailableError(str(problem)) if is_file else problem


def is_unchanged(store: Store, session: str, states: FileStates) -> bool:
    """Return whether all files are as they were. Raises OSError where that cannot be told."""
    if store.is_quick:
        return all(store.state(session, name, folder) == state for (name, folder), state in states.items())
    fetched = store.fetch(session, [*states])
    for (name, folder), state in states.items():
        now = fetched.get((name, folder))
        if now and now.problem:
            raise now.problem
        if state != (now.state if now else store.state(session, name, folder)):
            return False
    return True
