"""Whether commands can be isolated on this machine: where they cannot, what tests it is skipped."""

import asyncio
from functools import cache

import pytest

from wiretape.cli.isolation.namespaces import IsolationError, Namespaces


@cache
def why_not() -> str:
    """Why not; empty where they can."""

    async def enter() -> None:
        namespaces = await Namespaces.entered()
        await namespaces.close()

    try:
        asyncio.run(enter())
    except IsolationError as e:
        return str(e)
    return ""


def skip_unless_possible() -> None:
    """Skip the test that asks where commands cannot be isolated."""
    if why := why_not():
        pytest.skip(f"no command can be isolated here: {why}")
