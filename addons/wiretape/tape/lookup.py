"""Which recordings of one session answer a request: by name, by content, by take. Between ``tape`` and the store.

A look-up reads and never writes. It goes from what is quick to what is not:

1. ``by_name``: under the names that the recording has if it was made here, which follow from the request's hash. That
   is a file or two, and nearly every hit.
2. ``by_content``: by the index, which knows what each file asks, whatever its name is. It may have to read every file
   first, so the tape does it aside. All lists of models are found like this, as one list may be several recordings.

Both give candidates whose requests have the identity of the question. Then one of their takes is played (``_play``):

    first, last        the one that stays; before it, in turn, what failed for a moment and was asked again
    sequence, cycle    one after the other; at the end the last again, or from the first
    what moves on      each take is a state, which comes after the one before. While the provider can be asked it is
                       asked when all are played, unless the last state is final: ``MovedOn``

Example: a 429, then an answer, both recorded of one request. With ``last``, whoever asks gets the 429 first, asks
again, as clients do, and gets the answer from then on.

In the mode record-if-missing what depends on who asked, or when, such as a 401, is no answer: the provider is asked.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from wiretape import recording
from wiretape.matching import request as matching
from wiretape.matching.outline import Near, Outline
from wiretape.policy import FORMS, Takes
from wiretape.providers import job_states
from wiretape.recording import ID_MAPPING, ID_PREFIX, RecordedRequest, hashing
from wiretape.tape.config import TapeConfig
from wiretape.tape.index import Index
from wiretape.tape.names import disambiguated_name
from wiretape.tape.question import Question
from wiretape.tape.reader import Candidate, RecordingReader
from wiretape.tape.snapshot import Snapshot


class MovedOn(Exception):  # noqa: N818  an outcome
    """What was recorded of a request has all been played: what comes next is to be asked for."""


class Lookup:
    """Finds the recordings of one session. Each look-up raises StoreUnavailableError where the store is away."""

    def __init__(self, index: Index, count_turn: Callable[[str], int], config: TapeConfig) -> None:
        """``count_turn`` tells how often a request, by its identity, was answered before, and counts.

        The index says which session is looked into; ``config`` is that of the tape.
        """
        self.session = index.session
        self.reader = RecordingReader(index.store, index.session, config)
        self._store = index.store
        self._index = index
        self._count_turn = count_turn
        self._config = config

    def of(self, index: Index) -> "Lookup":
        """Return one for another session, by the same choices, for a look that has nobody asked again."""
        return Lookup(index, self._count_turn, replace(self._config, is_offline=True))

    @property
    def is_quick(self) -> bool:
        """Whether ``by_content`` takes no longer than ``by_name``, nearly."""
        return self._store.is_quick and self._index.is_quick

    def by_name(self, question: Question, snapshot: Snapshot) -> list[Candidate]:
        """Return the recording, one of its takes, under a name that it has when it was made here."""
        if question.request.is_model_list:
            snapshot.look_ahead(())
            return []
        names: Iterable[str] = self._names(question)
        if not self._store.is_quick:
            names = [*names]
            snapshot.look_ahead(names)
        for name in names:
            first = self.reader.read(name, question.identity, snapshot)
            if first is None:
                continue
            takes = [*snapshot.take_names(name)]
            if played := self._play(question, takes, snapshot, first):
                return played
        return []

    def by_content(self, question: Question, snapshot: Snapshot) -> list[Candidate]:
        """Return the recording, or all of a list of models, whatever their names. It may have to read every file."""
        known = self._index.find(question.identity, snapshot.listed)
        snapshot.note_doubt(known.doubt)
        if question.request.is_model_list:
            if known.doubt:
                raise known.doubt  # A part of the list may be in it.
            return self._model_list(question, known.names, snapshot)
        tests: dict[str, str | None] = {}
        for name in known.names:
            if candidate := self.reader.read(name, question.identity, snapshot):
                tests[name] = candidate.recording.request.test_id
        # One that was made for another test answers only who names no test.
        for test_id in self._tests(question):
            names = [name for name, theirs in tests.items() if theirs == test_id]
            if names and (played := self._play(question, names, snapshot)):
                return played
        if tests and question.request.test_id is None:
            first_test = next(iter(tests.values()))
            names = [name for name, theirs in tests.items() if theirs == first_test]
            return self._play(question, names, snapshot)
        return []

    def _tests(self, question: Question) -> Sequence[str | None]:
        """Return the tests whose recordings may answer, the likeliest first; None is for what serves all."""
        return (question.request.test_id,) if self._config.own_tests_only else (question.request.test_id, None)

    def _model_list(self, question: Question, names: Iterable[str], snapshot: Snapshot) -> list[Candidate]:
        candidates = [each for name in names if (each := self._answering(name, question.identity, snapshot))]
        # What was once answered in place of a list is no part of it.
        lists = [each for each in candidates if each.recording.response.is_answer]
        return _lists_for(question.request.test_id, lists or candidates[-1:])

    def ids_that_came(self, id_: str) -> list[str]:
        """Return the ids that recordings of the form 2026 have replaced by this one, the likeliest first."""
        snapshot = self.reader.snapshot()
        names = self._index.named(id_.removeprefix(ID_PREFIX))
        if self._config.takes is not Takes.FIRST:
            names.reverse()
        came = []
        for name in names:
            try:
                replaced = recording.loads(snapshot.read(name) or b"").extra.get(ID_MAPPING)
            except ValueError:
                continue  # It was one when it was last looked at.
            was = replaced.get(id_) if isinstance(replaced, dict) else None
            if isinstance(was, str):
                came.append(was)
        return came

    def nearest(self, wanted: Outline, endpoint: str, most: int) -> list[Near]:
        """Return the recordings of an endpoint whose requests are nearest, the nearest first."""
        return self._index.nearest(wanted, endpoint, most)

    def requests(self, names: Sequence[str]) -> Iterator[tuple[str, RecordedRequest]]:
        """Yield name and request of these recordings, as they would be recorded now."""
        for name, request in self._index.requests(names):
            with suppress(ValueError):
                # One that is older than a rule still has what the rule takes out.
                yield name, matching.by_rules_of_today(request)

    def has(self, question: Question) -> bool:
        """Return whether there is a recording of a request, as far as that can be told without reading every file."""
        if self._index.names(question.identity):
            return True
        for name in self._names(question):
            with suppress(ValueError, OSError):
                data = self._store.read(self.session, name)
                if data is not None and matching.is_stored(recording.read_request(data), question.identity):
                    return True
        return False

    def broken(self) -> list[str]:
        """Return which files of the session are no recordings, and why, in words."""
        return [f"{self._store.where(self.session, name)}: {why}" for name, why in self._index.problems().items()]

    def obstacles(self, question: Question) -> list[str]:
        """Return why recordings of this very request do not answer it, in words."""
        snapshot = self.reader.snapshot()
        known = (name for name in self._names(question) if self._index.holds(name))
        names = dict.fromkeys((*known, *self._index.names(question.identity)))
        return [problem for name in names if (problem := self._obstacle(name, question, snapshot))]

    def _obstacle(self, name: str, question: Question, snapshot: Snapshot) -> str:
        try:
            data = snapshot.read(name)
            if data is None:
                return ""
            candidate = recording.loads(data)
        except ValueError as e:
            return f"{snapshot.where(name)} is there, and cannot be served: {e}."
        if not matching.is_stored(candidate.request, question.identity):
            return ""
        is_of_this = f"{snapshot.where(name)} is of this request, but"
        if candidate.response.broke_off and not self._config.keep_errors:
            return f"{is_of_this} its stream broke off: wiretape_record_errors serves it."
        if self._config.only_lasting and candidate.response.is_passing:
            return f"{is_of_this} depends on who asked, or when: replay serves it."
        test_id = question.request.test_id
        if candidate.request.test_id not in (None, test_id):
            named = f"for test {test_id}" if test_id else "for no test"
            return f"{is_of_this} for test {candidate.request.test_id} alone, and this one is {named}."
        if self._config.own_tests_only and candidate.request.test_id != test_id:
            return f"{is_of_this} for all tests, and test {test_id} is isolated: it has recordings of its own alone."
        return ""

    def _names(self, question: Question) -> Iterator[str]:
        """Yield the names that the recording of a request has when it was made here, the likeliest first.

        One that was made for the test that asks goes before those that serve all.
        """
        forms = sorted(FORMS, key=lambda form: form != self._config.form)
        variants = []
        if None in self._tests(question):
            for_all = replace(question.request, test_id=None)
            variants = [(for_all, form) for form in forms]
        if question.request.test_id:
            variants.insert(0, (question.request, "2026"))
        for request, form in variants:
            name = recording.request_name(request, form)
            yield name
            yield disambiguated_name(name, question.identity)

    def _answering(
        self, name: str, identity: str, snapshot: Snapshot, known: Candidate | None = None
    ) -> Candidate | None:
        """Return the recording of a name where it may answer whoever asks next. ``known`` was read already."""
        is_known = known is not None and known.name == name
        candidate = known if is_known else self.reader.read(name, identity, snapshot)
        if candidate and self._config.only_lasting and candidate.recording.response.is_passing:
            return None
        return candidate

    def _play(
        self, question: Question, names: list[str], snapshot: Snapshot, known: Candidate | None = None
    ) -> list[Candidate]:
        """Return one take of several, whose names are given in order; none where none can be read.

        ``known`` was read already. Raises MovedOn.
        """
        read = partial(self._answering, identity=question.identity, snapshot=snapshot, known=known)
        takes = self._config.takes
        if takes in (Takes.FIRST, Takes.LAST) and not question.request.moves_on:
            row = self._row(names, read)
            if len(row) < 2:
                return row
            turn = min(self._count_turn(question.identity), len(row) - 1)
            return [replace(row[turn], has_turns=True)]
        if self._config.only_lasting:
            names = [name for name in names if read(name)]
        if not names:
            return []
        turn = self._turn(question, names, read)
        start = turn % len(names) if takes is Takes.CYCLE else min(turn, len(names) - 1)
        for name in names[start:] + names[:start]:
            if candidate := read(name):
                return [candidate]
        return []

    def _turn(self, question: Question, names: list[str], read: Callable[[str], Candidate | None]) -> int:
        """Return whose turn it is among takes that are played one after the other. Raises MovedOn."""
        if not question.request.moves_on or not self._config.asks_again:
            return self._count_turn(question.identity)
        turn = question.turn or 0
        # A POST is not a question about a state: sent again, it would do again what it did.
        if question.request.method != "POST" and turn >= len(names):
            last = read(names[-1])
            if last is None or not job_states.is_over(last.recording.response.body):
                raise MovedOn
        return turn

    def _row(self, names: Sequence[str], read: Callable[[str], Candidate | None]) -> list[Candidate]:
        """Return the first or last take that stays, and before it what failed and was asked again, in order.

        Where nothing but failures was recorded the last of them stays.
        """
        return self._last_row(names, read) if self._config.takes is Takes.LAST else self._first_row(names, read)

    @staticmethod
    def _first_row(names: Sequence[str], read: Callable[[str], Candidate | None]) -> list[Candidate]:
        row = []
        for name in names:
            if candidate := read(name):
                row.append(candidate)
                if not candidate.recording.response.is_momentary:
                    break
        return row

    @staticmethod
    def _last_row(names: Sequence[str], read: Callable[[str], Candidate | None]) -> list[Candidate]:
        row: deque[Candidate] = deque()
        for name in reversed(names):
            if candidate := read(name):
                if row and not candidate.recording.response.is_momentary:
                    break
                row.appendleft(candidate)
        return [*row]


def _lists_for(test_id: str | None, candidates: list[Candidate]) -> list[Candidate]:
    """Return those of several lists of models that are one: of the test that asks, else of none.

    What was recorded for other tests answers, where there is nothing else, a request that names no test; and every
    request where it is of one test and named as what is shared by all.
    """
    of_test = [each for each in candidates if each.recording.request.test_id == test_id]
    if of_test:
        return of_test
    of_none = [each for each in candidates if each.recording.request.test_id is None]
    if of_none or test_id is None:
        return of_none or candidates
    shared = [each for each in candidates if _is_shared(each)]
    tests = {each.recording.request.test_id for each in shared}
    return shared if len(tests) == 1 else []


def _is_shared(candidate: Candidate) -> bool:
    request = candidate.recording.request
    if candidate.recording.form != "2026" or not hashing.NEWEST.is_shared(request.url):
        return False
    return recording.request_hash(request, "2026") in candidate.name
