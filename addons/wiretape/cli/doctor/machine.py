"""What this machine lets us do: isolation."""

import asyncio
import sys
from collections.abc import Iterator

from wiretape.cli.doctor.finding import Finding, ok, warning
from wiretape.cli.isolation.namespaces import IsolationError, Namespaces

_PATIENCE = 10.0


def isolation() -> Iterator[Finding]:
    """Try whether a command could be isolated."""
    if sys.platform != "linux":
        yield ok("isolation", "it is made of Linux's namespaces, and this is not Linux: wiretape run does without")
        return
    try:
        asyncio.run(_entered())
    except (IsolationError, TimeoutError) as e:
        advice = "without it, programs that read no proxy variable go past the proxy: wiretape run --isolate=no"
        yield warning("isolation", str(e) or "nothing came of it", advice)
    else:
        yield ok("isolation", "wiretape run can leave a command no way out but the proxy")


async def _entered() -> None:
    async with asyncio.timeout(_PATIENCE):
        namespaces = await Namespaces.entered()
        await namespaces.close()
