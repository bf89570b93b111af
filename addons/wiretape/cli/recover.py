"""``wiretape recover``: finishes what proxies left that were killed, and says what became of it."""

import logging

from wiretape.cli.console import out_text, say
from wiretape.journal.outcome import LogCapture
from wiretape.journal.recovery import recover

NOT_ALL = 1
"""Exit code: something could not be written."""


def run() -> int:
    """Finish all journals that nobody sees to; the exit code."""
    log = LogCapture()
    ours = logging.getLogger("wiretape")
    ours.addHandler(log)
    ours.setLevel(logging.INFO)
    ours.propagate = False
    code = found = 0
    for recovered, lines in recover(log):
        for _, level, message in lines:
            if level >= logging.INFO:
                out_text(message)
        if recovered is None:
            continue
        found += 1
        say(str(recovered))
        if not recovered.is_whole:
            code = NOT_ALL
    if not found:
        say("nothing was left to be written")
    return code
