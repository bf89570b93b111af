"""A call from its request to the end of its answer: who has it notes what happens, and it is told once, when it ends.

    call = teller.open(grant, came_at)      # its request has come
    call.ask(request)                       # what it asks, as far as it was read
    call.outcome = Outcome.PASSED           # it was decided what becomes of it
    call.begin(200)                         # the answer's head leaves
    call.end()                              # the answer has ended: now it is told

``end`` may come from several places, of which each sees the end of some calls: the first one counts, and whatever is
noted later is not told. A call that ends before it was decided what becomes of it was no call: its client left.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from wiretape.call_log.call import Call, MissTold, Outcome
from wiretape.providers.asked_model import model_of
from wiretape.providers.routing import Route
from wiretape.providers.usage import Usage
from wiretape.proxy.admission import Grant
from wiretape.proxy.calls import EndpointRequest
from wiretape.replay.faults import Fault
from wiretape.replay.playback import Step, Then
from wiretape.replay.single_flight import SharedResponse
from wiretape.tape.hit import NOTHING, Hit

LEFT = "the client left before the answer had ended"
FAILED = "wiretape failed, as its log tells"
"""What is to be said of the end of a call that has not come to a good one."""

_STOPPED = {
    Then.RESET: "the connection was reset",
    Then.STALL: "it stalled",
}


@dataclass(slots=True, eq=False)
class OpenCall:
    """A call whose answer has not ended. For the thread that carries the traffic."""

    grant: Grant
    came_at: float
    """When the request's last byte came, by ``time.monotonic``."""
    tell: Callable[["OpenCall"], None]
    """What is to be done with it when it has ended."""
    outcome: Outcome | None = None
    request: str = ""
    provider: str = ""
    endpoint: str = ""
    model: str = ""
    test_id: str = ""
    """The test that its request is of, by its own header."""
    status: int | None = None
    first_at: float | None = None
    last_at: float | None = None
    size: int | None = None
    """Bytes of the answer's body, as far as they were counted."""
    recording: str = ""
    recorded_in: str = ""
    rules: tuple[str, ...] = ()
    usage: Usage | Callable[[], Usage] = NOTHING
    """The tokens of the answer, or what finds them, which may take a while."""
    leader: SharedResponse | None = None
    """The live answer of another call that it follows."""
    miss: MissTold | None = None
    why: list[str] = field(default_factory=list)
    is_over: bool = False
    """Whether its answer has reached its client whole, while it is found out what becomes of it."""
    has_ended: bool = False

    # -- what it is --------------------------------------------------------------------------------------------------

    def ask(self, request: EndpointRequest) -> None:
        """Note what it asks."""
        self.lead(request.route, request.label)
        if request.recorded:
            self.model = model_of(request.recorded)
            self.test_id = request.recorded.test_id or ""

    def lead(self, route: Route, label: str) -> None:
        """Note where it leads. ``label``: what it asks, for people."""
        self.request = label
        self.provider = route.provider
        self.endpoint = route.endpoint_names[0]

    # -- what becomes of it ------------------------------------------------------------------------------------------

    def replay(self, hit: Hit, fault: Fault | None = None) -> None:
        """Note that a recording answers, with what goes wrong on purpose."""
        self.outcome = Outcome.HIT
        self.request = hit.label
        self.model = hit.model
        self.recording = hit.name
        self.recorded_in = hit.session
        self.rules = hit.rules
        self.status = hit.answer.status
        self.usage = hit.usage
        self.size = hit.size
        if fault:
            self.why.append(f"fault: {fault}")

    def fault(self, fault: Fault) -> None:
        """Note that a fault answers."""
        self.outcome = Outcome.FAULT
        self.why.append(f"fault: {fault}")

    def follow(self, leader: SharedResponse | None) -> None:
        """Note that it gets the live answer of another call; None where that has failed before it had begun."""
        self.outcome = Outcome.FOLLOWED
        self.leader = leader

    def refuse(self, why: str) -> None:
        """Note that it is neither answered from a recording nor sent on."""
        self.outcome = Outcome.REFUSED
        self.why = [why]

    def pass_on(self, why: str) -> None:
        """Note that it is sent to a provider, and that no recording is made of it."""
        self.outcome = Outcome.PASSED
        self.why = [why]

    # -- its answer --------------------------------------------------------------------------------------------------

    def begin(self, status: int, at: float | None = None) -> None:
        """Note that the answer's head leaves, now or at a moment by ``time.monotonic``."""
        self.status = status
        if self.first_at is None:
            self.first_at = at or time.monotonic()

    def step(self, step: Step, status: int, at: float) -> None:
        """Note what leaves of an answer of ours at a moment."""
        if step.has_head:
            self.begin(status, at)
            self.size = 0
        self.size = (self.size or 0) + sum(map(len, step.chunks))
        if step.then in (Then.FINISH, Then.RESET, Then.STALL, Then.BREAK_OFF):
            self.end(_STOPPED.get(step.then, step.reason), at)

    def end(self, why: str = "", at: float | None = None) -> None:
        """Tell it: its answer has ended, or will not go on. ``why``: what is to be said of its end."""
        if self.has_ended:
            return
        self.has_ended = True
        if why:
            self.why.append(why)
        if self.last_at is None:
            self.last_at = at or time.monotonic()
        self.tell(self)

    # -- for the thread of the log -----------------------------------------------------------------------------------

    def made(self) -> Call:
        """Return it as it is told."""
        assert self.outcome
        # What finds the tokens may find out more.
        usage = self.usage if isinstance(self.usage, Usage) else self.usage()
        scope = self.grant.scope
        return Call(
            at=time.time() - (time.monotonic() - self.came_at),
            session=self.grant.tape.session,
            mode=self.grant.mode,
            outcome=self.outcome,
            request=self.request,
            provider=self.provider,
            endpoint=self.endpoint,
            model=self.model,
            client=self.grant.client,
            scope=scope.id if scope else "",
            test_id=scope.test_id if scope else self.test_id,
            status=self.status,
            recording=self.recording,
            recorded_in=self.recorded_in,
            rules=self.rules,
            first_byte_ms=self._ms(self.first_at),
            total_ms=self._ms(self.last_at),
            bytes=self.size,
            usage=usage,
            miss=self.miss,
            why=tuple(self.why),
        )

    def _ms(self, at: float | None) -> float | None:
        return None if at is None else max(0.0, at - self.came_at) * 1000
