"""The counters as a page for Prometheus: its text. It reads the counters, and counts nothing.

``CounterPage`` makes the text, and ``parse`` reads it. ``wiretape.control`` serves it. It needs ``prometheus-client``,
of the extra ``team``.
Source: https://prometheus.io/docs/instrumenting/exposition_formats/ and, for names, .../practices/naming/
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.util import find_spec
from typing import TYPE_CHECKING

import wiretape
from wiretape.metrics.counters import AMOUNTS, Counters, Reason

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

MISSING = "counters as a page need the package prometheus-client: pip install prometheus-client"

FAMILIES: Mapping[str, tuple[str, str]] = {
    "hits": ("wiretape_hits", "Answered from a recording."),
    "misses": (
        "wiretape_misses",
        "Not in the recordings: refused in replay, asked from the provider in record-if-missing.",
    ),
    "ignored": (
        "wiretape_ignored",
        "Beside the model, as the telemetry of known programs: answered with nothing.",
    ),
    "unavailable": ("wiretape_unavailable", "Could not be looked up, because the recordings' store was away."),
    "followed": ("wiretape_followed", "Answered with the live answer to an equal request that was under way."),
    "recorded": ("wiretape_recordings", "Recordings written, or found already written with the same content."),
    "unrecorded": (
        "wiretape_unrecorded",
        "Live answers that became no recording: errors, streams that broke off, disks that failed.",
    ),
    "upstream": ("wiretape_upstream_requests", "Requests sent on to a provider."),
    "connections": (
        "wiretape_upstream_connections",
        "Connections opened to providers, whether or not a request went over them.",
    ),
    "bytes": ("wiretape_served_bytes", "Of answers served from recordings, without their heads and framing."),
    "tokens": ("wiretape_served_tokens", "Completion tokens served from recordings."),
    "faults": ("wiretape_faults", "Answers that met a fault, on purpose."),
    "hits_by_rules": (
        "wiretape_hits_by_rules",
        "Of the hits, those whose request is the same as the recorded one by rules, not exactly.",
    ),
    "spent_usd": ("wiretape_spent_usd", "What the tokens of providers' answers cost, in US dollars."),
    "saved_usd": (
        "wiretape_saved_usd",
        "What those cost that were served without a provider: from recordings, and with an equal request's answer.",
    ),
    "unpriced": ("wiretape_unpriced_calls", "Calls whose tokens have no known price: they are in neither sum."),
    "expired": (
        "wiretape_expired_recordings",
        "Recordings that were asked for and are older than their session allows, each counted once.",
    ),
}
"""For each field of ``Counters``: the name of the metric, without the suffix ``_total``, and its help text."""

_REASONS = "wiretape_unrecorded_by_reason"
_RULES = "wiretape_needed_rules"
_KNOWN_REASONS = frozenset(map(str, Reason))

_FIELDS = {name: each for each, (name, _) in FAMILIES.items()}


@dataclass(frozen=True, slots=True)
class Workers:
    """The processes of ``wiretape serve``: which are up, and how often each was started again."""

    up: int
    restarts: Mapping[str, int] = field(default_factory=dict)


class MissingPackageError(Exception):
    """A package is not installed that what was asked for needs. The message is for the user."""


def available() -> None:
    """Raise MissingPackageError where the page cannot be made."""
    if find_spec("prometheus_client") is None:
        raise MissingPackageError(MISSING)


class _Collector:
    """The library calls this each time that the page is read."""

    def __init__(
        self, counters: Callable[[], Mapping[str, Counters]], workers: Callable[[], Workers] | None = None
    ) -> None:
        self._counters = counters
        self._workers = workers

    def collect(self) -> Iterator["Metric"]:
        """Yield all metrics, with a value for each session."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        sessions = self._counters()
        for each, (name, text) in FAMILIES.items():
            family = CounterMetricFamily(name, text, labels=["session"])
            for session, counters in sorted(sessions.items()):
                family.add_metric([session], float(getattr(counters, each)))
            yield family
        reasons = CounterMetricFamily(_REASONS, "The unrecorded ones, by why.", labels=["session", "reason"])
        for session, counters in sorted(sessions.items()):
            for reason, number in [*counters.reasons.items()]:
                reasons.add_metric([session, reason], number)
        yield reasons
        rules = CounterMetricFamily(_RULES, "The hits by rules, by each rule needed.", labels=["session", "rule"])
        for session, counters in sorted(sessions.items()):
            for rule, number in [*counters.rules.items()]:
                rules.add_metric([session, rule], number)
        yield rules
        text = "Always 1; the label is wiretape's version."
        info = GaugeMetricFamily("wiretape_build_info", text, labels=["version"])
        info.add_metric([wiretape.__version__], 1)
        yield info
        if self._workers:
            workers = self._workers()
            yield GaugeMetricFamily("wiretape_workers", "Workers that are up.", value=workers.up)
            text = "How often a worker, or the balancer before them, was started again after it had died."
            restarts = CounterMetricFamily("wiretape_worker_restarts", text, labels=["worker"])
            for worker, count in workers.restarts.items():
                restarts.add_metric([worker], count)
            yield restarts


def parse(text: str) -> dict[str, Counters]:
    """Return the counters on a page by session. Raises ValueError where the text is not such a page."""
    available()
    from prometheus_client.parser import text_string_to_metric_families

    sessions: dict[str, Counters] = {}
    known = False
    try:
        for family in text_string_to_metric_families(text):
            known = known or family.name == "wiretape_build_info"
            for sample in family.samples:
                if sample.name == f"{family.name}_total" and "session" in sample.labels:
                    counters = sessions.setdefault(sample.labels["session"], Counters())
                    _take(counters, family.name, sample.labels, sample.value)
    except (LookupError, ArithmeticError) as e:  # The library raises these for some texts, and int for Infinity.
        raise ValueError(f"it is not wiretape's page of counters: {type(e).__name__}") from e
    if not known:
        raise ValueError("it is not wiretape's page of counters")
    return sessions


def _take(counters: Counters, family: str, labels: Mapping[str, str], number: float) -> None:
    """Take over one number of a page."""
    name = _FIELDS.get(family, "")
    if name in AMOUNTS:
        setattr(counters, name, _amount(number))
    elif name:
        setattr(counters, name, int(number))
    elif family == _REASONS and labels.get("reason") in _KNOWN_REASONS:
        counters.reasons[Reason(labels["reason"])] = int(number)
    elif family == _RULES:
        counters.rules[labels["rule"]] = int(number)


def _amount(number: float) -> Decimal:
    """Return a sum of money, which a page has to fifteen digits."""
    whole = int(number)  # It raises for what is no number, or none that ends.
    return Decimal(whole) if whole == number else Decimal(repr(number))


class CounterPage:
    """Makes the text of the page, each time anew. For any thread."""

    def __init__(
        self, counters: Callable[[], Mapping[str, Counters]], workers: Callable[[], Workers] | None = None
    ) -> None:
        """Both functions are called from other threads. Raises MissingPackageError without the package."""
        available()
        self._collector = _Collector(counters, workers)
        self._workers = workers
        self._registry: CollectorRegistry | None = None

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """Return the page and its content type, as a reader wants it whose ``Accept`` header this is."""
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import choose_encoder

        if self._registry is None:
            self._registry = CollectorRegistry()
            self._registry.register(self._collector)
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    @property
    def is_healthy(self) -> bool:
        """Whether a worker is up; where there are none, the proxy is one itself."""
        return self._workers is None or self._workers().up > 0
