"""A script for ``mitmdump -s`` in the benchmark: what goes upstream goes to BENCH_ORIGIN, a port of 127.0.0.1.

As ``to_loopback.py`` of the tests, which watches over more and so costs more. It has no hook: nothing waits for it.
"""

import asyncio
import os
from typing import Any

_open_connection = asyncio.open_connection


async def _to_origin(_host: Any = None, _port: Any = None, **kwargs: Any) -> Any:
    return await _open_connection("127.0.0.1", int(os.environ["BENCH_ORIGIN"]), **kwargs)


asyncio.open_connection = _to_origin  # type: ignore[assignment]
