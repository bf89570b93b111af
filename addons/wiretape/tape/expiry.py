"""Whether a recording is too old to answer: by ``max_age`` and ``on_expiry`` of its session. Below ``tape``.

It is looked at where a recording is looked up, and not where it is in memory: a hit there is kept until it expires. The
session that was asked says how old its answers may be, those from its layers too; where it says nothing, the layer that
has the recording does.

=============  ==============================================  ========================================================
``on_expiry``  in replay, or where nobody can be asked         in record-if-missing
=============  ==============================================  ========================================================
``warn``       the recording answers; that it is old is said   the same
               once
``fail``       ``ExpiredError``: the call is refused           the same: whoever wants it anew says so
``rerecord``   as ``warn``                                     ``ExpiredError``: the provider is asked, and its answer
                                                               takes the recording's place
=============  ==============================================  ========================================================

What moves on, as the state that a poll asks for, is one take after the other: with ``rerecord`` it answers as with
``warn``, as none of its takes can be had again alone. So does what a layer has, but for the session's own record: it is
made in the session that was asked, and the layer stays as it is.
"""

import logging
import math
from collections.abc import Mapping, Sequence

from wiretape.codecs.units import age_in_words
from wiretape.metrics.counters import Counters
from wiretape.policy import Freshness, Mode, OnExpiry
from wiretape.tape.ages import Ages
from wiretape.tape.config import TapeConfig
from wiretape.tape.reader import Candidate, RecordingReader
from wiretape.tape.snapshot import Snapshot

logger = logging.getLogger(__name__)

NEVER = math.inf
"""When a recording expires that is expired already, or of which nobody knows how old it is."""


class ExpiredError(Exception):
    """A recording is too old, and does not answer. The text says so, for people."""

    def __init__(self, text: str, *, is_asked_anew: bool, replaces: str = "") -> None:
        super().__init__(text)
        self.is_asked_anew = is_asked_anew
        """Whether the provider is to be asked in its place."""
        self.replaces = replaces
        """The recording of the session that the provider's answer takes the place of; empty for none."""


class Expiry:
    """How old the answers of one tape may be. For any thread."""

    def __init__(
        self, config: TapeConfig, freshness: Mapping[str, Freshness], ages: Ages | None, counters: Counters
    ) -> None:
        """``freshness``: what each session says of itself that says anything; without ``ages`` nothing expires."""
        self._session = config.session
        self._named = config.named
        self._can_ask = config.mode is Mode.RECORD_IF_MISSING and not config.is_offline
        self._counters = counters
        own = freshness.get(config.session)
        each = {session: own or freshness.get(session) for session in (config.session, *config.layers)}
        self._freshness = {session: says for session, says in each.items() if says and ages}
        self._ages = ages
        if ages:
            for session in self._freshness:
                ages.begin(session)

    def prepare(self) -> None:
        """Raise StillReadingError where it cannot be told yet how old recordings are."""
        if self._ages:
            for session in self._freshness:
                self._ages.wait_for_commits(session)

    def check(
        self, reader: RecordingReader, candidates: Sequence[Candidate], snapshot: Snapshot, *, moves_on: bool
    ) -> float:
        """Return until when recordings may answer, in seconds since 1970. Raises ExpiredError where they may not.

        They answer together, so the oldest counts. Raises OSError where the store cannot tell.
        """
        says = self._freshness.get(reader.session)
        if says is None or self._ages is None:
            return NEVER
        until = NEVER
        for candidate in candidates:
            until = min(until, self._until(says, self._ages, reader, candidate, snapshot, moves_on=moves_on))
        return until

    def _until(
        self,
        says: Freshness,
        ages: Ages,
        reader: RecordingReader,
        candidate: Candidate,
        snapshot: Snapshot,
        *,
        moves_on: bool,
    ) -> float:
        name = candidate.name
        at = ages.recorded_at(reader.session, name, reader.origin(name, snapshot))
        if at is None:
            if ages.is_news((reader.session, "unknown")):
                text = "how old %s is cannot be told, as it has neither capture nor commit: it does not expire%s"
                logger.warning(text, snapshot.where(name), self._named)
            return NEVER
        if ages.clock() <= at + says.max_age:
            return at + says.max_age
        is_news = ages.is_news((reader.session, name))
        self._counters.expired += is_news
        old = age_in_words(ages.clock() - at)
        text = f"{name} is {old} old, and session {self._session} allows {age_in_words(says.max_age)}"
        if says.on_expiry is OnExpiry.FAIL:
            raise ExpiredError(f"{text} (max_age)", is_asked_anew=False)
        if says.on_expiry is OnExpiry.RERECORD and self._can_ask and not moves_on:
            replaces = name if reader.session == self._session else ""
            raise ExpiredError(text, is_asked_anew=True, replaces=replaces)
        if is_news:
            logger.warning("expired: %s: it answers all the same%s", text, self._named)
        return NEVER
