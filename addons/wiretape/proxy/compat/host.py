"""What is done to the mitmproxy, and to the Python, that run us; and how it is undone. Beside the way.

    what                                      wanted for       not done where
    the log is cleaned                        secrets
    what mitmdump prints is cleaned           secrets          there is no dumper
    ``connection_strategy`` is lazy           replay
    its listener is on loopback               who may come in  ``listen_host`` is named (see ``loopback``)
    its chain of addons is short              speed            ``wiretape_lane`` is "flows"; it is not known
    what is in memory is frozen               speed            ``wiretape_lane`` is "flows"
    no errors of connections that end with it the log          it does not end

``undo`` leaves all as it was found, but for ``listen_host``: to open a port to others, with nobody left who asks for
tokens, is not for an end that nobody watches.
"""

import asyncio
import gc
import logging

from mitmproxy.addonmanager import AddonManager
from mitmproxy.optmanager import OptManager

from wiretape.proxy.compat import loopback, supported
from wiretape.proxy.compat.addon_chain import ShortChain
from wiretape.proxy.compat.supported import Feature
from wiretape.proxy.flow_printing import CleanDumper
from wiretape.redaction import Redactor, logs

_LAZY = "lazy"


class Host:
    """One mitmproxy, with what was done to it."""

    def __init__(self) -> None:
        self._cleans_log = False
        self._is_frozen = False
        self._former_strategy = ""
        """What ``connection_strategy`` was; empty where it is as it was."""

    def clean_log(self, redactor: Redactor) -> None:
        """Have no secret in the log, from the first moment on."""
        self._cleans_log = logs.install(redactor)

    def choose(self, options: OptManager) -> None:
        """Choose options of mitmproxy's in its user's place."""
        loopback.prefer(options)
        # With the eager strategy a CONNECT reaches the origin before anything can be answered from a recording; and
        # whatever this proxy's own mode is, somebody's session may be in another.
        if options.connection_strategy != _LAZY:
            self._former_strategy = options.connection_strategy
            options.update(connection_strategy=_LAZY)

    def clean_screen(self, addons: AddonManager, redactor: Redactor) -> None:
        """Have no secret in what is printed of flows."""
        CleanDumper(addons).install(redactor)

    def speed_up(self, addons: AddonManager) -> None:
        """Have an event, and a collection of what is in memory, cost less."""
        if supported.has(Feature.ADDON_CHAIN):
            ShortChain(addons).shorten()
        # What is there by now stays: a collection that goes through all of it holds every stream up for 40 ms.
        self._is_frozen = gc.get_freeze_count() == 0  # Else some of it was frozen by another, who wants it so.
        gc.collect()
        gc.freeze()

    def expect_end(self, *, is_ending: bool) -> None:
        """Let connections that are open when the loop ends pass in silence, where mitmproxy is about to end."""
        if is_ending:
            logging.getLogger("asyncio").addFilter(_UntilItsEnd(asyncio.get_running_loop()))

    def slow_down(self, addons: AddonManager) -> None:
        """Undo ``speed_up``: events are mitmproxy's own affair again."""
        ShortChain(addons).restore()
        if self._is_frozen:
            gc.unfreeze()
        self._is_frozen = False

    def undo(self, addons: AddonManager, options: OptManager) -> None:
        """Undo all else, when the last line is written."""
        CleanDumper(addons).remove()
        if self._cleans_log:
            logs.remove()
        self._cleans_log = False
        if self._former_strategy and options.connection_strategy == _LAZY:
            options.update(connection_strategy=self._former_strategy)
        self._former_strategy = ""


class _UntilItsEnd(logging.Filter):
    """Drops what asyncio reports of tasks that end with their loop. It goes with the first line after that."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._loop = loop

    @property
    def is_over(self) -> bool:
        """Whether its loop has ended."""
        return self._loop.is_closed()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line is news."""
        if self.is_over:
            # Another list: whoever walks the present one is to miss none.
            logger = logging.getLogger("asyncio")
            logger.filters = [each for each in logger.filters if not (isinstance(each, _UntilItsEnd) and each.is_over)]
            return True
        return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))
