"""``wiretape ui``: the page about recordings that no proxy serves, until Ctrl-C."""

import sys
import threading
import webbrowser
from pathlib import Path

from wiretape import config
from wiretape.cli.console import REFUSED, say
from wiretape.config import Configuration
from wiretape.config.overrides import Known
from wiretape.control.server import WebServer, page_available
from wiretape.control.site import Site
from wiretape.library.costs import costs
from wiretape.metrics.prometheus import MissingPackageError
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames
from wiretape.store.opening import open_store
from wiretape.web.source import RecordingsAlone


def ui(where: str, config_file: Path | None, address: Address, *, opens_browser: bool) -> int:
    """Serve the page about a folder or a bucket, and wait for Ctrl-C. Return the exit code.

    Raises ValueError and OSError where there are no recordings to look at.
    """
    if not address.is_loopback:
        say(f"--listen {address} is open to other machines, and here the page asks for no token")
        return REFUSED
    store = open_store(where, spool=0)
    store.sessions()  # What cannot be read is told now.
    own = config.read(config_file) if config_file else Configuration()
    alone = RecordingsAlone(store, Known.of(own), costs(config_file))
    try:
        page_available()
        server = WebServer(address, Site(OwnNames(), page=alone))
    except (MissingPackageError, OSError) as e:
        say(f"the page cannot be at {address}: {e}")
        return REFUSED
    with server:
        print(f"the page is at {server.url} (Ctrl-C ends it)", flush=True)
        if opens_browser and sys.stdout.isatty():
            webbrowser.open(server.url)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            say("ended")
    store.close()
    return 0
