"""A proxy for the program that has started it: a program of its own, as ``wiretape run`` is for a command.

    python -m wiretape.cli.hosted NAME=VALUE ...

It prints one line when it is up, the environment of who goes through it, as JSON, and ends when its input does: so it
never outlives the program that holds the other end. What it has to say goes to stderr. Connections that are open then
are not waited for, since they are that program's own.

The environment is that of ``wiretape run`` with one difference: a folder of CAs in place of a file (``SSL_CERT_DIR``),
as to read the file takes a client longer than its first call.
"""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Sequence

from wiretape.cli.certificates import hashed_folder, trust_files
from wiretape.cli.embedded import OneLine, StartError, serving
from wiretape.cli.environment import child_environment
from wiretape.cli.options import settings
from wiretape.proxy.addon import NOTHING_RECORDED


async def _serve(assignments: Sequence[str]) -> None:
    environ = dict(os.environ)
    async with serving(settings(environ, assignments), environ) as proxy:
        with trust_files(proxy.ca_pem(), environ) as trust:
            told = child_environment(environ, proxy.url, trust, control=proxy.control_url)
            # A suite of tests makes a client in each test.
            folders = [hashed_folder(trust), told.get("SSL_CERT_DIR", "")]
            told["SSL_CERT_DIR"] = os.pathsep.join(filter(None, folders))
            del told["SSL_CERT_FILE"]
            print(json.dumps(told), flush=True)
            await asyncio.to_thread(sys.stdin.buffer.read)


def main() -> int:
    """Serve until the input ends. Return 2 where the proxy cannot start, having said why."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(OneLine())
    # Its clients have sessions of their own.
    handler.addFilter(lambda record: record.msg != NOTHING_RECORDED)
    logging.getLogger().addHandler(handler)
    try:
        asyncio.run(_serve(sys.argv[1:]))
    except StartError as error:
        print(f"wiretape: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
