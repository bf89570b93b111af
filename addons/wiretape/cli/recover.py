"""``wiretape recover``: writes the recordings that killed proxies have left, and tells what became of them."""

import logging

from wiretape.cli.console import out_text, say
from wiretape.journal.outcome import LogCapture
from wiretape.journal.recovery import recover

NOT_ALL = 1
"""The exit code where something could not be written."""


def run() -> int:
    """Finish all journals that no process takes care of. Return the exit code."""
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
