"""What happened, in a line or two. Counters in, text out."""

from wiretape.cli.run import RunOutcome
from wiretape.codecs.units import counted
from wiretape.metrics.counters import Counters

_HOSTS_SHOWN = 5


def summary(outcome: RunOutcome) -> str:
    """Return the lines that ``run`` prints when its command has ended."""
    counters = outcome.counters
    head = f"{outcome.mode}, session {outcome.session}"
    if not outcome.connections and outcome.code:
        # The command has failed before: the question is not how it finds a proxy.
        return f"{head}: the command ended with exit code {outcome.code} before anything went through the proxy."
    if not outcome.connections:
        return f"{head}: nothing went through the proxy.\n{_why_nothing(outcome)}"
    text = f"{head}: {', '.join(_parts(counters))}"
    if outcome.is_silent:
        text += _nothing_served(outcome)
    return "\n".join([text, *_misses(outcome)])


def _nothing_served(outcome: RunOutcome) -> str:
    seen = [*dict.fromkeys((*outcome.hosts, *outcome.tunnels))]
    hosts = ", ".join(seen[:_HOSTS_SHOWN])
    if len(seen) > _HOSTS_SHOWN:
        hosts += ", ..."
    text = f"\nNo request was for a known LLM endpoint (hosts seen: {hosts or 'none'})."
    unused = [host for host, is_provider in outcome.tunnels.items() if is_provider and host not in outcome.hosts]
    if unused:
        text += (
            f"\nA tunnel to {unused[0]} was asked for, and no request came through it: does the command trust the "
            "CA in the file of SSL_CERT_FILE?"
        )
    return text


def _parts(counters: Counters) -> list[str]:
    """Return what is told of each kind of request of which there was one."""
    parts = [counted(counters.hits, "hit")]
    if counters.hits_by_rules:
        parts.append(counters.told_rules)
    parts.append(counted(counters.misses, "miss", "misses"))
    if counters.upstream:
        parts.append(counted(counters.upstream, "request") + " sent to a provider")
    if counters.followed:
        parts.append(f"{counters.followed:,} that followed an equal one under way")
    parts.append(counted(counters.recorded, "recording") + " made")
    parts.append(counted(counters.tokens, "token") + " served from recordings")
    if costs := counters.told_costs:
        parts.append(costs)
    if counters.expired:
        parts.append(counted(counters.expired, "recording") + " older than max_age")
    if counters.ignored:
        parts.append(counted(counters.ignored, "request") + " beside the model ignored")
    if counters.faults:
        parts.append(counted(counters.faults, "fault") + " injected")
    if counters.unrecorded:
        why = f" ({counters.told_reasons})" if counters.reasons else ""
        parts.append(counted(counters.unrecorded, "live answer") + f" that became no recording{why}")
    return parts


def _why_nothing(outcome: RunOutcome) -> str:
    if outcome.is_isolated:
        return (
            "It was isolated, so it has asked nobody. Is it the right command? Does it skip what needs a key, or keep "
            "answers in a cache of its own?"
        )
    return (
        "Does the command's HTTP client read HTTPS_PROXY, and is the host not in NO_PROXY? Some read no variable: "
        "Python's aiohttp without trust_env=True, PHP's streams, Node's ws, and undici with an agent of its own. With "
        "--isolate they come through the proxy as well; or they take a base URL:\n"
        '  mitmdump -s "$(wiretape addon)" --mode reverse:https://HOST@8081'
    )


def _misses(outcome: RunOutcome) -> list[str]:
    """Return a line for each call without a recording: the program may have hidden the error, and asked again."""
    calls = outcome.calls
    more = calls.missed - sum(calls.misses.values())
    lines = [f"miss: {line}{f' ({count:,} times)' if count > 1 else ''}" for line, count in calls.misses.items()]
    if not more:
        return lines
    return [*lines, f"and {counted(more, 'miss', 'misses')} more"]
