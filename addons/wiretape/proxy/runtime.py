"""What all options and files came to: one value, made by ``configure`` and swapped whole.

Whoever has it changes nothing of it. What is counted or kept lives elsewhere: only the faults count, by themselves.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wiretape.config.overrides import Known
from wiretape.matching.presets import MatchPolicies
from wiretape.matching.rules import MatchPolicy
from wiretape.network.egress import EgressPolicy
from wiretape.policy import DEFAULT_MODE, DEFAULT_SESSION
from wiretape.pricing.prices import Prices
from wiretape.providers.ignoring import IgnoredRequests
from wiretape.providers.routing import Providers
from wiretape.proxy.calls import LARGEST
from wiretape.proxy.options import Lane, Large
from wiretape.redaction import RedactionPolicy
from wiretape.replay.faults import Faults
from wiretape.sessions.access import AccessPolicy
from wiretape.sessions.model import Sessions
from wiretape.sessions.token_file import TokenFile
from wiretape.store.opening import StoreUrl
from wiretape.tape.config import DEFAULT_CONFIG, TapeConfig

if TYPE_CHECKING:
    from wiretape.pricing.spending import Spending


@dataclass(frozen=True, slots=True)
class Runtime:
    """What holds. As it is made without arguments it knows no provider: so it is before the first options are read."""

    place: StoreUrl = field(default_factory=lambda: StoreUrl("recordings"))
    """Where the recordings are."""
    tape: TapeConfig = DEFAULT_CONFIG
    """What holds for a session that says nothing else."""
    sessions: Sessions = field(default_factory=Sessions)
    """What sessions say of their own."""
    tokens: TokenFile | None = None
    """Who may do what; None on a proxy that is open."""
    access: AccessPolicy = field(default_factory=lambda: AccessPolicy(Sessions(), DEFAULT_SESSION, DEFAULT_MODE))
    """Who comes in, and what a client gets."""
    providers: Providers = field(default_factory=lambda: Providers(()))
    ignored: IgnoredRequests = field(default_factory=IgnoredRequests)
    """What known programs ask for beside the model."""
    faults: Faults = field(default_factory=Faults)
    """What goes wrong on purpose."""
    egress: EgressPolicy = field(default_factory=EgressPolicy)
    """Where the proxy leads."""
    matching: MatchPolicy = field(default_factory=MatchPolicy)
    """By which rules a request may be the same as a recorded one."""
    policies: MatchPolicies = field(default_factory=lambda: MatchPolicies({}))
    """The same for sessions that choose for themselves."""
    known: Known = field(default_factory=lambda: Known((), {}, Sessions()))
    """What can be named by who asks for overrides."""
    has_strict_rules: bool = False
    """Whether it is not to start where rules make recordings one whose answers differ."""
    redaction: RedactionPolicy = field(default_factory=RedactionPolicy)
    """What becomes of secrets."""
    memory: int = 0
    """Bytes that may be kept of hits."""
    call_log: Path | None = None
    """The file that has what became of calls; None for none."""
    prices: Prices = field(default_factory=Prices)
    """What tokens cost."""
    spending: "Spending | None" = None
    """What sessions with a budget have spent; None where none has one."""
    counts_costs: bool = False
    """Whether somebody wants to know what calls cost, be there a log of calls or not."""
    run: str = ""
    """What all calls of this proxy have in common."""
    journal: int = 0
    """Bytes that may wait on this machine's disk to become recordings."""
    largest: int = LARGEST
    """Bytes of a request's body that are kept."""
    largest_said: str = ""
    """The same as its option spells it."""
    large: Large = Large.REFUSE
    """What becomes of a request with a larger one."""
    shares: bool = True
    """Whether a request that is equal to one under way gets the other's answer."""
    lane: Lane = Lane.AUTO
    """How hits are served."""

    def matching_of(self, session: str) -> MatchPolicy:
        """Return by which rules a request may be the same as a recorded one of a session, as it is configured."""
        words = self.sessions.get(session).match
        return self.matching if words is None else self.policies.of(words)
