"""The decision table: for every combination of facts, what becomes of a request.

``ROWS`` is the table, to be read from above: the first row that fits counts, and a dash fits everything. It is held
against ``decide`` over the whole product of the facts, so that no combination is left to chance.
"""

import asyncio
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from builders import ENDPOINT, TABLE, came, chat, chat_body, tape_of
from deciding import make_decider
from wiretape.exceptions import StoreAwayError
from wiretape.matching.rules import Kind, MatchPolicy, MatchRule
from wiretape.metrics.counters import SessionCounters
from wiretape.policy import Mode
from wiretape.providers import wire
from wiretape.providers.ignoring import IgnoredRequests, Program
from wiretape.providers.routing import Endpoint, Route
from wiretape.proxy import reading
from wiretape.proxy.admission import Grant
from wiretape.proxy.calls import (
    BodyState,
    BudgetReached,
    EndpointRequest,
    Faulted,
    Finding,
    Forwarded,
    Ignored,
    IncomingRequest,
    Joining,
    Keeping,
    LookedUp,
    Missed,
    Outcome,
    Replayed,
    RequestHead,
    StoreUnavailable,
    Unreadable,
    Untold,
)
from wiretape.proxy.decide import Facts, Wanted, decide
from wiretape.proxy.runtime import Runtime
from wiretape.recording import RecordedRequest
from wiretape.replay.faults import Fault, FaultRule, Faults, Status
from wiretape.replay.single_flight import SharedResponse
from wiretape.sessions.access import AccessPolicy
from wiretape.sessions.model import Sessions
from wiretape.store.directory import DirectoryStore
from wiretape.tape.hit import Hit
from wiretape.tape.pool import TapePool
from wiretape.tape.tape import EXACTLY

# -- the table ---------------------------------------------------------------------------------------------------------
#
# mode      live, record, replay, missing (record-if-missing)
# route     yes: it is for an endpoint; no
# fault     no; slow: its answer goes wrong; status: it has an answer of its own
# body      read; unread; none: no recording can be of it; large: too large without its content coding
# found     yet: not looked up yet; hit; miss; away: a bucket that keeps what is recorded; broken: any other store;
#           expired: a recording that is too old to answer. (One that is to be asked anew is a miss.)
# flight    yes: an equal request is under way whose answer it may share; no
# offline   yes: nothing is sent to its host; no
# frozen    no; doubt: it cannot be told whether the session is. (In one that is, nobody has a mode that records.)

COLUMNS = ("mode", "route", "fault", "body", "found", "flight", "offline", "frozen")

ROWS = """
# mode          route  fault   body        found   flight  offline  frozen   outcome
-               no     -       -           -       -       -        -        nothing
-               -      status  -           -       -       -        -        faulted
live            -      slow    -           -       -       -        -        forwarded, goes wrong
live            -      -       -           -       -       -        -        forwarded
record          -      slow    read        -       -       -        -        forwarded, not recorded, goes wrong
record          -      slow    unread      -       -       -        -        forwarded, not recorded, goes wrong
record          -      slow    none        -       -       -        -        forwarded, not recorded, goes wrong
record          -      -       read        -       -       -        -        forwarded, recorded
record          -      -       unread      -       -       -        -        forwarded, recorded
record          -      -       none        -       -       -        -        forwarded, recorded
record          -      -       large       -       -       yes      -        unreadable
record          -      -       large       -       -       no       -        forwarded, unreadable
replay          -      -       none        -       -       -        -        unreadable
replay          -      -       large       -       -       -        -        unreadable
missing         -      -       none        -       -       yes      -        unreadable
missing         -      -       large       -       -       yes      -        unreadable
missing         -      -       none        -       -       no       -        forwarded, unreadable
missing         -      -       large       -       -       no       -        forwarded, unreadable
missing         -      no      -           yet     yes     -        -        joining
-               -      -       -           yet     -       -        -        look up
-               -      slow    -           hit     -       -        -        replayed, goes wrong
-               -      -       -           hit     -       -        -        replayed
-               -      -       -           expired -       -        -        missed, expired
-               -      -       -           broken  -       -        -        unavailable
replay          -      -       -           away    -       -        -        unavailable
replay          -      -       -           miss    -       -        -        missed
missing         -      -       -           away    -       yes      -        unavailable
missing         -      -       -           miss    -       yes      -        missed
missing         -      -       -           -       -       -        doubt    unavailable, frozen
missing         -      slow    -           -       -       -        -        forwarded, not recorded, goes wrong
missing         -      -       -           -       -       -        -        forwarded, recorded
"""

STATUS = Status(503, (), b"no")
FAULTS = {"no": None, "slow": Fault(slow=1.0), "status": Fault(status=STATUS)}
BODIES = {
    "read": BodyState.READ,
    "unread": BodyState.UNREAD,
    "none": BodyState.NO_RECORDING,
    "large": BodyState.TOO_LARGE,
}
HIT = Hit("name", wire.HttpResponse(200, (), (b"hit",)), (0.0,), 1, 3)
FOUND = {
    "yet": None,
    "hit": LookedUp(Finding.HIT, HIT),
    "miss": LookedUp(Finding.MISS),
    "away": LookedUp(Finding.AWAY, why="it is away"),
    "broken": LookedUp(Finding.BROKEN, why="it is broken"),
    "expired": LookedUp(Finding.EXPIRED, why="it is old"),
}
MODES = {"live": Mode.LIVE, "record": Mode.RECORD, "replay": Mode.REPLAY, "missing": Mode.RECORD_IF_MISSING}
VALUES: dict[str, tuple[str, ...]] = {
    "mode": (*MODES,),
    "route": ("yes", "no"),
    "fault": (*FAULTS,),
    "body": (*BODIES,),
    "found": (*FOUND,),
    "flight": ("yes", "no"),
    "offline": ("yes", "no"),
    "frozen": ("no", "doubt"),
}

DOUBT = "nobody can tell"
RECORDED = RecordedRequest("https://api.openai.com/v1/v1/embeddings", {"model": "m"}, "/v1/embeddings")
ROUTE = Route("openai", "https://api.openai.com/v1", Endpoint("openai", "POST", "/v1/embeddings"), "/embeddings")


@dataclass(frozen=True)
class Row:
    """One of the table."""

    conditions: dict[str, str]
    outcome: str

    def fits(self, case: dict[str, str]) -> bool:
        return all(case[column] == value for column, value in self.conditions.items())


def rows() -> Iterator[Row]:
    for line in ROWS.strip().splitlines()[1:]:
        *cells, outcome = line.split(maxsplit=len(COLUMNS))
        conditions = {column: cell for column, cell in zip(COLUMNS, cells, strict=True) if cell != "-"}
        assert all(value in VALUES[column] for column, value in conditions.items()), line
        yield Row(conditions, outcome)


@pytest.fixture(name="requests", scope="module")
def _requests() -> dict[tuple[str, str], EndpointRequest]:
    """By mode and body."""
    store = DirectoryStore(Path("nowhere"))
    made = {}
    for (name, mode), (body, state) in itertools.product(MODES.items(), BODIES.items()):
        recorded = RECORDED if state is BodyState.READ else None
        problem = "it cannot" if body in ("none", "large") else ""
        grant = Grant(tape_of(store, "one", mode))
        made[name, body] = EndpointRequest(grant, ROUTE, 1.0, state, recorded, problem)
    return made


def facts_of(case: dict[str, str], request: EndpointRequest) -> Facts:
    return Facts(
        request if case["route"] == "yes" else None,
        FAULTS[case["fault"]],
        is_under_way=case["flight"] == "yes",
        looked_up=FOUND[case["found"]],
        is_offline=case["offline"] == "yes",
        doubt=DOUBT if case["frozen"] == "doubt" else "",
    )


def expected(outcome: str, case: dict[str, str], request: EndpointRequest) -> Any:
    """Return the outcome that a row names, with all that it holds."""
    what, *more = outcome.split(", ")
    fault, looked_up = FAULTS[case["fault"]], FOUND[case["found"]]
    goes_wrong = fault if "goes wrong" in more else None
    match what:
        case "nothing":
            return None
        case "look up":
            return Wanted.LOOK_UP
        case "faulted":
            assert fault
            return Faulted(request, fault)
        case "replayed":
            return Replayed(request, HIT, goes_wrong)
        case "missed":
            return Missed(request, "it is old" if "expired" in more else "")
        case "unreadable":
            return Unreadable(request)
        case "joining":
            return Joining(request)
        case "unavailable":
            if "frozen" in more:
                return StoreUnavailable(request, Untold.FROZEN, DOUBT)
            assert looked_up
            return StoreUnavailable(request, Untold.RECORDING, looked_up.why)
    assert what == "forwarded"
    if "recorded" in more or "not recorded" in more:
        keeping = Keeping.RECORDED if "recorded" in more else Keeping.FAULT
        return Forwarded(request, keeping, goes_wrong, looked_up if case["mode"] == "missing" else None)
    return Forwarded(request, Keeping.UNREADABLE if "unreadable" in more else Keeping.LIVE, goes_wrong)


def test_the_table_holds_for_every_combination(requests: dict[tuple[str, str], EndpointRequest]) -> None:
    table = [*rows()]
    used = set()
    count = 0
    for values in itertools.product(*VALUES.values()):
        case = dict(zip(COLUMNS, values, strict=True))
        request = requests[case["mode"], case["body"]]
        row = next(each for each in table if each.fits(case))
        used.add(row.outcome + str(row.conditions))
        assert decide(facts_of(case, request)) == expected(row.outcome, case, request), case
        count += 1
    assert count == 4 * 2 * 3 * 4 * 6 * 2 * 2 * 2
    assert len(used) == len(table), "no row is for nothing"


def test_beside_the_model_nothing_is_missed(requests: dict[tuple[str, str], EndpointRequest]) -> None:
    """All is as the table says, but that whoever would be refused for want of a recording gets an empty answer."""
    for values in itertools.product(*VALUES.values()):
        case = dict(zip(COLUMNS, values, strict=True))
        request = replace(requests[case["mode"], case["body"]], is_beside_model=True)
        told = decide(facts_of(case, request))
        otherwise = decide(facts_of(case, replace(request, is_beside_model=False)))
        if isinstance(otherwise, Missed | Unreadable):
            assert told == Ignored(request), case
        elif otherwise is None or otherwise is Wanted.LOOK_UP:
            assert told is otherwise, case
        else:
            assert told == replace(otherwise, request=request), case


CLOSED = (Faulted, Replayed, Missed, Unreadable, StoreUnavailable)


def test_nothing_is_sent_that_may_not_be(requests: dict[tuple[str, str], EndpointRequest]) -> None:
    """What the table is for, said once more without it: in replay nothing leaves, nor does what nobody may record."""
    for values in itertools.product(*VALUES.values()):
        case = dict(zip(COLUMNS, values, strict=True))
        outcome = decide(facts_of(case, requests[case["mode"], case["body"]]))
        if outcome is None or outcome is Wanted.LOOK_UP:
            continue
        if case["mode"] == "replay" or case["fault"] == "status":
            assert isinstance(outcome, CLOSED), case
        if case["mode"] == "missing" and case["body"] in ("read", "unread") and case["frozen"] == "doubt":
            assert not isinstance(outcome, Forwarded), case
        if case["found"] == "broken" and case["mode"] == "missing":
            assert not isinstance(outcome, Forwarded) or outcome.keeping is Keeping.UNREADABLE, case
        if isinstance(outcome, Forwarded) and outcome.fault:
            assert outcome.keeping in (Keeping.FAULT, Keeping.LIVE), case


def test_where_the_budget_is_spent_what_would_be_sent_is_refused_and_nothing_else_changes(
    requests: dict[tuple[str, str], EndpointRequest],
) -> None:
    for values in itertools.product(*VALUES.values()):
        case = dict(zip(COLUMNS, values, strict=True))
        facts = facts_of(case, requests[case["mode"], case["body"]])
        outcome = decide(facts)
        told = decide(replace(facts, budget_reached="5 USD of 5 USD"))
        if isinstance(outcome, Forwarded):
            assert told == BudgetReached(outcome.request, "5 USD of 5 USD"), case
        else:
            assert told == outcome, case


def test_a_decision_depends_on_nothing_else(requests: dict[tuple[str, str], EndpointRequest]) -> None:
    request = requests["missing", "read"]
    facts = Facts(request, looked_up=LookedUp(Finding.MISS))
    assert decide(facts) == decide(replace(facts)) == Forwarded(request, Keeping.RECORDED, None, facts.looked_up)


# -- the shell: which facts are gathered, and what is counted ----------------------------------------------------------

HEAD = RequestHead("POST", "https", ("api.openai.com",), 443, ENDPOINT, "application/json")
BODY = json.dumps(chat_body("What is it?")).encode()


class BrokenStore(DirectoryStore):
    """A store that can tell nothing."""

    error: OSError = OSError("the disk is broken")

    def scan(self, session: str) -> Any:
        raise self.error

    def read(self, session: str, name: str, folder: str = "responses") -> bytes | None:
        raise self.error


class AwayStore(BrokenStore):
    """A bucket that cannot be reached."""

    error = StoreAwayError("the bucket is away")


class Shell:
    """A decider on a folder, and what it has counted."""

    def __init__(
        self,
        store: DirectoryStore,
        *,
        is_offline: bool = False,
        rules: Sequence[FaultRule] = (),
        policy: MatchPolicy = EXACTLY,
    ) -> None:
        self.decider = make_decider(is_offline=is_offline)
        self.decider.runtime = Runtime(providers=TABLE, faults=Faults(rules))
        counters = SessionCounters()
        self.counters = counters.of("default")
        self.mode = Mode.RECORD_IF_MISSING
        self.tapes = TapePool(store, Sessions(), counters, memory=1_000_000, policy=policy)
        self.use(self.mode)

    def use(self, mode: Mode) -> None:
        policy = AccessPolicy(Sessions(), "default", mode)
        self.decider.admission.use(policy, self.tapes, self.decider.runtime.faults)

    def request(self, body: bytes = BODY, head: RequestHead = HEAD) -> IncomingRequest:
        return IncomingRequest.build(head, self.decider.admission.grant(self), body, came_at=1.0)

    def decide(self, body: bytes = BODY, head: RequestHead = HEAD) -> Outcome | None:
        return asyncio.run(self.decider.decide(self.request(body, head)))


@pytest.fixture(name="shell")
def _shell(tmp_path: Path) -> Iterator[Callable[..., Shell]]:
    made: list[Shell] = []

    def make(store: type[DirectoryStore] = DirectoryStore, **more: Any) -> Shell:
        made.append(Shell(store(tmp_path), **more))
        return made[-1]

    yield make
    for each in made:
        each.decider.close()


type Shells = Callable[..., Shell]


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.RECORD])
def test_where_nothing_is_answered_nothing_is_read(mode: Mode, shell: Shells, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(reading, "read")
    made = shell(BrokenStore)
    made.use(mode)
    outcome = made.decide(b"no JSON")
    assert isinstance(outcome, Forwarded)
    assert (outcome.request.body, outcome.request.came_at) == (BodyState.UNREAD, 1.0)


def test_what_is_for_no_endpoint_has_no_outcome(shell: Shells) -> None:
    made = shell()
    assert made.decide(head=HEAD._replace(hosts=("other.example",))) is None
    assert isinstance(made.decide(head=HEAD._replace(hosts=("other.example", *HEAD.hosts))), Forwarded)


def test_what_a_known_program_asks_for_beside_the_model_is_no_miss(shell: Shells) -> None:
    made = shell()
    made.use(Mode.REPLAY)
    program = Program.parse("agent", ("agent/*",), ("POST api.openai.com/v1/chat/*",))
    made.decider.runtime = replace(made.decider.runtime, ignored=IgnoredRequests([program]))
    for body in (BODY, b"no JSON"):
        assert isinstance(made.decide(body), Ignored)
    assert isinstance(made.decide(head=HEAD._replace(path="/v1/embeddings")), Missed)
    assert made.counters.misses == 1
    made.use(Mode.RECORD_IF_MISSING)
    assert isinstance(made.decide(), Forwarded)


def test_what_is_opened_for_it_is_opened_while_the_program_is_at_work(shell: Shells) -> None:
    made = shell()
    made.use(Mode.REPLAY)
    program = Program.parse("agent", ("agent/*",), ("GET shared.example/agent/*",))
    made.decider.runtime = replace(made.decider.runtime, ignored=IgnoredRequests([program]))
    grant = made.decider.admission.grant(made)
    head = RequestHead("GET", "https", ("shared.example",), 443, "/agent/plugins", "")
    assert not made.decider.opens("shared.example", grant)
    assert not made.decider.is_beside_model(head, grant)
    made.decider.see(HEAD._replace(user_agent="agent/2"), grant)
    assert made.decider.opens("shared.example", grant)
    assert made.decider.is_beside_model(head, grant)
    assert not made.decider.opens("other.example", grant)
    made.use(Mode.RECORD_IF_MISSING)
    assert not made.decider.opens("shared.example", made.decider.admission.grant(made))


def test_a_miss_is_counted_once_and_what_is_offline_stays(shell: Shells) -> None:
    made = shell()
    assert isinstance(made.decide(), Forwarded)
    offline = shell(is_offline=True)
    assert isinstance(offline.decide(), Missed)
    assert isinstance(offline.decide(b"no JSON"), Unreadable)
    assert [each.counters.misses for each in (made, offline)] == [1, 1]


@pytest.mark.parametrize(
    ("store", "mode", "kind"),
    [
        (BrokenStore, Mode.RECORD_IF_MISSING, StoreUnavailable),
        (BrokenStore, Mode.REPLAY, StoreUnavailable),
        (AwayStore, Mode.RECORD_IF_MISSING, Forwarded),
        (AwayStore, Mode.REPLAY, StoreUnavailable),
    ],
)
def test_a_store_that_fails_is_counted_once(
    store: type[DirectoryStore], mode: Mode, kind: type[Outcome], shell: Shells
) -> None:
    made = shell(store)
    made.use(mode)
    outcome = made.decide()
    assert isinstance(outcome, kind)
    if isinstance(outcome, Forwarded):
        assert outcome.looked_up == LookedUp(Finding.AWAY, why="the bucket is away")
    assert (made.counters.unavailable, made.counters.misses, made.counters.hits) == (1, 0, 0)


def test_where_it_cannot_be_told_whether_a_session_is_frozen_nothing_is_sent(
    shell: Shells, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = shell()
    monkeypatch.setattr(made.decider.admission, "doubt", lambda _: DOUBT)
    outcome = made.decide()
    assert isinstance(outcome, StoreUnavailable)
    assert (outcome.untold, outcome.why) == (Untold.FROZEN, DOUBT)
    assert (made.counters.unavailable, made.counters.misses) == (1, 1)


def test_an_equal_request_that_is_under_way_is_joined_before_anything_is_looked_up(shell: Shells) -> None:
    made = shell()
    first = made.decide()
    assert isinstance(first, Forwarded)
    made.decider.flights[first.request.shared_key] = SharedResponse()
    second = made.decide()
    assert isinstance(second, Joining)
    assert made.counters.misses == 1
    # What follows nobody after all is looked up then; what was to be forwarded is not looked up twice.
    third = asyncio.run(made.decider.decide_alone(second, HEAD.hosts[0]))
    assert isinstance(third, Forwarded)
    assert isinstance(asyncio.run(made.decider.decide_alone(third, HEAD.hosts[0])), Forwarded)
    assert made.counters.misses == 2
    # Others join nobody: another test's, and one that is sent whatever is recorded.
    assert isinstance(made.decide(head=HEAD._replace(test_id="t")), Forwarded)
    made.use(Mode.RECORD)
    assert isinstance(made.decide(), Forwarded)


def test_a_fault_is_drawn_once_for_each_request_whatever_it_says(shell: Shells) -> None:
    made = shell(rules=[FaultRule({}, 1.0, 0, frozenset({2, 3}), Fault(status=STATUS))])
    outcomes = [made.decide(body) for body in (BODY, BODY, b"no JSON", BODY)]
    kinds = [type(each) for each in outcomes]
    assert kinds == [Forwarded, Faulted, Faulted, Forwarded]
    assert made.counters.misses == 2


def test_what_is_the_same_by_rules_meets_the_same_faults(shell: Shells) -> None:
    def met(policy: MatchPolicy, beginning: str) -> list[bool]:
        made = shell(rules=[FaultRule({}, 0.5, 7, frozenset(), Fault(status=STATUS))], policy=policy)
        bodies = [json.dumps(chat_body(f"{beginning}: question {number}")).encode() for number in range(16)]
        return [isinstance(made.decide(body), Faulted) for body in bodies]

    dates = MatchPolicy((MatchRule("dates", kinds=(Kind.DATES,)),))
    assert met(dates, "2026-11-27") == met(dates, "2026-12-24")
    assert len({*met(dates, "2026-11-27")}) == 2
    assert met(MatchPolicy(), "2026-11-27") != met(MatchPolicy(), "2026-12-24")


def test_a_hit_is_counted_once_and_the_next_one_is_read_no_more(shell: Shells, tmp_path: Path) -> None:
    made = shell()
    tape_of(DirectoryStore(tmp_path), "default", Mode.RECORD).record(chat("What is it?"), came("a test"))
    first, second = made.decide(), made.decide()
    assert isinstance(first, Replayed)
    assert isinstance(second, Replayed)
    assert (first.request.body, second.request.body) == (BodyState.READ, BodyState.UNREAD)
    assert first.hit is second.hit
    assert (made.counters.hits, made.counters.misses) == (2, 0)


def test_which_requests_are_worth_deciding_on_before_there_is_a_flow(shell: Shells) -> None:
    def worth(made: Shell, mode: Mode, head: RequestHead = HEAD) -> bool:
        made.use(mode)
        return made.decider.may_answer(head, made.request().grant)

    plain, faulty = shell(), shell(rules=[FaultRule({}, 1.0, 0, frozenset(), Fault(status=STATUS))])
    assert [mode for mode in Mode if worth(plain, mode)] == [Mode.REPLAY, Mode.RECORD_IF_MISSING]
    assert all(worth(faulty, mode) for mode in Mode)
    assert not worth(plain, Mode.REPLAY, HEAD._replace(hosts=("other.example",)))
    assert plain.decider.is_answering(None), "of a client whose requests have yet to tell"
