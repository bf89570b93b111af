"""Which recordings of a session rules make one, and whether their answers differ. Over a store, beside the tape.

Rules take out of requests what does not count. Where they take out too much, two recordings are the same to them, and a
request gets the answer of the one where the other was meant. So it is told beforehand, for each set of rules by which a
session can be asked:

- The rules of a preset are for its clients, which a recording knows by its capture. So each recording is looked at by
  the rules that hold for its own client; and as that client may ask for any other recording of the endpoint too, all of
  those are looked at by these rules.
- Recordings of one request are takes of it: no rule has made them one.
- A recording for a test answers that test alone, so it is the same as others of this test alone.

    found = Reader(store, policy, providers, is_shared=True).folds("main")
    found.folds                 # groups of recordings, with what the rules are called that make each one
    found.differing             # those of them whose answers differ
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from wiretape import recording as recordings
from wiretape.exceptions import NotHttpError
from wiretape.library import parallel
from wiretape.library.parallel import Watch, unwatched
from wiretape.matching import reduction
from wiretape.matching import request as matching
from wiretape.matching.rules import MatchContext, MatchPolicy, MatchRule
from wiretape.providers import gist
from wiretape.providers.routing import Providers
from wiretape.recording import RecordedRequest
from wiretape.recording import capture as captures
from wiretape.store.base import WIRE, Store
from wiretape.store.directory import DirectoryStore

_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Held:
    """A recording, as far as it tells what may be the same as it."""

    name: str
    identity: str
    test_id: str
    endpoint: str
    label: str
    """Endpoint and model, for people."""
    client: str
    """Who had it recorded; empty where that is not known."""
    gist: str
    """Equal for answers that say the same."""
    context: MatchContext
    """By what rules are chosen for its client."""


@dataclass(frozen=True, slots=True)
class FoldedRequest:
    """One of the requests that rules make one."""

    names: tuple[str, ...]
    """Its recordings."""
    client: str


@dataclass(frozen=True, slots=True)
class Fold:
    """Requests that differ, and that rules make one."""

    label: str
    requests: tuple[FoldedRequest, ...]
    rules: tuple[str, ...]
    """The names of the rules that are needed for that."""
    differs: bool
    """Whether their answers differ."""


@dataclass(frozen=True, slots=True)
class Folds:
    """What rules do to a session."""

    session: str
    recordings: int
    folds: tuple[Fold, ...]
    broken: Mapping[str, str]
    """Files that are no recordings, and what is wrong with them."""

    @property
    def differing(self) -> list[Fold]:
        """Those whose answers differ."""
        return [fold for fold in self.folds if fold.differs]


def context_of(request: RecordedRequest, client: str, session: str, providers: Providers) -> MatchContext:
    """Return whose request a recorded one was, as a proxy would say it of the same request now."""
    url = urlsplit(request.sent_url)
    port = url.port or _PORTS.get(url.scheme, 443)
    route = providers.route(request.method, url.scheme, url.hostname or "", port, url.path or "/")
    if route:
        return MatchContext(route.provider, route.endpoint_names, request.model, client, session)
    return MatchContext("", tuple(filter(None, (request.endpoint, url.path))), request.model, client, session)


class Reader:
    """Reads sessions of one store."""

    def __init__(self, store: Store, policy: MatchPolicy, providers: Providers, *, is_shared: bool) -> None:
        """``is_shared``: whether very many recordings may be shared out among processes, which a proxy must not do."""
        self.store = store
        self._policy = policy
        self._providers = providers
        self._is_shared = is_shared and isinstance(store, DirectoryStore)
        self._bare = store.bare() if isinstance(store, DirectoryStore) else store

    def folds(self, session: str, watch: Watch = unwatched) -> Folds:
        """Tell what rules make one in a session. Raises OSError where the store or a file cannot be read."""
        names = sorted(self.store.scan(session))
        look = partial(_held, self._bare, session, self._providers)
        held: list[Held] = []
        broken: dict[str, str] = {}
        read = watch(self._mapped(look, names), len(names), f"reading {session}")
        for name, found in zip(names, read, strict=True):
            if isinstance(found, str):
                broken[name] = found
            elif found:
                held.append(found)
        return Folds(session, len(held), tuple(self._folds(session, held, watch)), broken)

    def _mapped[T, R](self, work: "partial[R]", items: Sequence[T]) -> Iterator[R]:
        return parallel.mapped(work, items) if self._is_shared else map(work, items)

    def _folds(self, session: str, held: Sequence[Held], watch: Watch) -> Iterator[Fold]:
        """Yield the groups of recordings that are one, each once."""
        by_endpoint: dict[str, list[Held]] = defaultdict(list)
        for each in held:
            by_endpoint[each.endpoint].append(each)
        seen: set[frozenset[str]] = set()
        for those in by_endpoint.values():
            contexts = dict.fromkeys(each.context for each in those)
            for rules in dict.fromkeys(map(self._policy.rules_for, contexts)):
                for group in self._groups(session, rules, those, watch):
                    names = frozenset(each.name for each in group)
                    if names not in seen:
                        seen.add(names)
                        yield self._fold(session, rules, group)

    def _groups(
        self, session: str, rules: tuple[MatchRule, ...], held: Sequence[Held], watch: Watch
    ) -> Iterator[list[Held]]:
        """Yield the recordings of several requests that are one by some rules."""
        if not rules or len({each.identity for each in held}) < 2:
            return
        work = partial(_digest, self._bare, session, rules)
        names = [each.name for each in held]
        digests = watch(self._mapped(work, names), len(names), f"comparing {session}")
        groups: dict[tuple[str, str], list[Held]] = defaultdict(list)
        for each, digest in zip(held, digests, strict=True):
            if digest:
                groups[digest, each.test_id].append(each)
        yield from (group for group in groups.values() if len({each.identity for each in group}) > 1)

    def _fold(self, session: str, rules: tuple[MatchRule, ...], group: Sequence[Held]) -> Fold:
        by_request: dict[str, list[Held]] = defaultdict(list)
        for each in group:
            by_request[each.identity].append(each)
        takes = [*by_request.values()]
        forms = [_reduced(self._bare, session, rules, each[0].name) for each in takes]
        there = [form for form in forms if form]
        needed = [name for form in there[1:] for name in reduction.needed(there[0], form)]
        return Fold(
            takes[0][0].label,
            tuple(FoldedRequest(tuple(take.name for take in each), each[0].client) for each in takes),
            tuple(dict.fromkeys(needed)),
            len({frozenset(take.gist for take in each) for each in takes}) > 1,
        )


def _held(store: Store, session: str, providers: Providers, name: str) -> Held | str | None:
    """Return what a recording is; what is wrong with it; None for one that no rule is for."""
    try:
        if (data := store.read(session, name)) is None:
            return None
        recording = recordings.loads(data)
        request = matching.by_rules_of_today(recording.request)
        if request.is_model_list:
            return None
        client = _client(store.read(session, name, WIRE))
        context = context_of(request, client, session, providers)
        identity = matching.identity(request)
        said = gist.gist(recording)
    except NotHttpError:
        return None
    except ValueError as e:
        return str(e)
    endpoint = matching.endpoint(request)
    return Held(name, identity, request.test_id or "", endpoint, request.label, client, said, context)


def _client(data: bytes | None) -> str:
    """Return who had a recording recorded, given its capture."""
    if data is None:
        return ""
    try:
        origin = captures.loads(data).origin
    except ValueError:
        return ""
    return origin.client if origin else ""


def _digest(store: Store, session: str, rules: tuple[MatchRule, ...], name: str) -> str:
    reduced = _reduced(store, session, rules, name)
    return reduced.digest if reduced else ""


def _reduced(store: Store, session: str, rules: tuple[MatchRule, ...], name: str) -> reduction.Reduced | None:
    try:
        data = store.read(session, name)
        if data is None:
            return None
        request = matching.by_rules_of_today(recordings.read_request(data))
    except ValueError:
        return None
    return reduction.reducer(rules).reduce(request, reduction.places_of(request))
