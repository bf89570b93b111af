"""Run as a file: mitmdump that shares its port with others, by SO_REUSEPORT.

mitmproxy has no option for that, but asks asyncio for its servers. So it runs on a loop of our own that makes them so.
"""

import asyncio
import warnings
from typing import Any

from mitmproxy.tools.main import mitmdump


class ReusePortLoop(asyncio.SelectorEventLoop):
    """An event loop whose servers share their port with others."""

    async def create_server(self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        """Create a server as asyncio does, with SO_REUSEPORT."""
        if port is not None:
            options["reuse_port"] = True
        return await super().create_server(protocol_factory, host, port, **options)


def main() -> None:
    """Run mitmdump."""
    with warnings.catch_warnings():
        # Policies end with Python 3.16. mitmproxy calls asyncio.run, which accepts a loop in no other way.
        warnings.simplefilter("ignore", DeprecationWarning)

        class Policy(asyncio.DefaultEventLoopPolicy):
            """Makes our event loops."""

            def new_event_loop(self) -> asyncio.AbstractEventLoop:
                return ReusePortLoop()

        asyncio.set_event_loop_policy(Policy())
    mitmdump()


if __name__ == "__main__":
    main()
